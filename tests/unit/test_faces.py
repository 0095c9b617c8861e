"""Card faces: what is printed, where, in which font, and what is held instead of being cut or boxed."""

import io
import random
import re
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from django.conf import settings
from PIL import Image

import portraits
from zhengka.formats import qr
from zhengka.production import faces
from zhengka.production.faces import braille, photos
from zhengka.production.faces import layout as layouts
from zhengka.production.faces.fitting import DoesNotFit, fit, place
from zhengka.production.faces.fitting import Line as TypeLine
from zhengka.production.faces.layout import DOT, POINT, LayoutBroken

PATH = Path(settings.DATA) / "faces" / "disability-2018.toml"
PAYLOAD = bytes([0x11]) + bytes(range(1, 103))
LONG = "阿卜杜热合曼·麦麦提依明·买买提吐尔逊"


def a_face(name: str = "田野", kind: str = "blue", **texts: str) -> faces.Face:
    layout = faces.layout_for("disability-placeholder")
    given = {"name": name, "number": "43990119600101001X42B1", "category": "肢体残疾 二级",
             "valid_until": "2036年11月20日", "issuer": layout.issuer("岳麓区", "长沙市"),
             "serial": "4301 0400 0000 0017"} | texts
    return faces.Face(kind, given, faces.ready(portraits.make_photo()), qr.to_text(PAYLOAD, "https://card.example"))


def printed(*several: faces.Face) -> bytes:
    out = io.BytesIO()
    faces.print_faces(several, frozenset({"red"}), layout=faces.layout_for("disability-placeholder"), out=out)
    return out.getvalue()


def tool(pdf: bytes, *command: str) -> bytes:
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout


def page(pdf: bytes, number: int = 1) -> np.ndarray:
    shown = tool(pdf, "pdftoppm", "-r", "300", "-f", str(number), "-l", str(number), "-gray", "-")
    return np.asarray(Image.open(io.BytesIO(shown)))


def slot(name: str) -> layouts.Slot:
    return next(s for s in faces.layout_for("disability-placeholder").front.slots if s.name == name)


def test_a_card_has_two_pages_of_the_size_of_a_card():
    told = tool(printed(a_face(), a_face("李明")), "pdfinfo", "-").decode()
    assert re.search(r"Pages: +4\n", told)
    width, height = map(float, re.search(r"Page size: +([\d.]+) x ([\d.]+)", told).groups())
    assert width * POINT == pytest.approx(85.60, abs=0.01) and height * POINT == pytest.approx(53.98, abs=0.01)


def test_every_font_on_a_face_is_embedded():
    rows = tool(printed(a_face("𠮷㛃")), "pdffonts", "-").decode().splitlines()[2:]
    assert rows and all(re.search(r" yes yes yes ", row) for row in rows)


def test_rare_characters_of_every_plane_are_printed_as_themselves():
    text = tool(printed(a_face("𠮷㛃䶮")), "pdftotext", "-l", "1", "-", "-").decode()
    assert "𠮷㛃䶮" in text and "43990119600101001X42B1" in text


def test_the_code_on_the_printed_face_can_be_read():
    out = io.BytesIO()
    Image.fromarray(page(printed(a_face()))).save(out, "PNG")
    assert [qr.from_text(text) for text in qr.read_image(out.getvalue())] == [PAYLOAD]


def test_each_module_of_the_code_is_whole_dots_of_the_printer():
    shown, slot_ = page(printed(a_face())), faces.layout_for("disability-placeholder").front.qr
    left = round((slot_.x + 4 * 4 * DOT) / DOT)
    top = round((slot_.y + 4 * 4 * DOT) / DOT)
    square = qr.modules(qr.to_text(PAYLOAD, "https://card.example"))
    dots = np.kron(~square, np.ones((4, 4), dtype=bool))
    seen = shown[top:top + len(dots), left:left + len(dots)]
    assert np.array_equal(seen > 127, dots)


def test_the_same_faces_make_the_same_bytes():
    assert printed(a_face("张三"), a_face("李四")) == printed(a_face("张三"), a_face("李四"))


