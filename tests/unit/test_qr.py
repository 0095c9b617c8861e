"""The QR code of a card: its text, its size in print, and reading it from pictures."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image
from segno import consts

from issued import BASE_URL, Issuer
from zhengka.formats import qr, voucher
from zhengka.formats.qr import BadQr

PAYLOAD = Issuer().payload()
TEXT = qr.to_text(PAYLOAD, BASE_URL)


def picture(text: str = TEXT, kind: str = "PNG", *, form: qr.Form = qr.CARD, scale: int = 4, **options: int) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(qr.png(text, scale, form=form))).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def empty_png(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


@pytest.mark.parametrize("payload", [b"\x00", b"\x01", bytes(100), b"\xff" * 256, PAYLOAD], ids=len)
def test_zeros_at_the_beginning_of_a_payload_survive(payload: bytes) -> None:
    assert qr.from_text(qr.to_text(payload, BASE_URL)) == payload


@pytest.mark.parametrize(
    ("base_url", "head"),
    [
        ("https://zk.example.cn", "HTTPS://ZK.EXAMPLE.CN/V/"),
        ("https://zk.example.cn/", "HTTPS://ZK.EXAMPLE.CN/V/"),
        ("http://127.0.0.1:8000", "HTTP://127.0.0.1:8000/V/"),
    ],
)
def test_the_text_is_upper_case_and_digits(base_url: str, head: str) -> None:
    text = qr.to_text(PAYLOAD, base_url)
    assert text.startswith(head)
    assert text.removeprefix(head).isdecimal()


@pytest.mark.parametrize(
    "base_url",
    ["", "zk.example.cn", "ftp://a", "https://", "https://a/path", "https://a?q", "https://名.cn", "http://["],
)
def test_a_base_address_is_a_scheme_and_a_host(base_url: str) -> None:
    with pytest.raises(BadQr, match="qr-base-url"):
        qr.to_text(PAYLOAD, base_url)


@pytest.mark.parametrize("payload", [b"", bytes(257)])
def test_no_payload_and_too_large_a_payload_make_no_text(payload: bytes) -> None:
    with pytest.raises(BadQr, match="qr-too-long"):
        qr.to_text(payload, BASE_URL)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.lower(),
        TEXT + "/",
        f" {TEXT}\r\n",
        qr.to_digits(PAYLOAD),
        " ".join(qr.to_digits(PAYLOAD)),
        qr.to_digits(PAYLOAD).translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
        f"http://looks-like.zk.example.cn.evil.test:81/v/{qr.to_digits(PAYLOAD)}",
    ],
)
def test_the_payload_is_found_however_the_text_was_typed(text: str) -> None:
    assert qr.from_text(text) == PAYLOAD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" + qr.to_digits(PAYLOAD),
        str(int.from_bytes(b"\x02" + PAYLOAD)),
        str(int.from_bytes(b"\x01")),
        "https://zk.example.cn/",
        "https://zk.example.cn/v/",
        TEXT + "?x=1",
        TEXT + "#x",
        TEXT + "X",
        TEXT.replace("HTTPS", "FTP"),
        TEXT.replace("/V/", "/W/"),
        "https://user@host/v/" + qr.to_digits(PAYLOAD),
        "https://host/v/../v/" + qr.to_digits(PAYLOAD),
        "javascript:alert(1)",
        "-" + qr.to_digits(PAYLOAD),
        "1" * 621,
        "1" * 10_000_000,
        "٣" * 200,
        "WIFI:S:free;;",
        "\ud800",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadQr, match="qr-text"):
        qr.from_text(text)


@pytest.mark.parametrize(("form", "side", "millimetres"), [
    (qr.CARD, 53, 17.95), (qr.SMALL, 45, 15.24), (voucher.FORM, 69, 23.37)])
def test_the_real_payload_fits_the_printed_size(form: qr.Form, side: int, millimetres: float) -> None:
    assert qr.modules(TEXT, form).shape == (side, side)
    assert form.print_size_mm() == pytest.approx(millimetres, abs=0.01)
    assert qr.read_image(qr.png(TEXT, form=form)) == [TEXT]


@pytest.mark.parametrize(("form", "longest"), [(qr.CARD, 27), (qr.SMALL, 15)])
def test_the_longest_host_fits_with_the_largest_payload_and_one_character_more_is_refused(
    form: qr.Form, longest: int
) -> None:
    largest = b"\xff" * 102
    assert qr.modules(qr.to_text(largest, "https://" + "a" * longest), form).shape == (form.side, form.side)
    with pytest.raises(BadQr, match="qr-too-long"):
        qr.modules(qr.to_text(largest, "https://" + "a" * (longest + 1)), form)


def test_a_second_writer_draws_the_same_modules() -> None:
    head, digits = TEXT[: -len(qr.to_digits(PAYLOAD))], qr.to_digits(PAYLOAD)
    segments = [(head, consts.MODE_ALPHANUMERIC), (digits, consts.MODE_NUMERIC)]
    drawings = [segno.make(segments, version=9, error="q", boost_error=False, mask=mask) for mask in range(8)]
    ours = qr.modules(TEXT)
    assert sum(np.array_equal(ours, np.array(list(drawing.matrix), dtype=bool)) for drawing in drawings) == 1


def test_the_mask_is_the_one_that_another_writer_chooses() -> None:
    payloads = [bytes([0x11]) + hashlib.shake_256(bytes([number])).digest(101) for number in range(60)]
    for form in (qr.CARD, qr.SMALL):
        squares = qr.modules_many([qr.to_text(payload, "https://a.example") for payload in payloads], form)
        for payload, square in zip(payloads, squares, strict=True):
            text = qr.to_text(payload, "https://a.example")
            other = zxingcpp.create_barcode(
                text, zxingcpp.BarcodeFormat.QRCode, version=form.version, ec_level=form.level
            )
            assert np.array_equal(square, np.asarray(other.to_image(scale=1, add_quiet_zones=False)) == 0)


def test_a_code_that_is_too_long_is_refused_among_others() -> None:
    with pytest.raises(BadQr, match="qr-too-long"):
        qr.modules_many([TEXT, qr.to_text(bytes(200), BASE_URL)])


def test_the_runs_are_the_black_modules_and_nothing_else() -> None:
    square = qr.modules(TEXT)
    drawn = np.zeros_like(square)
    for column, row, width in qr.runs(square):
        assert not drawn[row, column : column + width].any()
        drawn[row, column : column + width] = True
    assert np.array_equal(drawn, square)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("form", [qr.CARD, qr.SMALL])
def test_what_is_drawn_is_read_again(kind: str, form: qr.Form) -> None:
    assert qr.read_image(picture(kind=kind, form=form)) == [TEXT]


def test_a_turned_and_blurred_photo_is_read() -> None:
    photo = Image.open(io.BytesIO(picture(scale=6))).convert("L").rotate(17, expand=True, fillcolor=255)
    out = io.BytesIO()
    photo.resize((photo.width * 3 // 4, photo.height * 3 // 4)).save(out, "JPEG", quality=60)
    assert qr.read_image(out.getvalue()) == [TEXT]


def test_a_code_with_a_transparent_background_is_read() -> None:
    grey = Image.open(io.BytesIO(qr.png(TEXT))).convert("L")
    clear = Image.merge("LA", (Image.new("L", grey.size, 0), grey.point(lambda value: 255 - value)))
    out = io.BytesIO()
    clear.save(out, "PNG")
    assert qr.read_image(out.getvalue()) == [TEXT]


def test_a_photo_without_a_code_gives_nothing() -> None:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(out, "PNG")
    assert qr.read_image(out.getvalue()) == []


def test_the_png_says_its_resolution_and_has_its_quiet_zone() -> None:
    image = Image.open(io.BytesIO(qr.png(TEXT, 4)))
    assert image.size == ((53 + 8) * 4, (53 + 8) * 4)
    assert round(image.info["dpi"][0]) == 300
    assert image.crop((0, 0, image.width, 16)).getextrema() == (255, 255)


def test_the_svg_draws_the_same_modules_and_names_itself() -> None:
    drawing = qr.svg(TEXT, title="<code> & card")
    assert "<title>&lt;code&gt; &amp; card</title>" in drawing
    assert 'viewBox="0 0 61 61"' in drawing
    assert drawing.count("M") == len(qr.runs(qr.modules(TEXT))) + 1


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "image-format"),
        (b"GIF89a" + bytes(100), "image-format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image-format"),
        (picture()[:300], "image-broken"),
        (picture(kind="JPEG")[:2000], "image-broken"),
        (empty_png(100, 100), "image-broken"),
        (empty_png(5001, 5000), "image-too-large"),
        (empty_png(13_000, 13_000), "image-too-large"),
        (empty_png(30_000, 30_000), "image-too-large"),
        (bytes(33 * 1024 * 1024), "image-too-large"),
    ],
)
def test_a_picture_that_is_none_or_too_large_is_refused(image: bytes, code: str) -> None:
    with pytest.raises(BadQr) as refusal:
        qr.read_image(image)
    assert refusal.value.code == code
