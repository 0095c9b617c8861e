"""Runs of serial numbers of blank cards: `43000001-43000500,43000600`."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

Runs = list[tuple[int, int]]
"""First and last serial of each run, both in it: sorted, no two of which touch."""

LARGEST: Final = 10**18 - 1
"""Serials have at most 18 digits, so that they are whole numbers of 64 bits everywhere."""
MOST_RUNS: Final = 100_000
"""So many runs in one text: a batch of 300,000 cards of which every third was spoiled."""
_RUN: Final = re.compile(r"\s*(\d{1,18})(?:\s*[-–—~至]\s*(\d{1,18}))?\s*\Z")


class SerialsWrong(ValueError):
    """A text that tells no runs of serials. `part`: the piece that is wrong; `code`: why."""

    def __init__(self, code: str, part: str) -> None:
        """Keep why, and which piece."""
        self.code, self.part = code, part
        super().__init__(f"{code}: {part}")


def parse(text: str) -> Runs:
    """The runs of a text as people type or scan them: separated by commas, semicolons or lines, in any order.

    SerialsWrong: `empty`, `not-a-run`, `backwards`, `twice` (a serial that stands in two runs), `too-many`.
    """
    parts = [part for part in re.split(r"[,;，；、\n]", text) if part.strip()]
    if not parts:
        raise SerialsWrong("empty", "")
    if len(parts) > MOST_RUNS:
        raise SerialsWrong("too-many", str(len(parts)))
    return joined(_run(part) for part in parts)


def _run(part: str) -> tuple[int, int]:
    if (found := _RUN.match(part)) is None:
        raise SerialsWrong("not-a-run", part.strip()[:40])
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 < first <= last:
        raise SerialsWrong("backwards", part.strip()[:40])
    return first, last


def joined(runs: Iterable[Sequence[int]]) -> Runs:
    """The same serials in the fewest runs. SerialsWrong `twice` where a serial stands in two of them."""
    whole: Runs = []
    for first, last in sorted((run[0], run[1]) for run in runs):
        if whole and first <= whole[-1][1]:
            raise SerialsWrong("twice", str(first))
        if whole and first == whole[-1][1] + 1:
            whole[-1] = whole[-1][0], last
        else:
            whole.append((first, last))
    return whole


def amount(runs: Iterable[Sequence[int]]) -> int:
    """How many serials."""
    return sum(run[1] - run[0] + 1 for run in runs)


def outside(runs: Iterable[Sequence[int]], of: Iterable[Sequence[int]]) -> int | None:
    """The first serial of `runs` that is in none of `of`, runs both; None where all are."""
    whole = joined(of)
    for first, last in runs:
        home = next((run for run in whole if run[0] <= first <= run[1]), None)
        if home is None or last > home[1]:
            return first if home is None else home[1] + 1
    return None


def common(runs: Iterable[Sequence[int]], others: Iterable[Sequence[int]]) -> Runs:
    """The serials that are in both."""
    one, other, found = joined(runs)[::-1], joined(others)[::-1], []
    while one and other:
        first, last = max(one[-1][0], other[-1][0]), min(one[-1][1], other[-1][1])
        if first <= last:
            found.append((first, last))
        (one if one[-1][1] <= other[-1][1] else other).pop()
    return joined(found)


def said(runs: Iterable[Sequence[int]]) -> str:
    """The runs as text that `parse` reads."""
    return ", ".join(str(run[0]) if run[0] == run[1] else f"{run[0]}-{run[1]}" for run in runs)
