"""Roles that exclude each other for one person (岗位互斥), as dated files under `data/roles` say it. Pure."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from zhengka.accounts.roles import ADMINISTRATORS, ROLES
from zhengka.core.dated import FileRefused, Table, choose, read


class Apart(NamedTuple):
    """What one file says of the offices with codes from `lo` to `hi`, from a day on: which two roles are never one
    person's.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    pairs: frozenset[frozenset[str]]


def load(folder: Path) -> tuple[Apart, ...]:
    """Every file of the folder; `FileRefused` for one that cannot be used, and for one that would let one person have
    two of the three administrators' roles (三员分立).
    """
    return tuple(_one(path) for path in sorted(folder.glob("*.toml")))


def excluded(files: Sequence[Apart], role: str, area: int, on: date) -> frozenset[str]:
    """The roles that nobody has beside this one, at an office (12-digit code) on a day; where no file speaks of it, an
    administrator's role excludes every other.
    """
    found = choose(files, area, on)
    if found is None:
        return frozenset(ROLES) - {role} if role in ADMINISTRATORS else ADMINISTRATORS
    return frozenset().union(*(pair for pair in found.pairs if role in pair)) - {role}


def _one(path: Path) -> Apart:
    table = read(path)
    lo, hi = table.area()
    found = Apart(table.take("code", str), lo, hi, table.take("valid_from", date), _pairs(table.table("apart")))
    if not table.take("source", str).strip():
        raise FileRefused("source-missing", table.place)
    table.end()
    if not all(frozenset({one, other}) in found.pairs
               for one in ADMINISTRATORS for other in ADMINISTRATORS - {one}):
        raise FileRefused("administrators-joined", table.place)
    return found


def _pairs(table: Table) -> frozenset[frozenset[str]]:
    pairs = set()
    for role in sorted(ROLES):
        pairs |= {frozenset({role, other}) for other in table.words(role, set(ROLES) - {role})}
    table.end()
    return frozenset(pairs)
