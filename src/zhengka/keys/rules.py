"""What keys there are, how long they serve, and the factors from which keys are drawn. Pure."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from zhengka.formats import serial
from zhengka.formats.chip import scp03
from zhengka.formats.chip.profile import MOST_VERSION
from zhengka.keys.store import Usage


class Life(NamedTuple):
    """How a key of one purpose lives: it works for `works` years and what it made is trusted for `trusted` years."""

    usage: Usage
    works: int
    trusted: int


AUTHORITY: Final = "authority"
"""The purpose of keys that sign certificates of keys: the nation's, and under it one of each province."""
TRANSCRIPT: Final = "transcript"
"""The purpose of the installation's key that signs transcripts of ceremonies."""
TRANSPORT: Final = "transport"
"""The purpose of the key pair to which other places wrap keys that they send us (传输密钥)."""
CARD_MASTER: Final = "card_master"
BLANK_CARD: Final = "blank_card"
"""The purpose of the key under which blank chips take their keys (传输密钥)."""
CHANNEL: Final = "channel"
"""The purpose of the key from which the keys of blank chips' loading channels come (安全通道主密钥)."""
VOUCHER: Final = "voucher"
"""The purpose of a province's key that signs vouchers, statements, and what the platform adds to logs of gates."""
NATION: Final = 0
"""The area of the nation's own keys."""
LIVES: Final = {
    AUTHORITY: Life(Usage.SIGN, 20, 34),  # it outlives what the last key that it certified has made
    "credential": Life(Usage.SIGN, 3, 14),  # a card signed on the last day lives ten years
    "status": Life(Usage.SIGN, 3, 4),
    "batch": Life(Usage.SIGN, 3, 14),
    VOUCHER: Life(Usage.SIGN, 3, 14),  # a statement is looked at again as long as accounts are kept
    TRANSCRIPT: Life(Usage.SIGN, 3, 34),  # trusted as long as the authority that certifies it
    TRANSPORT: Life(Usage.UNWRAP, 3, 3),
    CARD_MASTER: Life(Usage.DIVERSIFY, 50, 50),
    BLANK_CARD: Life(Usage.DIVERSIFY, 50, 50),
    CHANNEL: Life(Usage.DIVERSIFY, 50, 50),
    "status_index": Life(Usage.MAC, 50, 50),  # another key would give one place of a list to two cards
}
"""Purpose → life. Symmetric keys stay as long as the cards on which they are."""

ON_DEMAND: Final = frozenset({AUTHORITY, TRANSPORT, VOUCHER})
"""Purposes of keys that nobody makes who did not ask for them."""
SIGNING: Final = frozenset(purpose for purpose, life in LIVES.items() if life.usage is Usage.SIGN)
MASTERS: Final = frozenset({CARD_MASTER, BLANK_CARD, CHANNEL})
"""Purposes of keys from which the keys of cards come: on a site for the public, custodians hold their components."""
MOST_NUMBER: Final = {CARD_MASTER: MOST_VERSION, CHANNEL: scp03.MOST_VERSION}
"""Purpose → the highest number of a master that chips can be told as the version of their keys."""
CARD_KEYS: Final = {
    "control": "主控密钥", "maintenance": "应用维护密钥", "reader": "外部认证密钥", "internal": "内部认证密钥",
    "application": "应用主控密钥", "purchase": "消费密钥", "load": "圈存密钥", "tac": "TAC 密钥",
    "pin_unlock": "PIN 解锁密钥", "pin_reload": "PIN 重装密钥"}
"""Purposes of the keys on a card (MK, DAMK, UK, IK … of a card of the transit kind), each with a master of its own."""
RULES: Final = {"SM": "SM4", "INTL": "AES"}
"""Suite → the rule (分散算法) by which its keys are drawn: E(master, factor ‖ ~factor)."""
LEVELS: Final = ("nation", "province", "city")
"""Levels with rows. Keys of cards, below them, are drawn when they are needed and never kept."""
NEEDED: Final = 2
"""So many custodians suffice."""
AMONG: Final = 3
"""So many hold a component."""
OVERLAP: Final = timedelta(days=366)
"""How long a key that was replaced by the calendar goes on reading: a card that lies in a drawer is seen once a year
(年度激活) [ours]."""
PATIENCE: Final = timedelta(days=7)
"""A ceremony that nobody ended is cancelled after so long: components lie sealed no longer than that [ours]."""
_YEAR: Final = timedelta(days=366)


def last_days(purpose: str, first: date) -> tuple[date, date]:
    """The last day on which a key that begins on `first` works, and the last on which it is trusted."""
    life = LIVES[purpose]
    return first + life.works * _YEAR, first + life.trusted * _YEAR


def province(area: int) -> int:
    """The 12-digit code of the province in which an area lies: working keys belong to provinces (统一密钥体系)."""
    return area // 10**10 * 10**10


def level(area: int) -> str:
    """The level of the tree at which a key of this area stands; `city` is also an issuing unit."""
    return "nation" if area == NATION else "province" if area == province(area) else "city"


def above(area: int) -> int:
    """The area of the next level up; the nation's own is itself."""
    return province(area) if level(area) == "city" else NATION


def label(purpose: str, suite: str, area: int, slot: str, number: int) -> str:
    """The name of one key version in the key store: of a province by two digits, of a city or unit by six."""
    place = f"{area // 10**6:06d}" if level(area) == "city" else f"{area // 10**10:02d}"
    return "/".join(part for part in (place, purpose, suite, slot, str(number)) if part)


def region_factor(unit6: str) -> bytes:
    """The factor of a province, city or unit: its code in packed BCD, filled up to four bytes, twice (分散因子)."""
    return bytes.fromhex(unit6 + "00") * 2


def area_factor(area: int) -> bytes:
    """The factor by which the key of an area is drawn from the level above."""
    return region_factor(f"{area // 10**6:06d}")


def card_factor(number: str) -> bytes:
    """The factor of one card: its 16-digit serial in packed BCD (the last level)."""
    return serial.factor(number)


def channel_factors() -> list[bytes]:
    """The factors of the three masters of a loading channel, S-ENC, S-MAC and DEK: F0 and 01 to 03, as the keys of a
    card are told apart in the EMV Card Personalization Specification (KENC, KMAC, KDEK).
    """
    return [bytes((0xF0, number)).rjust(8, b"\0") for number in (1, 2, 3)]
