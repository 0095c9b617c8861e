"""From the counter to the gate: handed over, activated year by year, lost and found (领取, 激活, 挂失, 解挂)."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import takewhile
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from zhengka.cards import activation, queries
from zhengka.cards.models import Card
from zhengka.cards.services.activation import allow, facts_of, many
from zhengka.cards.services.chips import supersede_all
from zhengka.cards.services.reminding import tell_blocked, tell_found, tell_ready
from zhengka.cards.services.status import ask_for_lists
from zhengka.cards.services.stopping import not_stopped
from zhengka.cards.workflow import BLOCKED, CARD, IN_PRODUCTION
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform, perform_many, replayed, sub
from zhengka.core.models import Event
from zhengka.formats.verdict import CHINA
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate

BLOCKED_BY_A_NEW_CARD = ("active", "suspended", "frozen")
"""States of an older card that ends when a new one becomes usable (I1)."""


@transaction.atomic
def hand_over(card: Card, *, looked: bool = False, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Hand a finished card to its holder (领取) and take the second-generation certificate back (交回). `looked`: the
    officer has compared it with the record, which the event keeps. `Refusal("issuing-stopped")`.
    """
    if not replayed(request_id, Card.kind(), card.pk):
        not_stopped(card.area_id)
    registry.hold([card.holder_id])
    facts = {"looked": True} if looked else {}
    card = perform(card, "hand_over", {"handed_over_at": at}, by=by, request_id=request_id, at=at, **facts)
    old = Certificate.objects.filter(holder_id=card.holder_id, generation=2, state="valid").first()
    if old is not None:
        registry.return_certificate(old, by=by, request_id=sub(request_id, "certificate"), at=at)
    return card


@transaction.atomic
def hand_over_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """Hand over many cards (a village's round of visits), as `hand_over` does; the ids of those that moved.

    `Refusal("issuing-stopped")`, and nothing done, where one of them is of an area in which issuing is stopped.
    """
    not_stopped(*Card.objects.filter(pk__in=card_ids, state="ready").values_list("area", flat=True).distinct())
    registry.hold(_holders(card_ids))
    holding = Card.objects.filter(pk__in=card_ids, certificate__state="valid").values_list("pk", flat=True)
    moved = perform_many(Many(Card, list(holding), "ready", also=", handed_over_at = %(at)s"), "hand_over", by=by,
                         request_id=request_id, at=at)
    holders = list(Card.objects.filter(pk__in=moved).values_list("holder_id", flat=True))
    registry.return_certificates_many(holders, by=by, request_id=sub(request_id, "certificate"), at=at)
    return moved


@transaction.atomic
def activate(card: Card, *, channel: str = "counter", evidence: str = "", by: Actor, request_id: UUID,
             at: datetime) -> Card:
    """Make a handed-over card usable for its first term (激活), or an active one for the next (年度激活).

    The same transaction ends every older card of the holder, so that never two are usable (I1). The legal validity
    of ten years is not touched. `channel`: how the holder was seen, of `activation.CHANNELS`; `evidence`: the number
    of a record of it. `Refusal`: `activation-not-due` before the region's window opens, `channel-not-allowed`,
    `activation-in-person`, `evidence-wrong`.
    """
    registry.hold([card.holder_id])
    today, facts = _day(at), facts_of(channel, evidence)
    rule = queries.policy(card.area_id, today).activation
    (card, *older) = _with_older([card.pk])
    allow(rule, channel, first=card.state == "issued")
    for old in older if card.state == "issued" else []:
        perform(old, "supersede", by=by, request_id=sub(request_id, old.pk), at=at)
    dates = queries.dates(card, rule)
    if card.state == "active" and not activation.is_open(rule, dates, today):
        facts["opens"] = activation.opens(rule, dates).isoformat()
    until = activation.until(rule, dates, today)
    if card.state == "issued":
        until = max(until, queries.running(card) or until)
    card = perform(card, "activate", {"active_until": until}, by=by, request_id=request_id, at=at,
                   until=until.isoformat(), **facts)
    ask_for_lists([card, *older])
    return card


