"""A face on any surface: the constant art of a kind of card, and what is one card's own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from zhengka.formats import qr
from zhengka.formats.qr import Modules
from zhengka.production.faces import braille
from zhengka.production.faces.fitting import DoesNotFit, Line, fit, place
from zhengka.production.faces.fonts import FontStack
from zhengka.production.faces.layout import BrailleSlot, Layout, Shape, Side, Slot
from zhengka.production.faces.pdf import MODULE
from zhengka.production.faces.photos import Photo
from zhengka.production.faces.surface import Box, Point, Surface

POINTS_PER_LINE = 140


@dataclass(frozen=True, slots=True)
class Face:
    """What is one card's own: `kind` names the colours, `texts` fills the slots, `qr` is the text of the code."""

    kind: str
    texts: Mapping[str, str] = field(repr=False)
    photo: Photo = field(repr=False)
    qr: str = field(repr=False)


class Artist:
    """Draws by one layout with one stack of fonts."""

    def __init__(self, layout: Layout, stack: FontStack) -> None:
        self.layout, self.stack = layout, stack
        self._fitted: dict[tuple[Slot, str], list[Line]] = {}

    def art(self, surface: Surface, side: Side, kind: str, *, raised: bool) -> None:
        """What every card of a kind has in common; `raised` adds the Braille."""
        colours = self.layout.kinds[kind]
        for shape in side.shapes:
            _DRAW[shape.kind](self, surface, shape, colours)
        for mark in side.marks:
            for shape in mark.shapes:
                _DRAW[shape.kind](self, surface, replace(shape, x=mark.x + shape.x, y=mark.y + shape.y), colours)
        if side.photo:
            box = Box(side.photo.x - 0.3, side.photo.y - 0.3, side.photo.width + 0.6, side.photo.height + 0.6)
            surface.fill(box, colours[side.photo.frame], 0.4)
        if side.qr:
            edge = (qr.CARD.side + 2 * qr.QUIET_ZONE) * MODULE
            surface.fill(Box(side.qr.x, side.qr.y, edge, edge), colours[side.qr.panel], 0.5)
        if side.braille and raised:
            self.dots(surface, side.braille)

    def dots(self, surface: Surface, slot: BrailleSlot) -> None:
        """The raised dots alone."""
        surface.dots(braille.dots(slot.cells, slot.x, slot.y), braille.DIAMETER)

    def own(self, surface: Surface, side: Side, face: Face, code: Modules) -> None:
        """What is this card's own, with the code that is given: that of `face.qr`, or one of nobody.

        Raises DoesNotFit; ValueError for a character that no font draws.
        """
        colours = self.layout.kinds[face.kind]
        for slot in side.slots:
            for line in self.lines(slot, face.texts[slot.name]):
                surface.text(line._replace(colour=colours[line.colour]))
        if side.photo:
            surface.photo(Box(side.photo.x, side.photo.y, side.photo.width, side.photo.height), face.photo)
        if side.qr:
            quiet = qr.QUIET_ZONE * MODULE
            surface.modules(side.qr.x + quiet, side.qr.y + quiet, code)

    def fault(self, texts: Mapping[str, str]) -> str:
        """Why these texts cannot be printed: "", "glyph-missing U+20BB7 …" or "text-too-long name"."""
        for slot in self.layout.slots:
            text = texts.get(slot.name, "")
            try:
                self.lines(slot, text)
            except DoesNotFit:
                return f"text-too-long {slot.name}"
            except ValueError:
                missing = self.stack.missing(text.replace("\u200b", ""))
                return f"glyph-missing {' '.join(dict.fromkeys(missing))}"
        return ""

    def printable(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The texts with those that cannot be printed left empty, for samples: what is made is held instead."""
        return {slot: text if not self.fault({slot: text}) else "" for slot, text in texts.items()}

    def lines(self, slot: Slot, text: str) -> list[Line]:
        """Fitted lines; what many cards share (issuer, category, date) is fitted once."""
        if slot.partner or slot.name in ("name", "number", "serial"):
            return fit(self.stack, slot, text)
        try:
            return self._fitted[slot, text]
        except KeyError:
            self._fitted[slot, text] = lines = fit(self.stack, slot, text)
            return lines

    def words(self, surface: Surface, shape: Shape, colours: Mapping[str, str]) -> None:
        """A line of constant text."""
        line = Line(shape.x, shape.y, shape.text, shape.size, colours[shape.colour], shape.spacing, shape.bold)
        surface.text(place(self.stack, line, shape.align))


def _gradient(_: Artist, surface: Surface, shape: Shape, colours: Mapping[str, str]) -> None:
    surface.gradient(Box(shape.x, shape.y, shape.width, shape.height), colours[shape.start], colours[shape.end])


def _rect(_: Artist, surface: Surface, shape: Shape, colours: Mapping[str, str]) -> None:
    surface.fill(Box(shape.x, shape.y, shape.width, shape.height), colours[shape.colour], shape.radius)


def _waves(_: Artist, surface: Surface, shape: Shape, colours: Mapping[str, str]) -> None:
    """Fine wavy lines, each a little behind the one before (底纹)."""
    def height(line: int, share: float) -> float:
        turn = 2 * math.pi * shape.waves * share
        return (math.sin(turn + shape.drift * line) + 0.45 * math.sin(2.3 * turn - 1.7 * shape.drift * line)) / 1.45

    shares = [n / POINTS_PER_LINE for n in range(POINTS_PER_LINE + 1)]
    paths: list[list[Point]] = [
        [(shape.x + share * shape.width,
          shape.y + shape.height * line / max(shape.lines - 1, 1) + shape.amplitude * height(line, share))
         for share in shares] for line in range(shape.lines)]
    surface.strokes(paths, colours[shape.colour], shape.stroke)


def _rosette(_: Artist, surface: Surface, shape: Shape, colours: Mapping[str, str]) -> None:
    """A rosette of petals, each turn a little farther (团花)."""
    paths: list[list[Point]] = []
    for turn in range(shape.turns):
        path = []
        for n in range(3 * POINTS_PER_LINE + 1):
            angle = 2 * math.pi * n / (3 * POINTS_PER_LINE)
            phase = 2 * math.pi * turn / shape.turns
            radius = shape.radius * (0.62 + 0.38 * math.cos(shape.petals * angle + phase))
            path.append((shape.x + radius * math.cos(angle), shape.y + radius * math.sin(angle)))
        paths.append(path)
    surface.strokes(paths, colours[shape.colour], shape.stroke)


def _area(_: Artist, surface: Surface, shape: Shape, _colours: Mapping[str, str]) -> None:
    surface.area([[(shape.x + x, shape.y + y) for x, y in ring] for ring in shape.rings], shape.colour)


_DRAW = {"gradient": _gradient, "rect": _rect, "waves": _waves, "rosette": _rosette, "area": _area,
         "text": Artist.words}
