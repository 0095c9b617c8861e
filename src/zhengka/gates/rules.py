"""The words of a verdict with a network, and how much of a person a stranger is shown. Pure."""

from typing import Final

from zhengka.formats import presenting
from zhengka.formats.verdict import WORDS

_OFFLINE: Final = ("list-missing", "list-too-old", "clock-behind", "inactive")
ONLINE: Final = {code: word for code, word in WORDS.items() if code not in _OFFLINE} | presenting.ONLINE
"""Every verdict that `services.check` gives, with its colour and one plain sentence in each language.

It knows more than an offline verifier: the register itself says whether a card was never activated or not any more.
"""

PROVING: Final = frozenset({"valid", "not-activated", "activation-lapsed"})
"""Verdicts with which a card proves that its holder is certified, as long as the certificate itself is in force."""

USES: Final = ("api",)
"""Channels by which a card is used, not only looked at: a phone opens the page of a code's photo, too."""

_MASK: Final = "*"


def masked_number(number: str) -> str:
    """The first four and the last four characters of a certificate number."""
    return number[:4] + _MASK * max(len(number) - 8, 4) + number[-4:]


def province(area: int) -> int:
    """The two digits of the province in a 12-digit area code."""
    return area // 10**10
