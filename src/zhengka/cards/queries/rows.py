"""What may be read about cards."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Max, Q, QuerySet

from zhengka.cards import activation, rules
from zhengka.cards.activation import Activation, Dates, Outlook
from zhengka.cards.models import ASKED, Card, ChipOrder, Reminder, StatusPublication, Stop
from zhengka.cards.queries.tables import policy, profile
from zhengka.cards.workflow import BLOCKED, OUT_OF_LIFE, PROVED
from zhengka.core import files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats import statuslist
from zhengka.formats.statuslist import BadStatusList, Status
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as keys

AT_A_GATE = ("state", "profile", "issued_on", "valid_until", "active_until", "serial", "area__name", "area__name_en",
             "area__parent__name", "area__parent__name_en", "holder__name", "certificate__state",
             "certificate__number", "certificate__category", "certificate__grade")
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


def some(ids: Iterable[int], *, actor: Actor) -> list[Card]:
    """These cards, as far as they are the actor's, with their holders, by office and id."""
    return list(_whole().filter(pk__in=list(ids), area__code__range=(actor.lo, actor.hi)).order_by("area", "pk"))


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


def stops(actor: Actor) -> QuerySet[Stop]:
    """The stops of issuing that touch the actor's area, those that stand first, the newest first."""
    return Stop.objects.filter(area__lte=actor.hi, last__gte=actor.lo).select_related("area").annotate(
        over=Q(state="lifted")).order_by("over", "-pk")


def stop(stop_id: int, *, actor: Actor) -> Stop:
    """One of them; `Refusal("not-found")`."""
    for row in stops(actor).filter(pk=stop_id):
        return row
    raise Refusal("not-found")


def gate_state(card: Card, at: datetime) -> str:
    """What a gate must think of the card at this time: `valid`, or the reason why not (`rules.standing`)."""
    return standing(card.state, card.certificate.state, (card.active_until, card.valid_until), card.area_id, at)


def standing(state: str, certificate: str, ends: tuple[date | None, date | None], area: int, at: datetime) -> str:
    """`gate_state` of a card of which only this is known: its state and its certificate's, the last days of its term
    and of its legal validity, its office.
    """
    today, (passes, valid_until) = at.astimezone(CHINA).date(), ends
    if passes is not None and passes < today:  # only then do days of grace matter, and this is asked most often of all
        passes = activation.passes_until(policy(area, today).activation, passes)
    return rules.standing(state, certificate, passes_until=passes, valid_until=valid_until, today=today)


def dates(card: Card, rule: Activation) -> Dates:
    """What the term of a card depends on; the holder's birth is read only where the `rule` asks for it."""
    return Dates(card.active_until, card.issued_on, card.holder.birth_date if rule.of == "birth" else None)


def running(card: Card) -> date | None:
    """The last day of the latest term that a holder's other cards gave for what this one proves: lost, damaged or of an
    older grade, they are followed by this one, which makes no term shorter. Not of a certificate that was cancelled.
    """
    others = Card.objects.filter(holder_id=card.holder_id, certificate__state__in=PROVED).exclude(pk=card.pk)
    last: date | None = others.aggregate(last=Max("active_until"))["last"]
    return last


def may_be_activated(card: Card, at: datetime) -> bool:
    """True where the first term, or the next one of an active card, can be activated at this time."""
    today = at.astimezone(CHINA).date()
    if card.state == "active":
        rule = policy(card.area_id, today).activation
        return activation.is_open(rule, dates(card, rule), today)
    return card.state == "issued"


def outlook(card: Card, at: datetime) -> Outlook | None:
    """Where a card's activation stands (`activation.outlook`); None for a card that is not in its holder's use."""
    if card.state not in ("issued", "active"):
        return None
    today = at.astimezone(CHINA).date()
    rule = policy(card.area_id, today).activation
    of_card = dates(card, rule)  # a card that goes on with a term that was cut short has it once it is activated
    return activation.outlook(rule, of_card if card.state == "active" else of_card._replace(ends=None), today)


