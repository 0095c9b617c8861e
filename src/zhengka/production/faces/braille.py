"""The Braille of the red card (盲文): from Unicode patterns to the places of dots.

Sizes of GB/T 15720-2008: 2.5 mm between the dots of a cell, 6 mm from cell to cell.
"""

from typing import Final

PITCH: Final = 2.5
CELL: Final = 6.0
DIAMETER: Final = 1.5


def dots(cells: str, x: float, y: float) -> list[tuple[float, float]]:
    """Centres of the raised dots in millimetres; (x, y) is dot 1 of the first cell, y grows downwards.

    Bit n of a pattern is dot n + 1 (Unicode, Braille Patterns): dots 1 to 3 down the left side, 4 to 6 down the right.
    """
    return [(x + place * CELL + (bit // 3) * PITCH, y + (bit % 3) * PITCH)
            for place, cell in enumerate(cells) for bit in range(6) if (ord(cell) - 0x2800) >> bit & 1]
