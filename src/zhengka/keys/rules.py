"""What keys there are, how long they serve, and the factors from which card keys are drawn. Pure."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from zhengka.formats import serial
from zhengka.keys.store import Usage


class Life(NamedTuple):
    """How a key of one purpose lives: it works for `works` years and what it made is trusted for `trusted` years."""

    usage: Usage
    works: int
    trusted: int


AUTHORITY: Final = "authority"
"""The purpose of keys that sign certificates of keys: the nation's, and under it one of each province."""
NATION: Final = 0
"""The area of the nation's own keys."""
LIVES: Final = {
    AUTHORITY: Life(Usage.SIGN, 20, 34),  # it outlives what the last key that it certified has made
    "credential": Life(Usage.SIGN, 3, 14),  # a card signed on the last day lives ten years
    "status": Life(Usage.SIGN, 3, 4),
    "batch": Life(Usage.SIGN, 3, 14),
    "card_master": Life(Usage.DIVERSIFY, 50, 50),
    "blank_card": Life(Usage.DIVERSIFY, 50, 50),
    "status_index": Life(Usage.MAC, 50, 50),  # another key would give one place of a list to two cards
}
"""Purpose → life. Symmetric keys stay as long as the cards on which they are."""

SIGNING: Final = frozenset(purpose for purpose, life in LIVES.items() if life.usage is Usage.SIGN)
_YEAR: Final = timedelta(days=366)


def last_days(purpose: str, first: date) -> tuple[date, date]:
    """The last day on which a key that begins on `first` works, and the last on which it is trusted."""
    life = LIVES[purpose]
    return first + life.works * _YEAR, first + life.trusted * _YEAR


def province(area: int) -> int:
    """The 12-digit code of the province in which an area lies: keys belong to provinces (统一密钥体系)."""
    return area // 10**10 * 10**10


def label(purpose: str, suite: str, area: int, slot: str, number: int) -> str:
    """The name of one key version in the key store."""
    return "/".join(part for part in (f"{province(area) // 10**10:02d}", purpose, suite, slot, str(number)) if part)


def region_factor(unit6: str) -> bytes:
    """The factor of an issuing unit: its code in packed BCD, filled up to four bytes, twice (分散因子, level one)."""
    return bytes.fromhex(unit6 + "00") * 2


def card_factor(number: str) -> bytes:
    """The factor of one card: its 16-digit serial in packed BCD (level two)."""
    return serial.factor(number)
