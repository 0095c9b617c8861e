"""The words of a verdict with a network, and how much of a person a stranger is shown. Pure."""

from datetime import datetime, time, timedelta
from typing import Final

from zhengka.formats import presenting
from zhengka.formats.judging import in_band
from zhengka.formats.rulebook import CHINA, Rule, Rulebook
from zhengka.formats.verdict import WORDS

_OFFLINE: Final = ("list-missing", "list-too-old", "clock-behind", "inactive")
ONLINE: Final = {code: word for code, word in WORDS.items() if code not in _OFFLINE} | presenting.ONLINE
"""Every verdict that `services.check` gives, with its colour and one plain sentence in each language.

It knows more than an offline verifier: the register itself says whether a card was never activated or not any more.
"""

PROVING: Final = frozenset({"valid", "not-activated", "activation-lapsed"})
"""Verdicts with which a card proves that its holder is certified, as long as the certificate itself is in force."""

BY_DATES: Final = ("expired", "not-yet-valid")
"""What a code's own dates say against a card that the register would let pass."""

USES: Final = ("api",)
"""Channels by which a card is used, not only looked at: a phone opens the page of a code's photo, too."""

_MASK: Final = "*"


def masked_number(number: str) -> str:
    """The first four and the last four characters of a certificate number."""
    return number[:4] + _MASK * max(len(number) - 8, 4) + number[-4:]


def province(area: int) -> int:
    """The two digits of the province in a 12-digit area code."""
    return area // 10**10


def gives_throughout(book: Rulebook, rule: Rule, begins: datetime, ends: datetime) -> bool:
    """True where a rule is in force, and within its time bands, at every moment from `begins` up to, not including,
    `ends`. It is so or not from one edge of a band to the next, so the edges are what is looked at.
    """
    first, last = (moment.astimezone(CHINA).date() for moment in (begins, ends - timedelta(microseconds=1)))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    edges = {0}.union(*((band.first, band.last) for band in rule.bands))
    moments = {datetime.combine(day, time(), CHINA) + timedelta(minutes=edge) for day in days for edge in edges}
    open_days = all(rule.first <= day and (rule.last is None or day <= rule.last) for day in days)
    return open_days and all(not rule.bands or any(in_band(book, band, moment) for band in rule.bands)
                             for moment in {begins, *moments} if begins <= moment < ends)