def test_a_photo_goes_into_the_document_as_it_is_and_only_once():
    face = a_face()
    assert printed(face, face).count(face.photo.jpeg) == 1


def test_only_the_red_card_carries_dots_for_the_embosser():
    assert b"/Separation /Braille" in printed(a_face(kind="red"))
    assert b"/Separation /Braille" not in printed(a_face(kind="blue"))


def test_a_character_that_no_font_draws_is_named_and_never_boxed():
    artist = faces.Artist(faces.layout_for("disability-placeholder"), faces.fonts())
    assert artist.fault(a_face("ལྷ་མོ").texts).startswith("glyph-missing U+0F63")
    assert artist.fault(a_face("𠮷㛃").texts) == ""
    assert faces.coverage(["田野", "𠮷", "\ue000"]) == [[], [], ["U+E000"]]
    with pytest.raises(ValueError, match=r"U\+0F63"):
        printed(a_face("ལ"))


def test_each_character_is_asked_of_one_font_after_another():
    stack = faces.fonts()
    pieces = [(font.fontName, text) for font, text in stack.runs("李𠮷㛃明")]
    assert pieces == [("NotoSansSC-Regular", "李"), ("HanaMinB" if stack.fonts[1:] else "", "𠮷"),
                      ("NotoSansSC-Regular", "㛃明")] or pieces[1][0].startswith("HanaMin")


def test_a_short_name_keeps_its_size_and_stands_on_one_line():
    [line] = fit(faces.fonts(), slot("name"), "田野")
    assert (line.text, line.size, line.y) == ("田野", slot("name").size, slot("name").y)


def test_a_long_name_is_broken_after_its_dots_and_nothing_is_cut():
    lines = fit(faces.fonts(), slot("name"), LONG)
    assert [line.text for line in lines] == ["阿卜杜热合曼·", "麦麦提依明·买买提吐尔逊"]
    assert all(line.width <= slot("name").width + 1e-6 for line in lines)


def test_a_text_that_does_not_fit_at_its_least_size_is_refused():
    with pytest.raises(DoesNotFit):
        fit(faces.fonts(), slot("name"), "很" * 90)
    artist = faces.Artist(faces.layout_for("disability-placeholder"), faces.fonts())
    assert artist.fault(a_face("很" * 90).texts) == "text-too-long name"


def test_the_constant_text_of_both_sides_stays_on_the_card():
    layout = faces.layout_for("disability-placeholder")
    for shape in (*layout.front.shapes, *layout.back.shapes):
        if shape.kind == "text":
            line = TypeLine(shape.x, shape.y, shape.text, shape.size, "", shape.spacing)
            line = place(faces.fonts(), line, shape.align)
            assert line.x >= 3 and line.x + line.width <= layout.width - 3, shape.text


def test_the_braille_says_disability_certificate():
    cells = faces.layout_for("disability-placeholder").front.braille.cells
    assert cells == "⠉⠧⠂" "⠛⠊⠂" "⠚⠴⠂" "⠌⠼⠆"  # cán jí rén zhèng, GB/T 15720-2008
    assert braille.dots("⠉⠆", 10, 20) == [(10, 20), (12.5, 20), (16, 22.5), (16, 25)]


