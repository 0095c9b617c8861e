"""What may be read about cards."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from zhengka.cards import rules
from zhengka.cards.models import Card, StatusPublication
from zhengka.core.actors import Actor
from zhengka.core.dated import choose, read
from zhengka.core.errors import Refusal
from zhengka.formats import chip
from zhengka.formats.verdict import CHINA

AT_A_GATE = ("state", "profile", "issued_on", "valid_until", "active_until", "serial", "area__name", "area__name_en",
             "area__parent__name", "area__parent__name_en", "holder__name", "certificate__number",
             "certificate__category", "certificate__grade")
"""What of a card and its holder is read when it is presented."""


def get(card_id: int, *, actor: Actor) -> Card:
    """A card of the actor's area with holder, certificate and office; `Refusal("not-found")`."""
    return _one(_whole().filter(pk=card_id, area__code__range=(actor.lo, actor.hi)))


def by_serial(serial: str, *, actor: Actor) -> Card:
    """The card with this serial (16 digits) in the actor's area; `Refusal("not-found")`."""
    return _one(_whole().filter(serial=serial, area__code__range=(actor.lo, actor.hi)))


def by_token(token: bytes) -> Card:
    """The card that a signed credential names, wherever it belongs; `Refusal("not-found")`.

    Only what a gate needs is read at once, for this is asked more often than all else.
    """
    return _one(_whole().select_related("area__parent").only(*AT_A_GATE).filter(token=token))


def of_holder(holder_id: int) -> QuerySet[Card]:
    """All cards that a holder ever had, the newest first."""
    return Card.objects.filter(holder_id=holder_id).order_by("-ordered_at", "-pk")


def worklist(actor: Actor, state: str, *, after: tuple[int, int] = (0, 0), limit: int = 50) -> list[Card]:
    """Cards of one state in the actor's area, with their holders, by office and id, from the place `after`."""
    return list(_whole().filter(state=state, area__code__range=(actor.lo, actor.hi)).filter(
        Q(area__code__gt=after[0]) | Q(area__code=after[0], pk__gt=after[1])).order_by("area", "pk")[:limit])


def counts(actor: Actor) -> dict[str, int]:
    """How many cards of the actor's area are in each state."""
    found = Card.objects.filter(area__code__range=(actor.lo, actor.hi)).values_list("state").annotate(n=Count("pk"))
    return dict(found.order_by("state"))


def counts_by_area(actor: Actor) -> dict[int, dict[str, int]]:
    """The same for each issuing office of the area: 12-digit code → state → number."""
    found = Card.objects.filter(area__code__range=(actor.lo, actor.hi)).values_list("area", "state")
    result: dict[int, dict[str, int]] = {}
    for area, state, number in found.annotate(n=Count("pk")).order_by("area", "state"):
        result.setdefault(area, {})[state] = number
    return result


@dataclass(frozen=True)
class Group:
    """Cards that wait for a batch together: an issuing unit, a card profile, how many."""

    area: int
    name: str
    name_en: str
    profile: str
    cards: int


def ordered_groups(actor: Actor) -> list[Group]:
    """The ordered cards of the actor's area by issuing unit and profile."""
    rows = Card.objects.filter(state="ordered", area__code__range=(actor.lo, actor.hi)).values_list(
        "area", "area__name", "area__name_en", "profile").annotate(n=Count("pk")).order_by("area", "profile")
    return [Group(*row) for row in rows]


def gate_state(card: Card, at: datetime) -> str:
    """What a gate must think of the card at this time: `valid`, or the reason why not (`rules.standing`)."""
    return rules.standing(card.state, active_until=card.active_until, valid_until=card.valid_until,
                          today=at.astimezone(CHINA).date())


def may_be_activated(card: Card, at: datetime) -> bool:
    """True where the first year, or the next one of an active card, can be activated at this time."""
    today = at.astimezone(CHINA).date()
    if card.state == "active" and card.active_until is not None:
        return today >= rules.opens(policy(card.area_id, today), card.active_until)
    return card.state == "issued"


def publications() -> QuerySet[StatusPublication]:
    """The newest published version of each status list."""
    return StatusPublication.objects.exclude(digest="").order_by("list_number", "-number").distinct("list_number")


def policy(area: int, on: date) -> rules.Policy:
    """The card policy of an area on a day; `Refusal("policy-missing")` where no file covers it."""
    found = choose(_policies(Path(settings.DATA) / "policies"), area, on)
    if found is None:
        raise Refusal("policy-missing", area=area)
    return found


def profile(name: str) -> chip.Profile:
    """A card profile by its name in `data/profiles`; `Refusal("profile-missing")`."""
    path = Path(settings.DATA) / "profiles" / f"{name}.toml"
    if not path.is_file():
        raise Refusal("profile-missing", profile=name)
    return _profile(path)


def _whole() -> QuerySet[Card]:
    return Card.objects.select_related("holder", "certificate", "area")


def _one(found: Iterable[Card]) -> Card:
    for card in found:
        return card
    raise Refusal("not-found")


@lru_cache(maxsize=4)
def _policies(folder: Path) -> tuple[rules.Policy, ...]:
    files = sorted(folder.glob("*.toml"))
    return tuple(rules.load(read(path)) for path in files)


@lru_cache(maxsize=16)
def _profile(path: Path) -> chip.Profile:
    return chip.load(tomllib.loads(path.read_text()), source=path.name)
