"""What the rules of a place say of a card that is shown (优惠判定). Pure: who holds it is asked, never told.

Whoever asks says whether a condition is fulfilled: a gate by its signed lists, the site by the register's row, a
person by the face. So an offline gate, the API and the examples beside the rules are judged by the same lines.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from zhengka.formats.rulebook import CHINA, Band, Rule, Rulebook, Who


class Used(NamedTuple):
    """How often a holder has had a benefit by one rule, today and this month."""

    day: int = 0
    month: int = 0


class Asked(NamedTuple):
    """A card that was shown: when, in which way, whether a condition is fulfilled (None: nobody here knows), whether
    its activation is in force, and how often each rule was used.
    """

    at: datetime
    proof: str
    holds: Callable[[Who], bool | None]
    active: bool
    used: Mapping[str, Used]


class Judged(NamedTuple):
    """What the rules say: a code and the rule that it is about. `given`; `unknown`: it depends on a condition of which
    nobody here knows; or the nearest miss of all rules.
    """

    code: str
    rule: Rule | None = None


MISSES: Final = ("no-rule", "not-entitled", "inactive", "other-way", "wrong-time", "quota-used")
"""Why a rule gives nothing; the later, the nearer it came."""


def judge(book: Rulebook, service: str, venue: str, asked: Asked) -> Judged:
    """What the first rule gives that fits, or why none does."""
    missed = Judged(MISSES[0])
    for rule in open_rules(book, service, venue, asked.at.astimezone(CHINA).date()):
        code = _try(book, rule, asked)
        if code not in MISSES:
            return Judged(code, rule)
        if MISSES.index(code) > MISSES.index(missed.code):
            missed = Judged(code, rule)
    return missed


def open_rules(book: Rulebook, service: str, venue: str, day: date) -> list[Rule]:
    """The rules that speak of a service at a venue on a day."""
    return [rule for rule in book.rules
            if rule.service == service and (not rule.venues or venue in rule.venues)
            and rule.first <= day and (rule.last is None or day <= rule.last)]


def _try(book: Rulebook, rule: Rule, asked: Asked) -> str:
    holds, used = asked.holds(rule.who), asked.used.get(rule.id, Used())
    if holds is False:
        return "not-entitled"
    if rule.activated and not asked.active:
        return "inactive"
    if asked.proof not in rule.proofs:
        return "other-way"
    if rule.bands and not any(in_band(book, band, asked.at) for band in rule.bands):
        return "wrong-time"
    if (rule.day and used.day >= rule.day) or (rule.month and used.month >= rule.month):
        return "quota-used"
    return "unknown" if holds is None else "given"


def in_band(book: Rulebook, band: Band, at: datetime) -> bool:
    """True from the first instant of a band up to, not including, its end."""
    there = at.astimezone(CHINA)
    words = book.words_of(there.date())
    return (band.first <= there.hour * 60 + there.minute < band.last and bool(words & set(band.days))
            and (band.holidays or "holiday" not in words) and (not band.months or there.month in band.months))
