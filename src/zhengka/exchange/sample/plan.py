"""Who stands in which file: the whole sample decided before a row is made, so that files can be made apart.

A file is one issuing unit, in blocks of bounded size. A block holds people of its own, and small cohorts of people
who moved: they stand in the file of the unit they left and again, changed, in the block that borrows them.
Files are in the order of the unit's code, and a cohort is always lent by an earlier file: whoever imports the files
in the order of their names meets each person first at the unit that lends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.random import Generator

from zhengka.exchange.sample.places import UnitSize, shares

BLOCK: Final = 5_000
BORROWED_SHARE: Final = 0.01
LENDABLE_SHARE: Final = 0.25


@dataclass(frozen=True)
class Cohort:
    """A group of people that `people.cohort` makes: its number and size."""

    number: int
    size: int


@dataclass
class Block:
    """People of one block: its own, those it lends to later units, those it has from earlier ones."""

    index: int
    own: Cohort
    lent: list[Cohort] = field(default_factory=list)
    borrowed: Cohort | None = None

    @property
    def people(self) -> int:
        """Persons first met here."""
        return self.own.size + sum(cohort.size for cohort in self.lent)


@dataclass(frozen=True)
class Sheet:
    """One file to be: the unit, its place among the files, its blocks."""

    position: int
    unit: UnitSize
    blocks: list[Block]

    @property
    def stem(self) -> str:
        """File name without ending; the unit's code stands first."""
        return f"{self.unit.code}-{self.unit.name}"


def plan(units: Sequence[UnitSize], *, scale: float, seed: int) -> list[Sheet]:
    """All files of a sample. The same units, scale and seed give the same plan.

    Raises ValueError when the scale is not positive or a unit comes twice.
    """
    if scale <= 0:
        raise ValueError("the scale of a sample is a number above 0")
    ordered = sorted(units, key=lambda unit: unit.code)
    if len({unit.code for unit in ordered}) != len(ordered):
        raise ValueError("a unit comes twice")
    sheets: list[Sheet] = []
    blocks = 0
    for position, (unit, size) in enumerate(zip(ordered, shares(ordered, scale), strict=True)):
        parts = _parts(size)
        sheets.append(Sheet(position, unit, [
            Block(blocks + at, Cohort(2 * (blocks + at), part)) for at, part in enumerate(parts)
        ]))  # fmt: skip
        blocks += len(parts)
    _lend(np.random.default_rng((seed, 0)), sheets)
    return sheets


def whole(rng: Generator, expected: float) -> int:
    """A whole number whose mean is `expected`: small files get their share of rare things too."""
    return int(expected + rng.random())


def _parts(size: int) -> list[int]:
    """A unit's people in blocks of nearly equal size, at most `BLOCK` each."""
    count = max(1, -(-size // BLOCK))
    return [size // count + (at < size % count) for at in range(count)]


def _lend(rng: Generator, sheets: list[Sheet]) -> None:
    """Let each block of a later file borrow a cohort from a block of an earlier one that has room."""
    earlier: list[Block] = []
    for sheet in sheets:
        for block in sheet.blocks:
            size = whole(rng, block.own.size * BORROWED_SHARE)
            room = [one for one in earlier if _room(one) >= size]
            if size and room:
                _move(room[int(rng.integers(len(room)))], block, size)
        earlier += sheet.blocks


def _room(block: Block) -> int:
    """How many people a block can still lend."""
    return int(block.people * LENDABLE_SHARE) - (block.people - block.own.size)


def _move(lender: Block, borrower: Block, size: int) -> None:
    moved = Cohort(2 * borrower.index + 1, size)
    lender.own = Cohort(lender.own.number, lender.own.size - size)
    lender.lent.append(moved)
    borrower.borrowed = moved
