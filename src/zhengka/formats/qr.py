"""The QR code of a card: text, drawing, and reading from a photo (GB/T 18284, ISO/IEC 18004).

The text is `HTTPS://HOST/V/<decimal digits>`. Upper case keeps the head in the alphanumeric mode and the
digits keep the payload in the numeric mode, the densest there is; both survive every keyboard and phone.
The number is the payload with a byte 01 before it, so that zeros at its beginning are kept.
Reading opens nothing, and the host in a code proves nothing; but where the hosts of our codes are known
(`formats.hosts`), a code with another one is none of ours: it leads phones that scan it to somebody else's page.
"""

import io
import re
import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from zhengka.formats import symbol
from zhengka.formats.idnumber import plain

Modules: TypeAlias = NDArray[np.bool_]
"""A square of modules, row by row from the top, True for black; the quiet zone is not in it."""

QUIET_ZONE: Final = 4
"""White modules on every side of a printed code (ISO/IEC 18004, clause 6.3.8)."""

LONGEST_PAYLOAD: Final = 256
LONGEST_TEXT: Final = 2048
MOST_PIXELS: Final = 25_000_000
MOST_IMAGE_BYTES: Final = 32 * 1024 * 1024

_TEXT: Final = re.compile(r"(?:HTTPS?://([A-Z0-9.\-]{1,253}(?::[0-9]{1,5})?)/V/)?([1-9][0-9]{2,619})/?", re.ASCII)
_QR_ONLY: Final = zxingcpp.barcode_formats_from_str("QRCode")
_BASE: Final = re.compile(r"(HTTPS?://[A-Z0-9.\-]{1,253}(?::[0-9]{1,5})?)/?", re.ASCII)

_ANY: Final = -1
"""The mask that zxing finds best."""
_BOMBS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_DAMAGE: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, zlib.error)

REASONS: Final = {
    "qr-text": "not the text of a card's code",
    "foreign-host": "a code of a card that leads to a host which none of our codes has",
    "qr-base-url": "a base address is http or https and a host, with no path",
    "qr-too-long": "the text does not fit into a code of this size",
    "image-format": "neither a PNG nor a JPEG image",
    "image-too-large": f"the image has more than {MOST_PIXELS} pixels or {MOST_IMAGE_BYTES} bytes",
    "image-broken": "the image is damaged or cut short",
}


class BadQr(ValueError):
    """Text that is no code of ours, or an image that cannot be read. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Form:
    """How large a code is drawn: `version` fixes the modules per side, `level` what may be lost."""

    version: int
    level: str

    @property
    def side(self) -> int:
        """Modules per side, without the quiet zone."""
        return 17 + 4 * self.version

    def print_size_mm(self, dots_per_module: int = 4, dots_per_inch: int = 300) -> float:
        """The printed side in millimetres, without the quiet zone."""
        return self.side * dots_per_module * 25.4 / dots_per_inch


CARD: Final = Form(9, "Q")
"""The code on a card: 53 modules, 17.9 mm at 4 dots of 300 dpi, 20.7 mm with the quiet zone.

