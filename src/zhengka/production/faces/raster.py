"""One side as a picture of whole dots (PNG, JPEG) for card printers that take no PDF: the layout drawn by Pillow.

Constant art is drawn fine and made small once for a kind of card; what is one card's own is set at the printer's own
resolution, glyph by glyph where the PDF has it. The code's modules are whole dots, as everywhere.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont, ImageOps

from zhengka.formats import qr
from zhengka.formats.qr import Modules
from zhengka.production.faces.braille import DIAMETER
from zhengka.production.faces.drawing import Artist, Face
from zhengka.production.faces.fitting import Line
from zhengka.production.faces.fonts import FontStack, fonts
from zhengka.production.faces.layout import DOT, POINT, Layout, Side
from zhengka.production.faces.pdf import DOTS_PER_MODULE, snapped
from zhengka.production.faces.photos import Photo
from zhengka.production.faces.surface import Box, Point

BASE: Final = 300
"""Dots per inch of the grid on which everything lies; 600 dpi has each of its dots twice."""
FINE: Final = 1200
"""Dots per inch at which constant art is drawn before it is made small."""
FORMS: Final = ("png", "jpeg")
RESOLUTIONS: Final = (300, 600)
TOGETHER: Final = 50
"""Faces whose codes are drawn together."""
_GREY: Final = (184, 184, 184)
"""How raised dots look on a screen: as the PDF shows its spot colour."""
_HEAVY, _HEAVIER = 0.028, 0.05
_QUARTERS: Final = 4
"""Glyphs are set to quarters of a dot."""


class Pictures(NamedTuple):
    """Both sides of a card as files, and the mask of its Braille (black: a raised dot) where its kind has some."""

    front: bytes
    back: bytes
    braille: bytes


class Plate(NamedTuple):
    """How a printer wants its pictures (制卡图片规格): `form` png or jpeg, dots per inch."""

    form: str
    dpi: int

    @property
    def word(self) -> str:
        """As a maker's row names it: `png-300`."""
        return f"{self.form}-{self.dpi}"

    @property
    def suffix(self) -> str:
        """What the files are called."""
        return "jpg" if self.form == "jpeg" else "png"


def plate(word: str) -> Plate:
    """`Plate` by its word; ValueError for one that nobody draws."""
    form, _, dpi = word.partition("-")
    if form not in FORMS or dpi not in {str(each) for each in RESOLUTIONS}:
        raise ValueError(f"no such pictures: {word}")
    return Plate(form, int(dpi))


def size_of(layout: Layout, dpi: int) -> tuple[int, int]:
    """Width and height of a side in dots: an ID-1 card has 1011 × 638 at 300 dpi and 2022 × 1276 at 600."""
    times = dpi // BASE
    return round(layout.width / DOT) * times, round(layout.height / DOT) * times


def print_pictures(faces: Iterable[Face], raised: frozenset[str], *, layout: Layout, plate: Plate
                   ) -> Iterator[Pictures]:
    """The faces one after another; only a few are ever in memory. `raised`: kinds with Braille."""
    artist, waiting = Artist(layout, fonts()), iter(faces)
    grounds, mask = _Grounds(artist, plate.dpi), braille_mask(layout, plate.dpi)
    while group := [face for _, face in zip(range(TOGETHER), waiting, strict=False)]:
        for face, code in zip(group, qr.modules_many([face.qr for face in group]), strict=True):
            front, back = (_encoded(grounds.with_own(side, face, code), plate) for side in (layout.front, layout.back))
            yield Pictures(front, back, mask if face.kind in raised else b"")


def picture(face: Face, *, layout: Layout, dpi: int, raised: bool, code: Modules) -> Image.Image:
    """The front as the eye sees it, with its raised dots in grey where it has some."""
    grounds = _Grounds(Artist(layout, fonts()), dpi)
    shown = grounds.with_own(layout.front, face, code)
    if raised and layout.front.braille:
        mask = Image.open(io.BytesIO(braille_mask(layout, dpi))).convert("L")
        shown.paste(_GREY, mask=ImageOps.invert(mask))
    return shown


