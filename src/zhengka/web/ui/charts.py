"""Geometry of the charts: pure, in rem downwards and per cent across, so that text never shrinks on a phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

TEXT, BAR, GAP = 1.5, 1.125, 1.125
"""Heights in rem: a line of text, a bar, the room between two entries."""

PLOT = 18.0
"""Height of a funnel plot in rem, without its axis."""
COLUMN = 12.0
"""Height in rem of the tallest upright bar."""
GUTTER, MARGIN = 14.0, 4.0
"""Per cent of the width kept free for figures at the left, and for half a figure at the right."""

SERIES = 6
"""How many series differ enough to be told apart."""


@dataclass(frozen=True)
class Piece:
    """A rectangle of one series: left edge and width in per cent of the chart's width."""

    series: int
    left: str
    width: str
    value: int


@dataclass(frozen=True)
class Bar:
    """One entry: its words, its sum, heights in rem, and its pieces."""

    label: str
    total: int
    text_y: str
    bar_y: str
    pieces: tuple[Piece, ...]
    values: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws; `height` in rem."""

    bars: tuple[Bar, ...]
    height: str


def layout(rows: Sequence[tuple[str, Sequence[int]]], *, share: bool = False) -> Chart:
    """Place one bar for each (label, values); `share` gives every bar the full width. Values are counts ≥ 0."""
    if any(value < 0 for _, values in rows for value in values):
        raise ValueError("a bar cannot show less than nothing")
    if any(len(values) > SERIES for _, values in rows):
        raise ValueError(f"more than {SERIES} series cannot be told apart")
    largest = max((sum(values) for _, values in rows), default=0)
    bars = tuple(_bar(str(label), values, position, sum(values) if share else largest)
                 for position, (label, values) in enumerate(rows))
    step = TEXT + BAR + GAP
    return Chart(bars, f"{max(len(bars) * step - GAP, 0):.3f}rem")


@dataclass(frozen=True)
class Line:
    """A straight line from one point to another: across in per cent, down in rem."""

    name: str
    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True)
class Point:
    """A round point; `label` is written at its left where it is not empty, `onward` at its right: at the left of the
    plot stand the shares.
    """

    name: str
    x: str
    y: str
    label: str
    onward: bool


@dataclass(frozen=True)
class Tick:
    """A figure at an axis: its words and its place."""

    label: str
    x: str
    y: str


@dataclass(frozen=True)
class Funnel:
    """Everything that the template of a funnel plot draws; heights in rem."""

    lines: tuple[Line, ...]
    points: tuple[Point, ...]
    shares: tuple[Tick, ...]
    numbers: tuple[Tick, ...]
    height: str


@dataclass(frozen=True)
class Columns:
    """Upright bars side by side, group by group: `pieces` as (series, x, y, width, height), ticks below; in rem."""

    pieces: tuple[tuple[int, str, str, str, str], ...]
    ticks: tuple[Tick, ...]
    largest: int
    height: str


def columns(rows: Sequence[tuple[str, Sequence[int]]]) -> Columns:
    """Place a group of bars for each (label, values); one with an empty label has no tick. Values are counts ≥ 0."""
    largest = max((value for _, values in rows for value in values), default=0)
    group, pieces = 100 / max(len(rows), 1), list[tuple[int, str, str, str, str]]()
    for place, (_, values) in enumerate(rows):
        wide = 0.84 * group / max(len(values), 1)
        for series, value in enumerate(values, start=1):
            tall = COLUMN * value / largest if largest else 0.0
            if value:
                pieces.append((series, f"{place * group + (series - 1) * wide:.3f}%", f"{TEXT + COLUMN - tall:.3f}rem",
                               f"{wide:.3f}%", f"{tall:.3f}rem"))
    ticks = tuple(Tick(label, f"{place * group:.3f}%", f"{COLUMN + 2 * TEXT:.3f}rem")
                  for place, (label, _) in enumerate(rows) if label)
    return Columns(tuple(pieces), ticks, largest, f"{COLUMN + 2.25 * TEXT:.3f}rem")


def funnel(points: Sequence[tuple[str, int, float, str]],
           curves: Mapping[str, Sequence[tuple[int, float, float]]], target: float) -> Funnel:
    """Place points of (label, number, share, where: "within" or the name of a curve) over the curves of limits.

    `curves`: name → (number, lowest share, highest share), by number; `target`: the expected share. Shares lie in
    [0, 1]. Only a point outside carries its label, for those within lie close together.
    """
    largest = max([number for _, number, _, _ in points] + [curve[-1][0] for curve in curves.values() if curve] + [2])
    x, y = partial(_across, largest), _down
    lines = [Line("target", x(1), y(target), x(largest), y(target))]
    for name, curve in curves.items():
        for one, other in pairwise(curve):
            lines += [Line(name, x(one[0]), y(one[side]), x(other[0]), y(other[side])) for side in (1, 2)]
    marks = tuple(Point(where, x(number), y(share), "" if where == "within" else label, number < largest / 4)
                  for label, number, share, where in points)
    shares = tuple(Tick(f"{step * 25} %", "0%", y(step / 4)) for step in range(5))
    wanted = sorted({max(1, round(largest * part / 4)) for part in range(5)})
    numbers = tuple(Tick(f"{number:,}", x(number), f"{PLOT + 2 * TEXT:.3f}rem") for number in wanted)
    return Funnel(tuple(lines), marks, shares, numbers, f"{PLOT + 2.5 * TEXT:.3f}rem")


def _across(largest: int, number: int) -> str:
    return f"{GUTTER + (100 - GUTTER - MARGIN) * (number - 1) / max(largest - 1, 1):.3f}%"


def _down(share: float) -> str:
    return f"{TEXT / 2 + PLOT * (1 - share):.3f}rem"


def _bar(label: str, values: Sequence[int], position: int, full: int) -> Bar:
    top = position * (TEXT + BAR + GAP)
    pieces, left = [], 0.0
    for series, value in enumerate(values, start=1):
        width = 100 * value / full if full else 0.0
        pieces.append(Piece(series, f"{left:.3f}%", f"{width:.3f}%", value))
        left += width
    return Bar(label, sum(values), f"{top + TEXT - 0.375:.3f}rem", f"{top + TEXT:.3f}rem",
               tuple(piece for piece in pieces if piece.value), tuple(values))
