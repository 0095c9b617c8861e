"""How long readings are kept (读卡记录保存期限), as dated files under `data/retention` say it. Pure."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, choose, read

LEAST: Final = 184
"""Days in the longest six months (网络安全法, 2016 text, art. 21(3)): no file keeps logs shorter."""


class Retention(NamedTuple):
    """What one file says of the offices with codes from `lo` to `hi`, from a day on."""

    code: str
    lo: int
    hi: int
    valid_from: date
    days: int
    source: str


def load(folder: Path) -> tuple[Retention, ...]:
    """Every file of the folder; `FileRefused` for one that cannot be used."""
    return tuple(_one(path) for path in sorted(folder.glob("*.toml")))


def days(files: Sequence[Retention], area: int, on: date) -> int | None:
    """How many days the readings of an office are kept on this day; None where no file says so: then they stay."""
    found = choose(files, area, on)
    return found.days if found else None


def _one(path: Path) -> Retention:
    table = read(path)
    lo, hi = table.area()
    found = Retention(table.take("code", str), lo, hi, table.take("valid_from", date), table.take("days", int),
                      table.take("source", str))
    table.end()
    if found.days < LEAST:
        raise FileRefused("value-out-of-range", table.place, f"days: {found.days}")
    if not found.source.strip():
        raise FileRefused("source-missing", table.place)
    return found
