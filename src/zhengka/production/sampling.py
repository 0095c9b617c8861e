"""How many cards of a batch are looked at before they are handed out (发卡前核对抽样), as dated files under
`data/readback` say it, and which: a draw that nobody chooses. Pure.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from zhengka.core.dated import FileRefused, choose, read

WHOLE = 100


class Rule(NamedTuple):
    """What one file says of the offices with codes from `lo` to `hi`, from a day on; `maker` empty: of every maker.
    `desks`: of cards that an office made on a reader of its own, too, which read back what it wrote.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    maker: str
    percent: int
    least: int
    source: str
    desks: bool = False

    def size(self, good: int) -> int:
        """How many of so many good cards are drawn: the share rounded up, and at least `least`, as far as there are."""
        return min(good, max(math.ceil(good * self.percent / WHOLE), self.least if self.percent else 0))


def load(folder: Path) -> tuple[Rule, ...]:
    """Every file of the folder; `FileRefused` for one that cannot be used."""
    return tuple(_one(path) for path in sorted(folder.glob("*.toml")))


def rule(files: Sequence[Rule], area: int, maker: str, on: date) -> Rule | None:
    """What holds for batches of an office by a maker on a day: a file that names the maker before one that does not."""
    named = [each for each in files if each.maker == maker]
    return choose(named, area, on) or choose([each for each in files if not each.maker], area, on)


def drawn(ranked: Iterable[tuple[bytes, int]], size: int) -> list[int]:
    """The items of the draw, of all (rank, item): those of the smallest ranks, in that order. As many are in memory."""
    return [item for _rank, item in heapq.nsmallest(size, ranked)]


def _one(path: Path) -> Rule:
    table = read(path)
    lo, hi = table.area()
    found = Rule(table.take("code", str), lo, hi, table.take("valid_from", date), table.take("maker", str),
                 table.take("percent", int), table.take("least", int), table.take("source", str),
                 table.take("desks", bool))
    table.end()
    if not 0 <= found.percent <= WHOLE or found.least < 0:
        raise FileRefused("value-out-of-range", table.place, f"percent, least: {found.percent}, {found.least}")
    if not found.source.strip():
        raise FileRefused("source-missing", table.place)
    return found
