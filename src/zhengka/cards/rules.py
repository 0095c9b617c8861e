"""Policies of cards, and what a card's row means at a gate. Pure: days come in, days and words go out."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from zhengka.cards import activation
from zhengka.cards.activation import Activation
from zhengka.cards.workflow import BLOCKED, OUT_OF_LIFE, PROVED
from zhengka.core.dated import FileRefused, Table, choose
from zhengka.formats.credential import LIST_SIZE
from zhengka.formats.statuslist import Status

REFRESH: Final = timedelta(hours=12)
"""A status list is signed again after this time though nothing changed, so that gates see that it is young."""
NEXT_UPDATE: Final = timedelta(hours=24)
"""Until when a list says that it should be replaced."""
DELTAS: Final = 64
"""So many deltas of a list are kept: of the way to the newest version from as many before it."""
BUNDLE_REFRESH: Final = timedelta(minutes=50)
"""A bundle is signed again after this time though nothing changed; asked for every hour."""
MAX_AGE: Final = timedelta(hours=72)
"""How old a bundle may be for a gate to let pass by it."""

LEFT_OUT: Final = 1_000_000
"""Serials and places that are left out when an old backup comes back: more than are given between two backups."""

STATUS_OF: Final = {
    "valid": Status.VALID, "revoked": Status.REVOKED, "suspended": Status.SUSPENDED,
    "not-activated": Status.INACTIVE, "activation-lapsed": Status.INACTIVE}
"""What a status list says of each standing; `expired` needs no bits, for the credential carries its own last day."""

_SUITES: Final = ("SM", "INTL")
_LISTS: Final = 2**7
"""Most status lists of one province in one suite: 134 million cards."""


class Policy(NamedTuple):
    """A card policy (证卡政策) of the areas from `lo` to `hi`, in force from `valid_from` on."""

    code: str
    lo: int
    hi: int
    valid_from: date
    profile: str
    valid_years: int
    activation: Activation


def load(table: Table) -> Policy:
    """The policy that a file holds. Raises `FileRefused`."""
    code, (lo, hi), valid_from = table.take("code", str), table.area(), table.take("valid_from", date)
    card, validity, active = (table.table(name) for name in ("card", "validity", "activation"))
    policy = Policy(code, lo, hi, valid_from, card.take("profile", str), validity.take("years", int),
                    activation.load(active))
    for part in (table, card, validity):
        part.end()
    if not 1 <= policy.activation.years <= policy.valid_years <= 50:
        raise FileRefused("value-out-of-range", table.place, "years")
    return policy


def load_all(tables: Iterable[Table]) -> tuple[Policy, ...]:
    """Every policy of a folder's files. Raises `FileRefused`, also where two say what holds from one day on."""
    found: dict[tuple[int, int, date], Policy] = {}
    for table in tables:
        policy = load(table)
        if found.setdefault((policy.lo, policy.hi, policy.valid_from), policy) is not policy:
            raise FileRefused("dates-overlap", table.place, policy.code)
    return tuple(found.values())


def ranges(policies: Iterable[Policy], on: date) -> list[tuple[int, int, Policy]]:
    """Which policy holds where on a day: ranges of areas from `lo` to `hi` that do not overlap, in order."""
    held = list(policies)
    edges = sorted({edge for policy in held for edge in (policy.lo, policy.hi + 1)})
    found = ((lo, following - 1, choose(held, lo, on)) for lo, following in pairwise(edges))
    return [(lo, hi, policy) for lo, hi, policy in found if policy is not None]


def anniversary(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February where there is none."""
    return activation.day_in(day.year + years, (day.month, day.day))


def standing(state: str, certificate: str = "valid", *, passes_until: date | None, valid_until: date | None,
             today: date) -> str:
    """What a gate must think of a card: `valid`, or the one reason why not. Days are inclusive; `passes_until`: of the
    present activation, with its days of grace (`activation.passes_until`); `certificate`: its state.

    `revoked`, `expired`, `suspended`, `not-activated`, `activation-lapsed`.
    """
    if state in OUT_OF_LIFE:
        return "revoked"
    if valid_until is not None and today > valid_until:
        return "expired"
    if state in BLOCKED or certificate not in PROVED:
        return "suspended"
    if state != "active" or passes_until is None:
        return "not-activated"
    return "valid" if today <= passes_until else "activation-lapsed"


def place(province: int, suite: str, number: int) -> int:
    """The running number from which list and index are drawn: each province (two digits) has lists of its own in each
    suite, because each has a key of its own by which places are shuffled.
    """
    if not 0 <= number < _LISTS * LIST_SIZE:
        raise ValueError("the status lists of the province are full")
    return (province * len(_SUITES) + _SUITES.index(suite)) * _LISTS * LIST_SIZE + number


def of_list(list_number: int) -> tuple[int, str]:
    """The province (two digits) and the suite of the cards that stand in a list."""
    province, suite = divmod(list_number // _LISTS, len(_SUITES))
    return province, _SUITES[suite]


def places_of(list_number: int) -> range:
    """The numbers of the sequence of places that fall into a list, whatever its province and suite."""
    first = list_number % _LISTS * LIST_SIZE
    return range(first, first + LIST_SIZE)


def lists_of(province: int, suite: str, first_place: int, last_place: int) -> range:
    """The lists of a province (two digits) in a suite into which these numbers of the sequence of places fall."""
    first = place(province, suite, 0) // LIST_SIZE
    return range(first + first_place // LIST_SIZE, first + min(last_place // LIST_SIZE, _LISTS - 1) + 1)


def next_version(last: int | None, at: datetime) -> int:
    """The number of a list's next version: above the `last` one, and not below the seconds since 1970.

    Verifiers refuse a number lower than one they saw. The registry's memory can go back, to an old backup; time does
    not, and lists are published less often than once in a second.
    """
    return max((last or 0) + 1, int(at.timestamp()))