def braille_mask(layout: Layout, dpi: int) -> bytes:
    """A black and white PNG of the card's size: black where the embosser raises a dot, on no other layer."""
    width, height = size_of(layout, dpi)
    times = FINE // dpi
    surface = RasterSurface(Image.new("RGB", (width * times, height * times), "white"), fonts(), FINE)
    if layout.front.braille:
        Artist(layout, fonts()).dots(surface, layout.front.braille)
    out, small = io.BytesIO(), surface.image.convert("L").resize((width, height), Image.Resampling.BOX)
    small.point(lambda level: 255 if level > 127 else 0, "1").save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


class _Grounds:
    """The constant art of each kind and side, drawn once."""

    def __init__(self, artist: Artist, dpi: int) -> None:
        self._artist, self._dpi, self._drawn = artist, dpi, dict[tuple[int, str], Image.Image]()
        self._sheet = Image.new("RGB", size_of(artist.layout, dpi))

    def with_own(self, side: Side, face: Face, code: Modules) -> Image.Image:
        """A side with what is one card's own on it, until the next one is asked for: all are drawn on one sheet."""
        self._sheet.paste(self._ground(side, face.kind))
        surface = RasterSurface(self._sheet, self._artist.stack, self._dpi)
        self._artist.own(surface, side, face, code)
        return surface.image

    def _ground(self, side: Side, kind: str) -> Image.Image:
        key = (id(side), kind)
        if key not in self._drawn:
            width, height = size_of(self._artist.layout, self._dpi)
            times = FINE // self._dpi
            fine = RasterSurface(Image.new("RGB", (width * times, height * times), "white"), self._artist.stack, FINE)
            self._artist.art(fine, side, kind, raised=False)
            self._drawn[key] = fine.image.resize((width, height), Image.Resampling.BOX)
        return self._drawn[key]


def _encoded(image: Image.Image, plate: Plate) -> bytes:
    out = io.BytesIO()
    if plate.form == "png":
        image.save(out, "PNG", compress_level=1, dpi=(plate.dpi, plate.dpi))
    else:
        image.save(out, "JPEG", quality=92, subsampling=0, dpi=(plate.dpi, plate.dpi))
    return out.getvalue()


