"""How a text finds its place in a slot: shrink a little, else in as few lines as keep it large; never cut."""

import re
from typing import Final, NamedTuple

from zhengka.production.faces.fonts import FontStack
from zhengka.production.faces.layout import POINT, Slot

STEP: Final = 0.25
"""Points by which type is made smaller."""
_EARLY: Final = 0.8
"""Type that keeps this share of its size needs no more lines."""
_WORTH: Final = 1.15
"""One more line must make the type at least so much larger."""
_PIECES: Final = re.compile("[^\u00b7\u3001 \u200b]*[\u00b7\u3001 \u200b]?")
MAY_END: Final = "\u200b"
"""Where a line may end without a sign (zero width space)."""


class DoesNotFit(ValueError):
    """A text that the slot cannot hold even at its least size."""


class Line(NamedTuple):
    """One line of type: left end and baseline in millimetres, size and spacing in points, width in millimetres."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    spacing: float = 0.0
    bold: bool = False
    width: float = 0.0


def fit(stack: FontStack, slot: Slot, text: str) -> list[Line]:
    """The lines by which the slot shows the text. Raises DoesNotFit; ValueError for a character without a glyph."""
    best, rows = 0.0, [""]
    for lines in range(1, slot.lines + 1):
        size = min(slot.size, slot.height / lines / slot.leading / POINT)
        while size >= max(slot.min_size, best * _WORTH):
            if wrapped := _wrap(stack, text, slot, size, lines):
                best, rows = size, wrapped
                break
            size -= STEP
        if best >= slot.size * _EARLY:
            break
    if not best:
        raise DoesNotFit(f"{slot.name}: {len(text)} characters")
    return _placed(stack, slot, rows, best)


def _placed(stack: FontStack, slot: Slot, rows: list[str], size: float) -> list[Line]:
    """The rows about the slot's baseline, one below the other."""
    down = slot.leading * size * POINT
    first = slot.y - (len(rows) - 1) / 2 * down
    return [place(stack, Line(slot.x, first + n * down, row, size, slot.colour, slot.spacing, slot.bold), slot.align)
            for n, row in enumerate(rows)]


def place(stack: FontStack, line: Line, align: str) -> Line:
    """The line with its width, moved so that `x` becomes its left end."""
    width = stack.width(line.text, line.size, line.spacing) * POINT
    left = {"left": 0.0, "centre": width / 2, "right": width}[align]
    return line._replace(x=line.x - left, width=width)


def _wrap(stack: FontStack, text: str, slot: Slot, size: float, most: int) -> list[str]:
    """The text in at most `most` rows, broken after dots, spaces and marks, else anywhere; [] where it does not go."""
    room = slot.width / POINT

    def goes(row: str) -> bool:
        return stack.width(_shown(row), size, slot.spacing) <= room

    if goes(text):
        return [_shown(text)]
    rows, row = [], ""
    for piece in _PIECES.findall(text) if most > 1 else ():
        for part in ([piece] if goes(piece) else piece):
            if row and not goes(row + part):
                rows.append(row)
                row = ""
            row += part
    rows.append(row)
    return [_shown(row) for row in rows] if most > 1 and len(rows) <= most and all(map(goes, rows)) else []


def _shown(row: str) -> str:
    return row.replace(MAY_END, "").rstrip(" ")