@pytest.mark.parametrize("spoil", [
    lambda data: data[: len(data) // 3], lambda data: b"", lambda data: b"GIF89a" + data])
def test_a_photo_that_was_cut_or_is_none_is_refused(spoil):
    with pytest.raises(photos.BadPhoto):
        photos.ready(spoil(portraits.make_photo()))


def test_whatever_was_changed_in_its_headers_a_photo_is_printable_or_refused():
    whole, dice = portraits.make_photo(), random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(700)] = dice.randrange(256)
        data = data[:dice.choice((700, len(data)))] + dice.choice((b"", b"\xff\xd9"))
        try:
            made = photos.ready(bytes(data))
        except photos.BadPhoto:
            continue
        assert made.jpeg.startswith(b"\xff\xd8") and 0 < max(made.width, made.height) <= photos.LONGEST_SIDE


@pytest.mark.parametrize(("mode", "options"), [("L", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0})])
def test_a_plain_jpeg_of_any_make_passes_as_it_is(mode, options):
    out = io.BytesIO()
    Image.new(mode, (358, 441)).save(out, "JPEG", **options)
    made = photos.ready(out.getvalue())
    assert (made.jpeg, made.width, made.height, made.grey) == (out.getvalue(), 358, 441, mode == "L")


def test_a_photo_with_too_many_pixels_is_refused_before_it_is_decoded():
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(photos.BadPhoto):
        photos.ready(out.getvalue())


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("RGBA", "PNG"), ("RGB", "JPEG")])
def test_a_large_or_unusual_photo_becomes_a_small_plain_one(mode, kind):
    out = io.BytesIO()
    Image.new(mode, (1500, 1900)).save(out, kind)
    made = photos.ready(out.getvalue())
    with Image.open(io.BytesIO(made.jpeg)) as shown:
        assert (shown.mode, shown.format, max(shown.size)) == ("RGB", "JPEG", 700)


def test_camera_data_does_not_reach_the_card_maker():
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (300, 400)).save(out, "JPEG", exif=exif)
    assert b"taken at home" in out.getvalue() and b"taken at home" not in photos.ready(out.getvalue()).jpeg


def test_the_preview_is_a_sound_picture_marked_as_a_sample():
    layout = faces.layout_for("disability-placeholder")
    shown = faces.preview(a_face("<田&野>"), layout=layout, raised=True)
    for side in shown:
        root = ElementTree.fromstring(side)
        assert root.tag.endswith("svg") and "样张" in "".join(root.itertext())
    assert "<田&野>" in "".join(ElementTree.fromstring(shown.front).itertext())


def test_a_preview_shows_nobodys_code():
    layout = faces.layout_for("disability-placeholder")
    own = faces.preview(a_face(), layout=layout, raised=False)
    other = faces.Face("blue", a_face().texts, a_face().photo, qr.to_text(b"other", "https://card.example"))
    assert own == faces.preview(other, layout=layout, raised=False)


def test_an_issuer_of_a_district_is_named_with_its_city():
    layout = faces.layout_for("disability-placeholder")
    assert layout.issuer("岳麓区", "长沙市").replace("\u200b", "") == "长沙市岳麓区残疾人联合会"
    assert layout.issuer("浏阳市", "长沙市").replace("\u200b", "") == "浏阳市残疾人联合会"
    assert layout.issuer("长沙高新区", "长沙市").replace("\u200b", "") == "长沙高新区残疾人联合会"


@pytest.mark.parametrize(("old", "new", "code"), [
    ("format = 1", "format = 2", "unknown-format"),
    ('date = "', 'dates = "', "missing"),
    ('id = "disability', 'colour = "x"\nid = "disability', "unknown-name"),
    ("min_size = 4.25", "min_size = 40", "bad-size"),
    ("min_size = 4.25", "", "missing"),
    ("min_size = 4.25", 'min_size = "4"', "bad-type"),
    ('kind = "rosette"', 'kind = "heart"', "unknown-shape"),
    ('deep = "#8E1B24"', 'deep = "red"', "bad-colour"),
    ('name = "serial"', 'name = "secret"', "bad-slot"),
    ('colour = "soft"', 'colour = "loud"', "unknown-colour-or-align"),
    ("⠉", "c", "bad-braille"),
])
def test_a_broken_layout_names_its_fault_and_its_field(tmp_path, old, new, code):
    text = PATH.read_text()
    assert old in text
    (tmp_path / "face.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(LayoutBroken, match=f"face.toml.*{code}"):
        layouts.load(tmp_path / "face.toml")


def test_a_profile_without_a_face_is_named():
    with pytest.raises(LookupError, match="no-such-profile"):
        faces.layout_for("no-such-profile")


def test_every_layout_belongs_to_a_card_profile_that_is_there():
    for path in PATH.parent.glob("*.toml"):
        for profile in tomllib.loads(path.read_text())["profiles"]:
            assert (Path(settings.DATA) / "profiles" / f"{profile}.toml").is_file()
