"""Marks as SVG: filled areas that look the same on every surface; whatever else a drawing holds is refused by name."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image, ImageColor

from zhengka.production.faces import Layout, checking, fonts
from zhengka.production.faces.art import ArtBroken, read
from zhengka.production.faces.drawing import Artist
from zhengka.production.faces.layout import LayoutBroken
from zhengka.production.faces.raster import RasterSurface
from zhengka.production.faces.svg import SvgSurface

FACES = Path(settings.DATA) / "faces"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 40">'
RING = '<path fill="#0A5C36" fill-rule="evenodd" d="M0 0h40v40H0ZM10 10 30,10 30 30 10 30z"/>'
DOT = '<title>占位</title><circle cx="20" cy="20" r="5" fill="#cc0000"/>'


def drawn(tmp_path: Path, *shapes: str, head: str = HEAD) -> Path:
    path = tmp_path / "mark.svg"
    path.write_text(f"{head}{''.join(shapes)}</svg>")
    return path


def template(tmp_path: Path, word: str = "mark.svg") -> Layout:
    """The city's template with the scheme's mark (17 × 4 mm) out of a drawing."""
    text = (FACES / "city-pass.toml").read_text()
    text, found = re.subn(
        r"(\[\[marks\.scheme\.shapes\]\]\n(?:.+\n)+\n?)+", f'[marks.scheme]\nsvg = "{word}"\n\n', text)
    assert found == 1
    (tmp_path / "face.toml").write_text(text)
    return checking.load(tmp_path / "face.toml")


def test_a_drawing_is_printed_as_large_as_its_box_lets_it_be_with_its_holes_and_colours(tmp_path):
    drawn(tmp_path, RING, DOT)
    layout = template(tmp_path)
    [mark] = [mark for mark in layout.front.marks if mark.partner == "scheme"]
    assert [(shape.kind, shape.colour) for shape in mark.shapes] == [("area", "#0A5C36"), ("area", "#CC0000")]
    artist, dpi = Artist(layout, fonts()), 600
    sheet = Image.new("RGB", (round(layout.width / 25.4 * dpi), round(layout.height / 25.4 * dpi)), "white")
    artist.art(RasterSurface(sheet, artist.stack, dpi), layout.front, "blue", raised=False)

    def at(x: float, y: float) -> tuple[int, int, int]:
        """The colour at a place of the drawing, which is 4 mm high in the middle of a box 17 mm wide."""
        left, top = mark.x + (17 - 4) / 2 + x / 10, mark.y + y / 10
        return sheet.getpixel((round(left / 25.4 * dpi), round(top / 25.4 * dpi)))
    green, red = ImageColor.getrgb("#0A5C36"), ImageColor.getrgb("#CC0000")
    assert (at(5, 20), at(20, 5), at(35, 20), at(20, 20)) == (green, green, green, red)
    assert at(12, 12) not in (green, red) and at(-2, 20) != green, "a hole, and what is beside it, are the ground"
    surface = SvgSurface(layout.width, layout.height)
    artist.art(surface, layout.front, "blue", raised=False)
    assert surface.svg("x").count('fill-rule="evenodd"') == 2


def test_curves_go_through_their_ends_and_stay_between_their_handles(tmp_path):
    path = 'M0,20 C0 10 10 0 20 0 S40 10 40 20 q0 20-20 20 T0 20z'
    art = read(drawn(tmp_path, f'<path fill="#000000" fill-rule="evenodd" d="{path}"/>'))
    [[_, [ring]]] = art.areas
    assert {(0, 20), (20, 0), (40, 20), (20, 40)} <= {(round(x, 6), round(y, 6)) for x, y in ring}
    assert all(0 <= x <= 40 and 0 <= y <= 40 for x, y in ring) and len(ring) == 1 + 4 * 12


@pytest.mark.parametrize(("shapes", "says"), [
    (["<script>alert(1)</script>"], "script: svg-element"),
    (['<image href="https://example.org/x.png"/>'], "image: svg-element"),
    (['<g transform="scale(2)"><rect width="4" height="4" fill="#000000"/></g>'], "g: svg-element"),
    (['<use href="#a"/>'], "use: svg-element"),
    (['<text>标</text>'], "text: svg-element"),
    ([RING, '<rect width="4" height="4" fill="#000000" onclick="x()"/>'], "rect: onclick: svg-attribute"),
    (['<rect width="4" height="4" fill="#000000" xlink:href="x"/>'], "rect: href: svg-attribute"),
    (['<rect width="4" height="4" fill="#000000" style="fill:red"/>'], "rect: style: svg-attribute"),
    (['<rect width="4" height="4" fill="#000000" transform="rotate(9)"/>'], "rect: transform: svg-attribute"),
    (['<rect width="4" height="4" fill="url(#g)"/>'], "rect: url.#g.: svg-colour"),
    (['<rect width="4" height="4"/>'], "rect: : svg-colour"),
    (['<path fill="#000000" d="M0 0h4v4z"/>'], "path: svg-fill-rule"),
    (['<path fill="#000000" fill-rule="evenodd" d="M0 0A4 4 0 0 1 8 8z"/>'], "path: A4 4 0 0 1 8: svg-shape"),
    (['<path fill="#000000" fill-rule="evenodd" d="M0 0h4v4zh4"/>'], "path: h: svg-shape"),
    (['<path fill="#000000" fill-rule="evenodd" d="M0 0 4"/>'], "path: svg-shape"),
    (['<path fill="#000000" fill-rule="evenodd" d="M0 0 4 4"/>'], "path: svg-shape"),
    (['<circle cx="4" cy="4" r="-1" fill="#000000"/>'], "circle: svg-shape"),
    (['<rect x="38" width="4" height="4" fill="#000000"/>'], "svg-outside"),
    ([], "svg-shape"),
    ([f"<!-- {'x' * 70_000} -->"], "svg-large"),
    (["<rect"], "svg-broken"),
])
def test_what_is_no_filled_area_is_refused_by_its_name(tmp_path, shapes, says):
    drawn(tmp_path, *shapes)
    with pytest.raises(LayoutBroken, match=f"face.toml: marks: scheme: .*{says}"):
        template(tmp_path)


@pytest.mark.parametrize("head", [
    '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + HEAD, HEAD.replace(' viewBox="0 0 40 40"', ""),
    HEAD.replace("0 0 40 40", "0 0 0 40")])
def test_a_drawing_with_entities_or_without_a_size_is_refused(tmp_path, head):
    with pytest.raises(ArtBroken, match=r"svg-(broken|shape)"):
        read(drawn(tmp_path, RING, head=head))


@pytest.mark.parametrize("word", ["other.svg", "../mark.svg", "/tmp/mark.svg"])
def test_a_drawing_lies_beside_its_template_and_nowhere_else(tmp_path, word):
    drawn(tmp_path, RING)
    with pytest.raises(LayoutBroken, match=r"svg-missing|svg: bad-type"):
        template(tmp_path, word)
