"""Funnel plots (漏斗图): how far a share may lie from the expected one by chance, given how many were assessed. Pure.

Limits at 95 % and 99.8 % as D. J. Spiegelhalter proposes ("Funnel plots for comparing institutional performance",
Statistics in Medicine 24, 2005), by the exact binomial distribution and without his interpolation between counts: it
draws smoother lines, but among few persons they exclude counts that chance gives in a quarter of all cases.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

LEVELS: Final = {"95": 0.025, "99.8": 0.001}
"""Name of a pair of limits → the probability of lying outside on either side."""
CURVE: Final = 48
"""Points of a limit's curve."""


class Limits(NamedTuple):
    """The lowest and the highest share that chance explains."""

    low: float
    high: float


def cumulative(share: float, number: int) -> np.ndarray:
    """P(X ≤ r) for r = 0 … number, of X binomial. Computed in logarithms: a sum of thousands does not underflow."""
    steps = np.arange(1, number + 1)
    logs = np.log((number - steps + 1) / steps) + np.log(share / (1 - share))
    logs = np.concatenate(([0.0], np.cumsum(logs)))
    weights = np.exp(logs - logs.max())
    reached: np.ndarray = np.cumsum(weights) / weights.sum()
    return reached


def limits(share: float, number: int, tail: float) -> Limits:
    """The lowest and highest share of `number` persons that are not in a tail of the exact binomial distribution around
    the expected `share`: fewer, or more, come by chance with a probability of at most `tail` each.
    """
    if not 0 < share < 1 or number < 1:
        return Limits(share, share) if number else Limits(0.0, 1.0)
    low, high = np.searchsorted(cumulative(share, number), (tail, 1 - tail))
    return Limits(int(low) / number, min(int(high), number) / number)


def verdict(severe: int, number: int, share: float) -> str:
    """Where `severe` of `number` lies: "within", or outside the limits of "95" or "99.8"."""
    for name in ("99.8", "95"):
        low, high = limits(share, number, LEVELS[name])
        if not low <= severe / number <= high:
            return name
    return "within"


def curves(share: float, largest: int) -> dict[str, list[tuple[int, Limits]]]:
    """The limits' curves from 1 to `largest` persons: name of the limits → (number, limits)."""
    numbers = np.unique(np.linspace(1, max(largest, 2), CURVE).round().astype(int))
    return {name: [(int(number), limits(share, int(number), tail)) for number in numbers]
            for name, tail in LEVELS.items()}


def expected(counts: Mapping[int, int], shares: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    """How many of each grade an average assessor of the area had found: `counts` by category, `shares` of the area by
    category and grade (0: the standard not met). Indirect standardisation: who sees other categories is not blamed.
    """
    grades = {grade for by_grade in shares.values() for grade in by_grade}
    return {grade: sum(number * shares[category].get(grade, 0.0) for category, number in counts.items())
            for grade in sorted(grades)}


def shares_of(counts: Mapping[int, Mapping[int, int]]) -> dict[int, dict[int, float]]:
    """Counts by category and grade as shares within each category."""
    return {category: {grade: number / max(sum(by_grade.values()), 1) for grade, number in by_grade.items()}
            for category, by_grade in counts.items()}


SEVERE: Final[Sequence[int]] = (1, 2)
"""Severe disability (重度残疾): the grades of which the share is plotted."""