def channels(card: Card, at: datetime) -> tuple[str, ...]:
    """By which channels an officer may activate this card, as its region allows: those in which the holder is seen."""
    allowed = policy(card.area_id, at.astimezone(CHINA).date()).activation.channels
    return tuple(channel for channel in activation.IN_PERSON if channel in allowed)


def use_counts(card: Card, at: datetime) -> bool:
    """True where a use of this active card counts as its activation now: by the region's policy, in the window."""
    today = at.astimezone(CHINA).date()
    rule = policy(card.area_id, today).activation
    return "use" in rule.channels and card.state == "active" and activation.is_open(rule, dates(card, rule), today)


ENDING = {"7": (0, 7), "30": (8, 30), "60": (31, 60), "over": (-(10**5), -1)}
"""Cards whose term ends: name of the group → fewest and most days that are left."""


def ending(actor: Actor, group: str, today: date, *, after: tuple[int, int] = (0, 0), limit: int = 50) -> list[Card]:
    """Active cards of the actor's area in one group of `ENDING`, with their holders, by office and id."""
    return list(_whole().filter(state="active", area__code__range=(actor.lo, actor.hi),
                                active_until__range=_ends(group, today)).filter(
        Q(area__code__gt=after[0]) | Q(area__code=after[0], pk__gt=after[1])).order_by("area", "pk")[:limit])


@dataclass(frozen=True)
class Office:
    """How many cards of an office are in each group of `ENDING`."""

    area: int
    name: str
    name_en: str
    cards: dict[str, int]


def ending_by_area(actor: Actor, today: date) -> list[Office]:
    """How many cards are in each group of `ENDING`, for each office of the actor's area that has any."""
    last = _ends("60", today)[1]
    rows = Card.objects.filter(state="active", area__code__range=(actor.lo, actor.hi), active_until__lte=last)
    counted = {f"n{group}": Count("pk", filter=Q(active_until__range=_ends(group, today))) for group in ENDING}
    found = rows.values_list("area", "area__name", "area__name_en").annotate(**counted).order_by("area")
    return [Office(area, name, name_en, dict(zip(ENDING, numbers, strict=True)))
            for area, name, name_en, *numbers in found]


def _ends(group: str, today: date) -> tuple[date, date]:
    fewest, most = ENDING[group]
    return today + timedelta(days=fewest), today + timedelta(days=most)


@dataclass(frozen=True)
class Due:
    """What a letter says of a reminder: whose card, its office, the last day of its term, how many days are left, from
    when on it may be activated, the last day of grace, and what stops after that.
    """

    id: int
    card_id: int
    holder_id: int
    area: int
    ends: date
    stage: int
    days_left: int
    opens: date
    grace_until: date
    stops: tuple[str, ...]


def reminders(ids: Iterable[int], on: date) -> list[Due]:
    """What letters need of the reminders that `services.claim_reminders` gave; not of cards that are not active any
    more, or have their next term already.
    """
    found = Reminder.objects.select_related("card__holder").filter(
        pk__in=list(ids), card__state="active", card__active_until=F("ends")).order_by("pk")
    return [_due(reminder, policy(reminder.card.area_id, on).activation, on) for reminder in found]


def _due(reminder: Reminder, rule: Activation, on: date) -> Due:
    card = reminder.card
    return Due(reminder.pk, card.pk, card.holder_id, card.area_id, reminder.ends, reminder.stage,
               (reminder.ends - on).days, activation.opens(rule, dates(card, rule)),
               reminder.ends + timedelta(days=rule.grace_days), rule.stops)


def publications() -> QuerySet[StatusPublication]:
    """The newest published version of each status list."""
    return StatusPublication.objects.exclude(digest="").order_by("list_number", "-number").distinct("list_number")


def told_to_gates(card_ids: Iterable[int], *, at: datetime) -> bool:
    """True once the published status lists name each of these cards as not valid: what no list names passes offline.

    For cards that nobody may use yet. A list that gates would not trust at this time names nobody.
    """
    places = defaultdict[int | None, list[int]](list)
    for number, index in Card.objects.filter(pk__in=list(card_ids)).values_list("status_list", "status_index"):
        places[number].append(index or 0)
    published = {one.list_number: one.digest for one in publications().filter(list_number__in=[*filter(None, places)])}
    return all(number in published and _names(published[number], indexes, at) for number, indexes in places.items())


