"""Faces as documents: a chunk for the card maker, a proof sheet for the eye, a preview for the page."""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from django.conf import settings
from PIL import Image, ImageDraw

from zhengka.formats import qr
from zhengka.production.faces import checking
from zhengka.production.faces import layout as layouts
from zhengka.production.faces.drawing import Artist, Face
from zhengka.production.faces.fitting import Line, place
from zhengka.production.faces.fonts import FontStack, fonts
from zhengka.production.faces.layout import POINT, Layout, Side
from zhengka.production.faces.pdf import Inner, PdfSurface, end_form, end_page, new_canvas
from zhengka.production.faces.photos import Photo
from zhengka.production.faces.svg import SvgSurface

A4: Final = (210.0, 297.0)
SAMPLE: Final = "样张"
"""Printed across what is no card."""
SAMPLE_QR: Final = "HTTPS://SAMPLE.INVALID/V/1000"
"""The code on previews and proofs: nobody signed it, every verifier refuses it (I5, T27)."""
TOGETHER: Final = 100
"""Faces whose codes are drawn together."""
_COLUMNS, _ROWS = 2, 4
_GAP: Final = (8.0, 6.0)
_ORIGIN: Final = (15.4, 34.0)


class Preview(NamedTuple):
    """Both sides of a card as SVG pictures."""

    front: str
    back: str


@cache
def layout_for(profile: str) -> Layout:
    """The face layout that says it belongs to a card profile; LookupError where none does."""
    found = [layout for path in sorted((Path(settings.DATA) / "faces").glob("*.toml"))
             if profile in (layout := checking.load(path)).profiles]
    if len(found) != 1:
        raise LookupError(f"{len(found)} face layouts belong to the card profile {profile}")
    return found[0]


def templates() -> list[Layout | layouts.LayoutBroken]:
    """Every template of this installation, or why it was refused, by the names of the files."""
    found: list[Layout | layouts.LayoutBroken] = []
    for path in sorted((Path(settings.DATA) / "faces").glob("*.toml")):
        try:
            found.append(checking.load(path))
        except layouts.LayoutBroken as broken:
            found.append(broken)
    return found


def print_faces(faces: Iterable[Face], raised: frozenset[str], *, layout: Layout, out: BinaryIO) -> int:
    """Write one PDF with two pages per card, front and back; the number of cards. `raised`: kinds with Braille."""
    artist, canvas = Artist(layout, fonts()), new_canvas(out, layout.width, layout.height, fonts())
    surface, waiting, count = PdfSurface(canvas, artist.stack, layout.height), iter(faces), 0
    while group := list(islice(waiting, TOGETHER)):
        for face, code in zip(group, qr.modules_many([face.qr for face in group]), strict=True):
            for name, side in (("front", layout.front), ("back", layout.back)):
                _place_art(canvas, artist, side, name, face.kind, face.kind in raised)
                artist.own(surface, side, face, code)
                end_page(canvas)
        count += len(group)
    canvas.save()
    return count


def preview(face: Face, *, layout: Layout, raised: bool) -> Preview:
    """Both sides for the page, marked as a sample; the code is nobody's."""
    artist, sample, sides = Artist(layout, fonts()), qr.modules(SAMPLE_QR), []
    for title, side in (("残疾人证 正面 样张", layout.front), ("残疾人证 背面 样张", layout.back)):
        surface = SvgSurface(layout.width, layout.height)
        artist.art(surface, side, face.kind, raised=raised)
        artist.own(surface, side, face, sample)
        surface.text(_mark(artist.stack, layout))
        sides.append(surface.svg(title))
    return Preview(*sides)


def proof_sheet(faces: Iterable[Face], raised: frozenset[str], *, layout: Layout, heading: Sequence[str],
                out: BinaryIO) -> int:
    """Write an A4 PDF for proofreading (校样): heading lines and eight fronts on each page; the number of fronts."""
    artist, canvas, sample = Artist(layout, fonts()), new_canvas(out, *A4, fonts()), qr.modules(SAMPLE_QR)
    page, surface, count = (PdfSurface(canvas, artist.stack, A4[1]),
                            PdfSurface(canvas, artist.stack, layout.height), 0)
    _heading(page, artist.stack, heading)
    for face in faces:
        if count and count % (_COLUMNS * _ROWS) == 0:
            canvas.showPage()
            _heading(page, artist.stack, heading)
        column, row = count % _COLUMNS, count // _COLUMNS % _ROWS
        canvas.saveState()
        canvas.translate((_ORIGIN[0] + column * (layout.width + _GAP[0])) / POINT,
                         (A4[1] - _ORIGIN[1] - layout.height - row * (layout.height + _GAP[1])) / POINT)
        _place_art(canvas, artist, layout.front, "front", face.kind, face.kind in raised)
        artist.own(surface, layout.front, face, sample)
        surface.text(_mark(artist.stack, layout))
        canvas.restoreState()
        count += 1
    canvas.showPage()
    canvas.save()
    return count


def sample_photo() -> Photo:
    """A grey figure in place of a photo that is missing, for previews only."""
    picture = Image.new("L", (200, 260), 225)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 50, 140, 145), fill=160)
    draw.ellipse((20, 165, 180, 360), fill=160)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return Photo(out.getvalue(), 200, 260, grey=True)


def _place_art(canvas: Inner, artist: Artist, side: Side, name: str, kind: str, raised: bool) -> None:
    """Put the constant art of a kind, made into a form when first asked for."""
    form = f"{name}-{kind}"
    if not canvas.hasForm(form):
        canvas.beginForm(form, 0, 0, artist.layout.width / POINT, artist.layout.height / POINT)
        artist.art(PdfSurface(canvas, artist.stack, artist.layout.height), side, kind, raised=raised)
        end_form(canvas)
    canvas.doForm(form)


def _mark(stack: FontStack, layout: Layout) -> Line:
    line = Line(layout.width * 0.845, layout.height * 0.50, SAMPLE, 21.0, "#C8102E", 6.0, bold=True)
    return place(stack, line, "centre")


def _heading(surface: PdfSurface, stack: FontStack, lines: Sequence[str]) -> None:
    for n, text in enumerate(lines):
        surface.text(place(stack, Line(_ORIGIN[0], 14.0 + 5.0 * n, text, 9.0 if n else 13.0, "#231815", bold=not n),
                           "left"))