@transaction.atomic
def activate_many(card_ids: Sequence[int], *, channel: str = "counter", evidence: str = "", by: Actor,
                  request_id: UUID, at: datetime) -> list[int]:
    """Activate many handed-over cards for the first time, as `activate` does; the ids of those that moved.

    `Refusal` where the policy of one of them does not allow the channel.
    """
    registry.hold(_holders(card_ids))
    facts, moved = facts_of(channel, evidence), list[int]()
    issued = Card.objects.filter(pk__in=card_ids, state="issued", certificate__state="valid",
                                 area__code__range=(by.lo, by.hi))
    for area in sorted(set(issued.values_list("area", flat=True))):
        rule = queries.policy(area, _day(at)).activation
        allow(rule, channel, first=True)
        ids = list(issued.filter(area=area).values_list("pk", flat=True))
        moved += _activate_all(many(rule, ids, "issued", facts, _day(at)), by=by, request_id=request_id, at=at)
    return moved


@transaction.atomic
def report_lost(card: Card, *, record: int | None = None, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Suspend a lost card (挂失): refused online when this commits, offline from the next list (I12). Its holder is
    told, for it may be somebody else who reported it. `record`: the number of what it was reported with, if any.
    """
    facts = {"record": record} if record else {}
    card = perform(card, "report_lost", by=by, request_id=request_id, at=at, **facts)
    ask_for_lists([card])
    tell_blocked(card, at=at)
    return card


@transaction.atomic
def report_found(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Lift the suspension of a card that was found (解挂): accepted again at once, offline from the next list. Its
    holder is told. `Refusal("certificate-not-valid")` where what the card proves is frozen or has ended.
    """
    registry.hold([card.holder_id])
    proved = card.certificate if card.certificate.state != "replaced" else registry.current(card.holder_id)
    state = proved.state if proved else "replaced"
    card = perform(card, "report_found", by=by, request_id=request_id, at=at,
                   **({} if state == "valid" else {"certificate": state}))
    ask_for_lists([card])
    tell_found(card, at=at)
    return card


@transaction.atomic
def cancel_all(holder_id: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """End every card of a holder for good (作废); refused online when this commits.

    One that lies in a batch is held out of it when the batch is prepared; one that is prepared already is made, for
    its package is sealed, and set aside to be destroyed when it comes back from the maker.
    """
    ends = [step.source for step in CARD.steps if step.action == "cancel"]
    rows = Card.objects.filter(holder_id=holder_id, state__in=ends).order_by("pk")
    return _each("cancel", list(rows), by=by, request_id=request_id, at=at)


@transaction.atomic
def withdraw(certificate_id: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """End the cards of a certificate that has ended, as far as none was used: another certificate of the holder needs
    one. In a batch they go the way that `cancel_all` says.
    """
    rows = Card.objects.filter(certificate_id=certificate_id, state__in=IN_PRODUCTION)
    return _each("cancel", list(rows.order_by("pk")), by=by, request_id=request_id, at=at)


@transaction.atomic
def withdraw_all(holder_id: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """End the cards of a holder that were never in use, as `withdraw` does: the office to which the holder moves makes
    its own.
    """
    rows = Card.objects.filter(holder_id=holder_id, state__in=IN_PRODUCTION).order_by("pk")
    return _each("cancel", list(rows), by=by, request_id=request_id, at=at)


@transaction.atomic
def cancel_many(holder_ids: Sequence[int], certificate_ids: Sequence[int], *, by: Actor, request_id: UUID,
                at: datetime) -> None:
    """`cancel_all` for these holders and `withdraw` for these certificates that have ended, by one statement for each
    state. `Refusal("not-found")`, and nothing done, where one of the cards is not in the actor's area.
    """
    ends = [step.source for step in CARD.steps if step.action == "cancel"]
    rows = Card.objects.filter(Q(holder_id__in=holder_ids, state__in=ends)
                               | Q(certificate_id__in=certificate_ids, state__in=IN_PRODUCTION))
    found = list(rows.order_by("pk").select_for_update(of=("self",)))
    moved = [pk for state in sorted({card.state for card in found})
             for pk in perform_many(Many(Card, [card.pk for card in found if card.state == state], state), "cancel",
                                    by=by, request_id=request_id, at=at)]
    if len(moved) != len(found):
        raise Refusal("not-found")
    ask_for_lists(found)


@transaction.atomic
def freeze_all(holder_id: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """Let gates refuse a holder's card while the certificate is frozen (冻结); the days count also of one that was
    reported lost.
    """
    rows = Card.objects.filter(holder_id=holder_id, state__in=("active", "suspended")).order_by("pk")
    return _each("freeze", list(rows), by=by, request_id=request_id, at=at)


@transaction.atomic
def unfreeze_all(holder_id: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """Let a holder's card pass again (解冻), its term longer by the frozen days; one that was reported lost has them
    too, and stays refused. A holder for whom one lies ready is told of it now.
    """
    done = []
    for card in Card.objects.filter(holder_id=holder_id, state__in=BLOCKED).order_by("pk"):
        until = term_without_the_stop(card, at)
        done.append(perform(card, "unfreeze", {"active_until": until}, by=by, request_id=sub(request_id, card.pk),
                            at=at, until=until.isoformat() if until else ""))
    ask_for_lists(done)
    tell_ready(list(Card.objects.filter(holder_id=holder_id, state="ready").values_list("pk", flat=True)), at=at)
    return done


def term_without_the_stop(card: Card, at: datetime) -> date | None:
    """The last day of a card's term as if the days had not counted on which it was frozen or cancelled, up to now;
    None for one that was never activated.
    """
    told = Event.objects.filter(subject="card", subject_id=card.pk, action__in=("freeze", "unfreeze", "cancel"))
    stops = takewhile(lambda event: event.action != "unfreeze", told.order_by("-version"))
    since = min((event.at for event in stops), default=at)  # one that was frozen when it ended has stood since then
    return card.active_until and card.active_until + (_day(at) - _day(since))


@transaction.atomic
def move_all(holder_id: int, area: int, *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    """A holder's cards go to another office with the certificate (迁移)."""
    rows = Card.objects.filter(holder_id=holder_id, state__in=("active", *BLOCKED)).order_by("pk")
    done = []
    for card in rows:
        supersede_all(card, request_id=sub(request_id, card.pk), at=at)
        done.append(perform(card, "move", {"area_id": area}, by=by, request_id=sub(request_id, card.pk), at=at,
                            was=card.area_id))
    return done


def _each(action: str, cards: list[Card], *, by: Actor, request_id: UUID, at: datetime) -> list[Card]:
    done = [perform(card, action, by=by, request_id=sub(request_id, card.pk), at=at) for card in cards]
    ask_for_lists(done)
    return done


def _holders(card_ids: Sequence[int]) -> list[int]:
    return list(Card.objects.filter(pk__in=card_ids).values_list("holder_id", flat=True))


def _with_older(card_ids: Sequence[int]) -> list[Card]:
    """The cards, then the older cards of their holders that could still be used; all locked in one order."""
    holders = Card.objects.filter(pk__in=card_ids).values("holder_id")
    locked = Card.objects.filter(holder_id__in=holders, state__in=("issued", *BLOCKED_BY_A_NEW_CARD))
    rows = {card.pk: card for card in locked.order_by("pk").select_for_update(of=("self",))}
    asked = [rows.pop(pk) if pk in rows else Card.get(pk) for pk in card_ids]
    return [*asked, *rows.values()]


def _activate_all(first: Many, *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    rows = _with_older(first.ids)
    holders = {card.holder_id for card in rows[:len(first.ids)] if card.state == "issued"}
    for state in BLOCKED_BY_A_NEW_CARD:
        old = [card.pk for card in rows if card.holder_id in holders and card.state == state]
        perform_many(Many(Card, old, state), "supersede", by=by, request_id=request_id, at=at)
    ask_for_lists(rows)
    return perform_many(first, "activate", by=by, request_id=request_id, at=at)


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
