"""The modules of QR codes as bits, many codes at a time: which mask suits each best, and where its black runs lie.

A line of modules is one 64-bit number, its first module the highest bit; a shift to the left puts the module behind
into each place. So every rule of ISO/IEC 18004, clause 7.8.3.1, is a few operations on whole arrays of lines.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Modules: TypeAlias = NDArray[np.bool_]
Lines: TypeAlias = NDArray[np.uint64]
Counts: TypeAlias = NDArray[np.int64]

MOST: Final = 60
"""Most modules per side, so that four light modules of the quiet zone fit behind a line."""
_WORD: Final = 64


def best_masks(squares: Modules, masks: Modules) -> NDArray[np.intp]:
    """For each square (n × side × side) the number of the mask (8 × side × side) under which it has least penalty."""
    side = squares.shape[-1]
    if side > MOST:
        raise ValueError("a code of this size does not fit into lines of 64 bits")
    rows = _lines(squares)[:, None] ^ _lines(masks)
    columns = _lines(squares.swapaxes(1, 2))[:, None] ^ _lines(masks.swapaxes(1, 2))
    penalty = _long_runs(rows, side) + _long_runs(columns, side) + _finders(rows) + _finders(columns)
    best: NDArray[np.intp] = (penalty + _blocks(rows, side) + _imbalance(rows, side)).argmin(axis=1)
    return best


def runs(square: Modules) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The black modules as flat rectangles, each one module high: where they begin, and how wide they are.

    Places are counted along rows of side + 1: row × (side + 1) + column.
    """
    edges = np.zeros((square.shape[0], square.shape[1] + 1), dtype=np.bool_)
    edges[:, 0], edges[:, -1] = square[:, 0], square[:, -1]
    np.not_equal(square[:, 1:], square[:, :-1], out=edges[:, 1:-1])
    places = np.flatnonzero(edges)  # in every row black begins and ends in turn
    return places[::2], places[1::2] - places[::2]


def _lines(squares: Modules) -> Lines:
    padded = np.zeros((*squares.shape[:-1], _WORD), dtype=np.bool_)
    padded[..., : squares.shape[-1]] = squares
    return np.packbits(padded, axis=-1).view(">u8")[..., 0].astype(np.uint64)


def _first(count: int) -> np.uint64:
    """The bits of the first modules of a line."""
    return np.uint64((1 << _WORD) - (1 << (_WORD - count)))


def _behind(lines: Lines, places: int = 1) -> Lines:
    """In each place the module so many places behind it; light where the line has ended."""
    return np.left_shift(lines, np.uint64(places))


def _before(lines: Lines, places: int = 1) -> Lines:
    """In each place the module so many places before it; light where the line has not begun."""
    return np.right_shift(lines, np.uint64(places))


def _same(lines: Lines, side: int) -> Lines:
    """Modules that are as the next one in their line."""
    same: Lines = ~(lines ^ _behind(lines)) & _first(side - 1)
    return same


def _total(bits: Lines) -> Counts:
    """Bits that are set in all lines of a code."""
    total: Counts = np.bitwise_count(bits).sum(axis=-1, dtype=np.int64)
    return total


def _long_runs(lines: Lines, side: int) -> Counts:
    """N1: five in a line of one colour cost 3, every further one costs 1."""
    same = _same(lines, side)
    pairs = same & _behind(same)
    five = pairs & _behind(pairs, 2)
    return _total(five) + 2 * _total(five & ~_before(five))


def _blocks(rows: Lines, side: int) -> Counts:
    """N2: every block of two by two of one colour costs 3."""
    same, above, below = _same(rows, side), rows[..., :-1], rows[..., 1:]
    return 3 * _total(same[..., :-1] & same[..., 1:] & ~(above ^ below))


def _finders(lines: Lines) -> Counts:
    """N3: dark and light as 1:1:3:1:1, with four light modules before or behind (the quiet zone is light), cost 40."""
    found = lines.copy()
    for places, dark in enumerate((False, True, True, True, False, True), 1):
        found &= _behind(lines, places) if dark else ~_behind(lines, places)
    before = _before(lines, 1) | _before(lines, 2) | _before(lines, 3) | _before(lines, 4)
    behind = _behind(lines, 7) | _behind(lines, 8) | _behind(lines, 9) | _behind(lines, 10)
    return 40 * _total(found & ~(before & behind))


def _imbalance(rows: Lines, side: int) -> Counts:
    """N4: every 5 % by which the dark modules are more or less than half cost 10."""
    return 10 * (np.abs(2 * _total(rows) - side * side) * 10 // (side * side))