A card lives ten years in a pocket, and level Q mends a quarter of the code, level M of the smaller form an
eighth. With the largest credential (102 bytes) it leaves room for a host of 27 characters, the smaller form
for 15.
"""

SMALL: Final = Form(7, "M")
"""45 modules, 15.2 mm, for a face that has no room for `CARD`."""


def to_text(payload: bytes, base_url: str) -> str:
    """The text of the code for this payload; `base_url` is `https://host` or `http://host:port`."""
    base = _BASE.fullmatch(base_url.upper())
    if base is None:
        raise BadQr("qr-base-url")
    if not 0 < len(payload) <= LONGEST_PAYLOAD:
        raise BadQr("qr-too-long")
    return f"{base[1]}/V/{to_digits(payload)}"


def to_digits(payload: bytes) -> str:
    """The decimal digits that carry the payload."""
    return str(int.from_bytes(b"\x01" + payload))


def from_text(text: str, hosts: Collection[str] = ()) -> bytes:
    """The payload in the text of a code, in any case, with spaces, or its digits alone.

    `hosts`: those that our codes may carry, in lower case; none: any. Raises `BadQr`.
    """
    match = _TEXT.fullmatch(plain(text)) if len(text) <= LONGEST_TEXT else None
    if match is None:
        raise BadQr("qr-text")
    number = int(match[2])
    marked = number.to_bytes((number.bit_length() + 7) // 8)
    if marked[0] != 1 or not 1 < len(marked) <= 1 + LONGEST_PAYLOAD:
        raise BadQr("qr-text")
    if match[1] and hosts and match[1].lower() not in hosts:
        raise BadQr("foreign-host")
    return marked[1:]


def modules(text: str, form: Form = CARD) -> Modules:
    """The code as a square of modules, `form.side` on each side. Raises `BadQr("qr-too-long")`."""
    square: Modules = modules_many([text], form)[0]
    return square


def modules_many(texts: Sequence[str], form: Form = CARD) -> Modules:
    """The codes of many texts, one square after another, each under the mask of least penalty. Raises as `modules`."""
    if form.side > symbol.MOST:  # a voucher's, of which one is drawn at a time
        return np.stack([_drawn(text, form, mask=_ANY) for text in texts])
    plain = np.stack([_drawn(text, form, mask=0) for text in texts])
    masks = _masks(form)
    return np.not_equal(plain, masks[symbol.best_masks(plain, masks)])


def runs(square: Modules) -> list[tuple[int, int, int]]:
    """The black modules as few flat rectangles: (column, row, width), each one module high."""
    starts, widths = symbol.runs(square)
    rows, columns = np.divmod(starts, len(square) + 1)
    return list(zip(columns.tolist(), rows.tolist(), widths.tolist(), strict=True))


def svg(text: str, *, form: Form = CARD, title: str = "") -> str:
    """The code as an SVG image one unit per module, quiet zone and, for screen readers, a title included."""
    side = form.side + 2 * QUIET_ZONE
    path = "".join(
        f"M{column + QUIET_ZONE} {row + QUIET_ZONE}h{width}v1h-{width}z"
        for column, row, width in runs(modules(text, form))
    )
    name = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img"'
        f' shape-rendering="crispEdges">{name}<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path fill="#000" d="{path}"/></svg>'
    )


def png(text: str, scale: int = 4, *, form: Form = CARD) -> bytes:
    """The code as a PNG image of `scale` dots per module, quiet zone included, marked as 300 dpi."""
    square = np.pad(modules(text, form), QUIET_ZONE)
    dots = np.where(np.kron(square, np.ones((scale, scale), dtype=np.bool_)), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(dots).convert("1").save(out, "PNG", dpi=(300, 300))
    return out.getvalue()


def read_image(image: bytes) -> list[str]:
    """The texts of all QR codes in a PNG or JPEG photo, none if there is none. Raises `BadQr`.

    The size is checked from the header before a pixel is decoded.
    """
    if len(image) > MOST_IMAGE_BYTES:
        raise BadQr("image-too-large")
    try:
        with Image.open(io.BytesIO(image), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadQr("image-too-large")
            grey = _grey(picture)
    except BadQr:
        raise
    except _BOMBS:
        raise BadQr("image-too-large") from None
    except UnidentifiedImageError:
        raise BadQr("image-format") from None
    except _DAMAGE:
        raise BadQr("image-broken") from None
    found = zxingcpp.read_barcodes(grey, formats=_QR_ONLY)
    return [code.text for code in found if code.valid]


def _drawn(text: str, form: Form, *, mask: int) -> Modules:
    """The code under one of the eight masks (ISO/IEC 18004, 7.8.2). To let zxing choose one costs six times as much."""
    try:
        code = zxingcpp.create_barcode(
            text, zxingcpp.BarcodeFormat.QRCode, version=form.version, ec_level=form.level, data_mask=mask
        )
    except ValueError:
        raise BadQr("qr-too-long") from None
    grey: NDArray[np.uint8] = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    return np.equal(grey, 0)


@cache
def _masks(form: Form) -> Modules:
    """What each mask changes in a code under mask 0: the same for every text, the mask's own number included."""
    drawn = np.stack([_drawn("0", form, mask=mask) for mask in range(8)])
    changed: Modules = np.not_equal(drawn, drawn[0])
    return changed


def _grey(picture: Image.Image) -> NDArray[np.uint8]:
    """Grey values, what is transparent shown on white."""
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        picture = white
    return np.asarray(picture.convert("L"))
