"""What an operator is paid for a service (价目): dated files under `data/tariffs`, with their source. Pure.

format = 1
operator = "changsha-bus"
source = "…"
[[price]]
from = 2026-01-01
service = "bus"        # "*": every service
gives = "free"         # "*": every benefit
fen = 200              # for the holder
companion = 0          # for each companion
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from zhengka.core.dated import FileRefused, Table, read

ANY: Final = "*"
MOST_FEN: Final = 10**7


@dataclass(frozen=True)
class Price:
    """What one use of a service with a benefit costs from a day on, in fen."""

    first: date
    service: str
    gives: str
    fen: int
    companion: int

    def fits(self, service: str, gives: str, on: date) -> bool:
        """True for a use on this day that it prices."""
        return self.first <= on and self.service in (ANY, service) and self.gives in (ANY, gives)


@dataclass(frozen=True)
class Tariff:
    """The prices of one operator."""

    operator: str
    source: str
    prices: tuple[Price, ...]

    def price(self, service: str, gives: str, on: date) -> Price | None:
        """The price of a use: the one that names most of it, and of these the latest; None where none is told."""
        open_ = [one for one in self.prices if one.fits(service, gives, on)]
        return max(open_, key=lambda one: (one.service != ANY, one.gives != ANY, one.first), default=None)


def load(folder: Path) -> dict[str, Tariff]:
    """Operator → its tariff, of every file of the folder; FileRefused."""
    found: dict[str, Tariff] = {}
    for path in sorted(folder.glob("*.toml")):
        tariff = _tariff(read(path))
        if tariff.operator in found:
            raise FileRefused("code-twice", path.name, tariff.operator)
        found[tariff.operator] = tariff
    return found


def _tariff(table: Table) -> Tariff:
    operator, source = table.take("operator", str), table.take("source", str)
    if not source.strip():
        raise FileRefused("source-missing", table.place)
    prices = tuple(_prices(table.tables("price")))
    table.end()
    return Tariff(operator, source, prices)


def _prices(tables: Iterable[Table]) -> Iterable[Price]:
    for table in tables:
        price = Price(table.take("from", date), table.take("service", str), table.take("gives", str),
                      table.take("fen", int), table.take("companion", int, 0))
        if not (0 <= price.fen <= MOST_FEN and 0 <= price.companion <= MOST_FEN):
            raise FileRefused("value-out-of-range", table.place)
        table.end()
        yield price
