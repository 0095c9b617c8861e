"""Whether a template can be printed at all (版面校验): nothing lies outside the card, nothing on top of anything else,
and every text that has a longest form fits its slot. What cannot is refused when it is read, never at a card.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.formats import qr
from zhengka.production.faces import braille
from zhengka.production.faces.fitting import DoesNotFit, Line, fit, place
from zhengka.production.faces.fonts import FontStack, fonts
from zhengka.production.faces.layout import POINT, Layout, LayoutBroken, Shape, Side, Slot
from zhengka.production.faces.layout import load as read
from zhengka.production.faces.pdf import MODULE
from zhengka.production.faces.surface import Box

_RISE: Final = 0.88
_FALL: Final = 0.12
"""Shares of its size by which type rises above its baseline and falls below it."""
_LONGEST: Final = {
    "number": "43010419600101001X71B99", "serial": "0000 0000 0000 0000", "category": "精神残疾 四级",
    "name": "欧阳建国"}
"""What every card has room for: a longer name, unit or list of components is looked at card by card."""
_TOUCH: Final = 0.01
"""Millimetres by which two boxes may meet."""


class _Piece(NamedTuple):
    """Something that may stand on nothing else, by its name in the template."""

    name: str
    box: Box


def load(path: Path) -> Layout:
    """A template, read and found printable. Raises LayoutBroken: besides the codes of `layout.load` these are
    `outside`, `overlap`, `overflow` and `no-glyph`, each with the field.
    """
    layout = read(path)
    for name, side in (("front", layout.front), ("back", layout.back)):
        where = f"{path.name}: {name}"
        try:
            _outside(layout, side, where)
            _overlap(list(_pieces(side, fonts())), where)
        except UnicodeEncodeError as broken:
            raise LayoutBroken("no-glyph", f"{where}: {broken.reason}") from None
    _overflow(layout, fonts(), path.name)
    return layout


def _outside(layout: Layout, side: Side, where: str) -> None:
    """Nothing that is read or looked at may lie beyond the edge; fine lines (底纹) run off it on purpose."""
    boxes = [*_pieces(side, fonts()),
             *(_Piece(f"shapes: {shape.kind}", Box(shape.x, shape.y, shape.width, shape.height))
               for shape in side.shapes if shape.kind in ("gradient", "rect"))]
    for name, box in boxes:
        if min(box.x, box.y) < -_TOUCH or (
                box.x + box.width > layout.width + _TOUCH or box.y + box.height > layout.height + _TOUCH):
            raise LayoutBroken("outside", f"{where}: {name}")
    for mark in side.marks:
        for shape in mark.shapes:
            if not _within(_extent(shape, fonts()), Box(0, 0, mark.width, mark.height)):
                raise LayoutBroken("outside", f"{where}: marks: {mark.partner}: {shape.kind}")


def _overlap(pieces: list[_Piece], where: str) -> None:
    for n, one in enumerate(pieces):
        for other in pieces[n + 1:]:
            if _meet(one.box, other.box):
                raise LayoutBroken("overlap", f"{where}: {one.name} and {other.name}")


def _overflow(layout: Layout, stack: FontStack, where: str) -> None:
    """The texts whose longest form is known fit; the name of an issuer and of a person are looked at card by card."""
    longest = _LONGEST | {"valid_until": layout.date.replace("%Y", "2036").replace("%m", "12").replace("%d", "31")}
    for slot in layout.slots:
        text = layout.partners[slot.partner].example if slot.partner else longest.get(slot.name, "")
        try:
            fit(stack, slot, text)
        except DoesNotFit:
            raise LayoutBroken("overflow", f"{where}: slots: {slot.name}") from None


def _pieces(side: Side, stack: FontStack) -> Iterator[_Piece]:
    """All that is read on a side: slots at their fullest, constant texts, marks, photo, code and Braille."""
    for shape in side.shapes:
        if shape.kind == "text":
            yield _Piece(f"text {shape.text[:12]}", _extent(shape, stack))
    for mark in side.marks:
        yield _Piece(f"marks: {mark.partner}", Box(mark.x, mark.y, mark.width, mark.height))
    for slot in side.slots:
        yield _Piece(f"slots: {slot.name}", room(slot))
    if side.photo:
        yield _Piece("photo", Box(side.photo.x, side.photo.y, side.photo.width, side.photo.height))
    if side.qr:
        edge = (qr.CARD.side + 2 * qr.QUIET_ZONE) * MODULE
        yield _Piece("qr", Box(side.qr.x, side.qr.y, edge, edge))
    if side.braille:
        points = braille.dots(side.braille.cells, side.braille.x, side.braille.y)
        xs, ys = [x for x, _ in points], [y for _, y in points]
        half = braille.DIAMETER / 2
        yield _Piece("braille", Box(min(xs) - half, min(ys) - half, max(xs) - min(xs) + 2 * half,
                                    max(ys) - min(ys) + 2 * half))


def room(slot: Slot) -> Box:
    """All that a slot can fill, with any number of its lines."""
    tops, bottoms = [], []
    for lines in range(1, slot.lines + 1):
        size = min(slot.size * POINT, slot.height / lines / slot.leading)
        first = slot.y - (lines - 1) / 2 * slot.leading * size
        tops.append(first - _RISE * size)
        bottoms.append(first + (lines - 1) * slot.leading * size + _FALL * size)
    left = slot.x - {"left": 0.0, "centre": slot.width / 2, "right": slot.width}[slot.align]
    return Box(left, min(tops), slot.width, max(bottoms) - min(tops))


def _extent(shape: Shape, stack: FontStack) -> Box:
    """Where a shape is drawn; UnicodeEncodeError for a text with a character that no font has."""
    if shape.kind == "text":
        if missing := stack.missing(shape.text):
            raise UnicodeEncodeError("fonts", shape.text, 0, 1, " ".join(missing))
        line = place(stack, Line(shape.x, shape.y, shape.text, shape.size, "", shape.spacing), shape.align)
        size = shape.size * POINT
        return Box(line.x, line.y - _RISE * size, line.width, size)
    if shape.kind == "rosette":
        return Box(shape.x - shape.radius, shape.y - shape.radius, 2 * shape.radius, 2 * shape.radius)
    return Box(shape.x, shape.y, shape.width, shape.height)


def _within(inner: Box, outer: Box) -> bool:
    return (inner.x >= outer.x - _TOUCH and inner.y >= outer.y - _TOUCH
            and inner.x + inner.width <= outer.x + outer.width + _TOUCH
            and inner.y + inner.height <= outer.y + outer.height + _TOUCH)


def _meet(one: Box, other: Box) -> bool:
    return (one.x + _TOUCH < other.x + other.width and other.x + _TOUCH < one.x + one.width
            and one.y + _TOUCH < other.y + other.height and other.y + _TOUCH < one.y + one.height)