def _names(digest: str, indexes: Sequence[int], at: datetime) -> bool:
    try:
        said = statuslist.parse(files.get(digest), keys=keys.key_set(), at=at)
        return all(said.status(index) is not Status.VALID for index in indexes)
    except (BadStatusList, FileNotFoundError):
        return False


CHIP_IN_USE = ("issued", "active")
"""States of a card whose chip may be told new data, files and keys."""


@dataclass(frozen=True)
class ChipDue:
    """What the chip of a card is to be told next (`what`, "" for nothing), with the last day of its term if it is that;
    the order by which that was asked for before, if any; and orders that no longer hold.
    """

    what: str
    until: date | None
    given: ChipOrder | None
    over: tuple[ChipOrder, ...]


def chip_due(card: Card) -> ChipDue:
    """What the chip of a card is still to be told: first whether it is blocked, then what an officer asked for, new
    files and keys before new data, then its term.
    """
    given = list(ChipOrder.objects.filter(card=card).order_by("-ordered_at", "-pk"))
    what, until = _owed(card, given)
    waiting = {row.what: row for row in given if row.state == "ordered"}
    ended = card.state in OUT_OF_LIFE
    over = [row for row in waiting.values()
            if (ended if row.what in ASKED else (row.what, row.until) != (what, until))]
    if what not in ("block", "unblock") and card.state in CHIP_IN_USE:
        asked = next((waiting[one] for one in ASKED if one in waiting), None)
        if asked is not None:
            return ChipDue(asked.what, None, asked, tuple(over))
    return ChipDue(what, until, waiting.get(what) if waiting.get(what) not in over else None, tuple(over))


def may_tell(card: Card, term: date) -> bool:
    """Whether the card's chip may say that its term ends on this day: the one for which it vouched or with which it was
    made; where nobody knows what it took since, none that is later than all that were ever given.
    """
    given = list(ChipOrder.objects.filter(card=card, what="activate").order_by("-ordered_at", "-pk"))
    if card.state == "active" and _owed(card, given)[0] != "activate":
        return term == card.active_until
    return term <= max(filter(None, [card.issued_on, card.active_until, *(row.until for row in given)]), default=term)


def has_pin(card: Card) -> bool:
    """Whether the chip of this card has a slot for a PIN (口令)."""
    return any(each.pins for each in profile(card.profile).ours)


def chip_orders(card: Card) -> list[ChipOrder]:
    """What the chip of a card was told or is to be told, the newest first."""
    return list(ChipOrder.objects.filter(card=card).order_by("-ordered_at", "-pk"))


def _owed(card: Card, given: Sequence[ChipOrder]) -> tuple[str, date | None]:
    """The next thing in the card's own row of which it is not known that its chip says it, if any: whether it is
    blocked, then its term. `given`: all its orders, the newest first.
    """
    if card.state in OUT_OF_LIFE and card.state != "cancelled":
        return "", None  # it is in nobody's use: least of all is it unblocked when it turns up
    last = next((row for row in given if row.what in ("block", "unblock")), None)
    wanted = "block" if card.state in (*BLOCKED, "cancelled") else "unblock"
    if (last.what if last else "unblock") != wanted or (last is not None and last.state != "applied"):
        return wanted, None
    if card.state != "active" or card.active_until is None:
        return "", None
    term = next((row for row in given if row.what == "activate"), None)
    if term is not None and (term.until, term.state) == (card.active_until, "applied"):
        return "", None
    if term is None and card.active_until == card.issued_on:  # with this day it was made
        return "", None
    return "activate", card.active_until


def _whole() -> QuerySet[Card]:
    return Card.objects.select_related("holder", "certificate", "area")


def _one(found: Iterable[Card]) -> Card:
    for card in found:
        return card
    raise Refusal("not-found")