class RasterSurface:
    """One side as an RGB picture at `dpi` dots per inch."""

    def __init__(self, image: Image.Image, stack: FontStack, dpi: int) -> None:
        self.image, self._stack, self._dot = image, stack, 25.4 / dpi
        self._draw = ImageDraw.Draw(image)

    def _at(self, *lengths: float) -> list[float]:
        """Millimetres in dots."""
        return [length / self._dot for length in lengths]

    def _edges(self, box: Box) -> tuple[int, int, int, int]:
        """First and last dots of a box; what ends with the card fills the last dot of the grid."""
        left, top, right, bottom = (round(edge) for edge in self._at(
            box.x, box.y, box.x + box.width, box.y + box.height))
        dot = round(DOT / self._dot)
        right = self.image.width if self.image.width - right < dot else right
        bottom = self.image.height if self.image.height - bottom < dot else bottom
        return left, top, max(right - 1, left), max(bottom - 1, top)

    def fill(self, box: Box, colour: str, radius: float = 0.0) -> None:
        """See `Surface.fill`."""
        self._draw.rounded_rectangle(self._edges(box), radius / self._dot, fill=colour)

    def gradient(self, box: Box, start: str, end: str) -> None:
        """See `Surface.gradient`."""
        left, top, right, bottom = self._edges(box)
        share = np.linspace(0, 1, bottom - top + 1)[:, None]
        first, last = (np.array(ImageColor.getrgb(colour)) for colour in (start, end))
        rows = np.rint(first + (last - first) * share).astype(np.uint8)[:, None, :]
        self.image.paste(Image.fromarray(np.repeat(rows, right - left + 1, axis=1)), (left, top))

    def strokes(self, paths: Sequence[Sequence[Point]], colour: str, width: float) -> None:
        """See `Surface.strokes`."""
        for path in paths:
            self._draw.line([(x / self._dot, y / self._dot) for x, y in path], colour,
                            max(round(width / self._dot), 1), joint="curve")

    def area(self, rings: Sequence[Sequence[Point]], colour: str) -> None:
        """See `Surface.area`."""
        mask = Image.new("1", self.image.size)
        for ring in rings:
            one = Image.new("1", self.image.size)
            ImageDraw.Draw(one).polygon([(x / self._dot, y / self._dot) for x, y in ring], fill=1)
            mask = ImageChops.logical_xor(mask, one)
        self.image.paste(ImageColor.getrgb(colour), (0, 0), mask)

    def text(self, line: Line) -> None:
        """See `Surface.text`."""
        left, top = (round(place * _QUARTERS) for place in self._at(line.x, line.y))
        style = _Style(line.size * POINT / self._dot, line.spacing * POINT / self._dot, line.bold)
        mask, right, down = _set(self._stack, line.text, style, left % _QUARTERS, top % _QUARTERS)
        self.image.paste(ImageColor.getrgb(line.colour), (left // _QUARTERS + right, top // _QUARTERS + down), mask)

    def photo(self, box: Box, photo: Photo) -> None:
        """See `Surface.photo`."""
        left, top, right, bottom = self._edges(box)
        with Image.open(io.BytesIO(photo.jpeg), formats=("JPEG",)) as shown:
            whole = shown if shown.mode == "RGB" else shown.convert("RGB")
            fitted = ImageOps.fit(whole, (right - left + 1, bottom - top + 1))
        self.image.paste(fitted, (left, top))

    def modules(self, x: float, y: float, square: Modules) -> None:
        """See `Surface.modules`."""
        times = round(DOT / self._dot)
        edge = DOTS_PER_MODULE * times
        left, top = (round(snapped(place) / DOT) * times for place in (x, y))
        black = Image.fromarray(np.where(square, 255, 0).astype(np.uint8)).resize(
            (len(square) * edge, len(square) * edge), Image.Resampling.NEAREST)
        self.image.paste((0, 0, 0), (left, top), black)

    def dots(self, points: Sequence[Point], diameter: float = DIAMETER) -> None:
        """See `Surface.dots`."""
        half = diameter / 2
        for x, y in points:
            left, top, right, bottom = self._at(x - half, y - half, x + half, y + half)
            self._draw.ellipse((left, top, right - 1, bottom - 1), fill=(0, 0, 0))


class _Style(NamedTuple):
    """How a line is set: size of its glyphs and what lies between them, both in dots."""

    size: float
    spacing: float
    bold: bool


@lru_cache(1024)
def _set(stack: FontStack, text: str, style: _Style, right: int, down: int) -> tuple[Image.Image, int, int]:
    """A line whose origin lies so many quarters of a dot right of and below a dot, as one mask, and where that begins.
    Issuer, category and dates are those of many cards: they are set once.
    """
    placed, x = [], 0.0
    for font, run in stack.runs(text):
        heavy = (_HEAVY if font is stack.fonts[0] else _HEAVIER) * style.size / 2 if style.bold else 0
        for character in run:
            at = right + round(x * _QUARTERS)
            mask, left, top = _drawn(_Glyph(font.face.filename, style.size, heavy, character), at % _QUARTERS, down)
            placed.append((mask, at // _QUARTERS + left, top))
            x += stack.width(character, style.size) + style.spacing
    first, top = min((left for _, left, _ in placed), default=0), min((top for *_, top in placed), default=0)
    end = max((left + mask.width for mask, left, _ in placed), default=1)
    bottom = max((top + mask.height for mask, _, top in placed), default=1)
    line = Image.new("L", (end - first, bottom - top))
    for mask, left, above in placed:
        line.paste(255, (left - first, above - top), mask)
    return line, first, top


class _Glyph(NamedTuple):
    """A character in a font file at a size and with a stroke around it, both in dots."""

    path: Any
    size: float
    heavy: float
    character: str


@lru_cache(8192)
def _drawn(glyph: _Glyph, right: int, down: int) -> tuple[Image.Image, int, int]:
    """A glyph whose origin lies so many quarters of a dot right of and below a dot, and where its mask begins; digits
    and what many cards share are drawn once.
    """
    font = _font(glyph.path, glyph.size)
    left, top, end, bottom = font.getbbox(glyph.character, anchor="ls", stroke_width=glyph.heavy)
    left, top = math.floor(left) - 1, math.floor(top) - 1
    mask = Image.new("L", (max(math.ceil(end) - left + 2, 1), max(math.ceil(bottom) - top + 2, 1)))
    ImageDraw.Draw(mask).text((right / _QUARTERS - left, down / _QUARTERS - top), glyph.character, 255, font, "ls",
                              stroke_width=glyph.heavy)
    return mask, left, top


@cache
def _font(path: Any, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
