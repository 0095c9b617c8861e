"""What is kept to with card makers, as dated files under `data/production` say it. Pure."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table, choose, read

MOST_DAYS: Final = 366
"""Production data holds people's names and photos: no file keeps it longer than a year."""
MOST_MIB: Final = 64


class Terms(NamedTuple):
    """What one file says of the offices with codes from `lo` to `hi`, from a day on: working days for the receipt of a
    package, days after which what was made for a closed batch is erased, bytes in a part of a package.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    acknowledge_days: int
    keep_days: int
    part: int
    source: str


def load(folder: Path) -> tuple[Terms, ...]:
    """Every file of the folder; `FileRefused` for one that cannot be used."""
    return tuple(_one(path) for path in sorted(folder.glob("*.toml")))


def terms(files: Sequence[Terms], area: int, on: date) -> Terms | None:
    """What holds for an office (12-digit code) on a day; None where no file says so."""
    return choose(files, area, on)


def _one(path: Path) -> Terms:
    table = read(path)
    lo, hi = table.area()
    code, since = table.take("code", str), table.take("valid_from", date)
    acknowledge, keep = _days(table, "acknowledge_days"), _days(table, "keep_days")
    mib, source = table.take("part_mib", int), table.take("source", str)
    table.end()
    if not 1 <= mib <= MOST_MIB:
        raise FileRefused("value-out-of-range", table.place, f"part_mib: {mib}")
    if not source.strip():
        raise FileRefused("source-missing", table.place)
    return Terms(code, lo, hi, since, acknowledge, keep, mib << 20, source)


def _days(table: Table, name: str) -> int:
    days = table.take(name, int)
    if not 1 <= days <= MOST_DAYS:
        raise FileRefused("value-out-of-range", table.place, f"{name}: {days}")
    return days
