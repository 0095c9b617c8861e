"""Faces as pictures (PNG, JPEG) at 300 and 600 dpi: dot by dot what the PDF shows, and the Braille apart."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from django.conf import settings
from PIL import Image

import portraits
from zhengka.formats import qr
from zhengka.production import faces
from zhengka.production.faces import braille, checking, raster
from zhengka.production.faces.layout import DOT

PAYLOAD = bytes([0x11]) + bytes(range(1, 103))
RED, BLUE = "red", "blue"
LAYOUTS = {path.stem: checking.load(path) for path in (Path(settings.DATA) / "faces").glob("*.toml")}
PLAIN = LAYOUTS["disability-2018"]


def a_face(layout: faces.Layout = PLAIN, *, kind: str = BLUE, name: str = "田野") -> faces.Face:
    texts = {"name": name, "number": "43990119600101001X42B1", "category": "视力残疾 二级",
             "valid_until": "2036年11月20日", "issuer": layout.issuer("岳麓区", "长沙市"),
             "serial": "4301 0400 0000 0017"}
    texts |= {f"partner.{code}": layout.partners[code].example for code in layout.numbers}
    return faces.Face(kind, texts, faces.ready(portraits.make_photo()), qr.to_text(PAYLOAD, "https://card.example"))


def pictures(face: faces.Face, word: str = "png-300", layout: faces.Layout = PLAIN) -> faces.Pictures:
    [found] = faces.print_pictures([face], frozenset({RED}), layout=layout, plate=faces.plate(word))
    return found


def dots(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode)).astype(int)


def of_pdf(face: faces.Face, layout: faces.Layout, page: int, dpi: int) -> np.ndarray:
    out = io.BytesIO()
    faces.print_faces([face], frozenset(), layout=layout, out=out)
    shown = subprocess.run(["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), "-"], input=out.getvalue(),
                           capture_output=True, check=True).stdout
    return dots(shown)


@pytest.mark.parametrize(("word", "size"), [
    ("png-300", (1011, 638)), ("jpeg-300", (1011, 638)), ("png-600", (2022, 1276)), ("jpeg-600", (2022, 1276))])
def test_a_picture_is_of_the_form_and_size_that_the_printer_asks_for_and_says_its_resolution(word, size):
    plate = faces.plate(word)
    for side in pictures(a_face(), word)[:2]:
        with Image.open(io.BytesIO(side)) as shown:
            assert (shown.format.lower(), shown.size) == (plate.form, size)
            assert [round(each) for each in shown.info["dpi"]] == [plate.dpi] * 2


def test_pictures_that_nobody_draws_are_refused_by_name():
    for word in ("", "gif-300", "png-72", "png"):
        with pytest.raises(ValueError, match="no such pictures"):
            faces.plate(word)


@pytest.mark.parametrize(("kind", "strong", "weak"), [(RED, 0, 2), (BLUE, 2, 0)])
def test_the_head_of_the_card_is_red_for_sight_and_blue_for_the_others(kind, strong, weak):
    head = dots(pictures(a_face(kind=kind)).front)[10:100, 10:150].reshape(-1, 3)
    assert (head[:, strong] - head[:, weak]).min() > 60


def test_raised_dots_lie_on_a_layer_of_their_own_at_the_places_of_the_template_and_nowhere_else():
    found, slot = pictures(a_face(kind=RED)), PLAIN.front.braille
    layer = dots(found.braille, "L")
    assert set(np.unique(layer)) == {0, 255}
    expected = np.full(layer.shape, 255)
    places = braille.dots(slot.cells, slot.x, slot.y)
    rows, columns = np.mgrid[:layer.shape[0], :layer.shape[1]]
    for x, y in places:
        assert layer[round(y / DOT), round(x / DOT)] == 0
        expected[np.hypot(columns + 0.5 - x / DOT, rows + 0.5 - y / DOT) <= braille.DIAMETER / 2 / DOT + 1] = 0
    assert not ((layer == 0) & (expected == 255)).any(), "ink beyond a dot"
    inked = (layer == 0).sum() / len(places)
    assert inked == pytest.approx(np.pi * (braille.DIAMETER / 2 / DOT) ** 2, rel=0.06)
    assert pictures(a_face(kind=BLUE)).braille == b""


def test_the_front_that_is_printed_shows_no_dot_and_the_picture_for_the_eye_shows_each():
    face, slot = a_face(kind=RED), PLAIN.front.braille
    x, y = braille.dots(slot.cells, slot.x, slot.y)[0]
    shown = raster.picture(face, layout=PLAIN, dpi=300, raised=True, code=qr.modules(face.qr))
    at = (round(x / DOT), round(y / DOT))
    assert shown.getpixel(at) == (184, 184, 184)
    assert dots(pictures(face).front)[at[1], at[0]].min() > 200


@pytest.mark.parametrize("word", ["png-300", "png-600", "jpeg-300"])
def test_the_code_can_be_read_from_the_picture_and_its_modules_are_whole_dots(word):
    front = pictures(a_face(), word).front
    assert [qr.from_text(text) for text in qr.read_image(front)] == [PAYLOAD]
    times = faces.plate(word).dpi // 300
    left, top = (round((place + 16 * DOT) / DOT) * times for place in (PLAIN.front.qr.x, PLAIN.front.qr.y))
    square = np.kron(~qr.modules(qr.to_text(PAYLOAD, "https://card.example")), np.ones((4 * times,) * 2, bool))
    seen = dots(front, "L")[top:top + len(square), left:left + len(square)]
    assert np.array_equal(seen > 127, square)


@pytest.mark.parametrize("stem", sorted(LAYOUTS))
@pytest.mark.parametrize("dpi", [300, 600])
def test_every_text_stands_where_the_pdf_has_it(stem, dpi):
    layout = LAYOUTS[stem]
    face = a_face(layout, name="阿卜杜热合曼·麦麦提依明·𠮷㛃")
    found = pictures(face, f"png-{dpi}", layout)
    for side, page, picture in ((layout.front, 1, found.front), (layout.back, 2, found.back)):
        ours, theirs = dots(picture), of_pdf(face, layout, page, dpi)
        for slot in side.slots:
            box = checking.room(slot)
            edges = [round(edge / 25.4 * dpi) for edge in (box.x, box.y, box.x + box.width, box.y + box.height)]
            for one, other in zip(ink(ours, edges), ink(theirs, edges), strict=True):
                assert abs(one - other) <= 2, (slot.name, ink(ours, edges), ink(theirs, edges))


def ink(shown: np.ndarray, edges: list[int]) -> tuple[int, int, int, int]:
    """The box of what is nearly black within a box."""
    left, top, right, bottom = edges
    there = shown[max(top, 0):bottom, max(left, 0):right].max(axis=2) < 105
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def test_the_picture_looks_as_the_pdf_does():
    face = a_face(kind=RED)
    ours, theirs = dots(pictures(face).front), of_pdf(face, PLAIN, 1, 300)[:638, :1011]
    blurred = [np.asarray(Image.fromarray(each.astype(np.uint8)).resize((101, 64), Image.Resampling.BOX)).astype(int)
               for each in (ours, theirs)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 3


def test_the_preview_of_the_page_has_every_text_at_the_place_and_size_of_the_picture():
    face = a_face(kind=RED)
    artist = faces.Artist(PLAIN, faces.fonts())
    told = [(float(each.get("x")), float(each.get("y")), each.text) for each in ElementTree.fromstring(
        faces.preview(face, layout=PLAIN, raised=True).front).iter("{http://www.w3.org/2000/svg}text")]
    for slot in PLAIN.front.slots:
        for line in artist.lines(slot, face.texts[slot.name]):
            assert any(abs(x - line.x) < DOT and abs(y - line.y) < DOT and text == line.text for x, y, text in told)


def test_the_same_face_makes_the_same_bytes():
    assert pictures(a_face(), "jpeg-300") == pictures(a_face(), "jpeg-300")


def test_a_character_that_no_font_draws_stops_the_picture():
    with pytest.raises(ValueError, match=r"U\+0F63"):
        pictures(a_face(name="ལ"))
