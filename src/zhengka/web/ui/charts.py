"""Geometry of the charts: pure, in rem downwards and per cent across, so that text never shrinks on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass

TEXT, BAR, GAP = 1.5, 1.125, 1.125
"""Heights in rem: a line of text, a bar, the room between two entries."""

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


def _bar(label: str, values: Sequence[int], position: int, full: int) -> Bar:
    top = position * (TEXT + BAR + GAP)
    pieces, left = [], 0.0
    for series, value in enumerate(values, start=1):
        width = 100 * value / full if full else 0.0
        pieces.append(Piece(series, f"{left:.3f}%", f"{width:.3f}%", value))
        left += width
    return Bar(label, sum(values), f"{top + TEXT - 0.375:.3f}rem", f"{top + TEXT:.3f}rem",
               tuple(piece for piece in pieces if piece.value), tuple(values))
