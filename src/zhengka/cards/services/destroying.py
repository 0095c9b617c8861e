"""Cards that are good for nothing are destroyed by two persons (销毁): one proposes it, another one does it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD, IN_PRODUCTION, TO_DESTROY
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Done, Many, perform_many, sub
from zhengka.core.models import Event

STANDS_FOR = (*IN_PRODUCTION, "active", "suspended", "frozen")
"""States of another card of the holder, with which the one that is destroyed is not missed."""


@transaction.atomic
def condemn_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Propose that cards are destroyed (提请销毁): spoiled, suspect or ended ones that lie here.

    Left alone, by reason: `step-not-open`, `card-condemned` where somebody proposed it before, `card-not-replaced`
    where the holder's certificate holds and no other card was ordered or is in use. `Refusal("not-permitted")`.
    """
    rows, left = locked("condemn", TO_DESTROY, card_ids, by, request_id)
    left["card-condemned"] = sum(bool(card.condemned_person) for card in rows)
    bare = [card for card in rows if not card.condemned_person]
    moved = move("condemn", unmissed(bare, left), by, request_id, at, also=", condemned_person = %(person)s")
    return Done(moved, dict(+left))


@transaction.atomic
def spare_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Take the proposal back (不予销毁): the cards wait as before. `Refusal("not-permitted")`; left alone, by reason:
    `step-not-open`, `card-not-condemned`.
    """
    rows, left = locked("spare", TO_DESTROY, card_ids, by, request_id)
    left["card-not-condemned"] = sum(not card.condemned_person for card in rows)
    moved = move("spare", [card for card in rows if card.condemned_person], by, request_id, at,
                 also=", condemned_person = ''")
    return Done(moved, dict(+left))


@transaction.atomic
def destroy_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Destroy cards that another person proposed (销毁): an event for each, and no card comes back from it.

    `Refusal("not-permitted")`; left alone, by reason: `step-not-open`, `card-not-condemned`, `same-person` where this
    person proposed it, `card-not-replaced` where what stood for it has ended since.
    """
    rows, left = locked("destroy", TO_DESTROY, card_ids, by, request_id)
    moved = move("destroy", unmissed(allowed("destroy", rows, by, left), left), by, request_id, at,
                 also=", destroyed_person = %(person)s")
    return Done(moved, dict(+left))


def locked(action: str, states: Sequence[str], ids: Sequence[int], by: Actor, request_id: UUID,
           ) -> tuple[list[Card], Counter[str]]:
    """The cards of these that are in one of the `states`, from which the step may be taken, locked; the others are
    counted as `step-not-open`. What an earlier answer to the same request moved is neither: a repeat moves nothing.
    """
    permission = CARD.step(states[0], action).permission
    if not by.may(permission):
        raise Refusal("not-permitted", permission=permission)
    told = [sub(sub(request_id, state), pk) for pk in ids for state in states]
    wanted = sorted(set(ids) - set(Event.objects.filter(request_id__in=told).values_list("subject_id", flat=True)))
    rows = list(Card.objects.filter(pk__in=wanted, state__in=states, area__code__range=(by.lo, by.hi)).order_by(
        "pk").select_for_update(of=("self",)))
    return rows, Counter({"step-not-open": len(wanted) - len(rows)})


def allowed(action: str, rows: Sequence[Card], by: Actor, left: Counter[str]) -> list[Card]:
    """Those of the cards with which the guards of the step let this person take it; the others are counted in `left`,
    by reason.
    """
    fit = []
    for card in rows:
        try:
            for guard in CARD.step(card.state, action).guards:
                guard(card, {"by": by})
        except Refusal as no:
            left[no.code] += 1
        else:
            fit.append(card)
    return fit


def unmissed(rows: Sequence[Card], left: Counter[str]) -> list[Card]:
    """The cards but those whose holder would be left without any, which are counted in `left` as `card-not-replaced`:
    the certificate holds, and nothing stands for them.
    """
    other = Card.objects.filter(holder=OuterRef("holder"), state__in=STANDS_FOR).exclude(pk=OuterRef("pk"))
    missed = set(Card.objects.filter(Q(certificate__state="valid", successor=None), ~Exists(other),
                                     pk__in=[card.pk for card in rows]).values_list("pk", flat=True))
    left["card-not-replaced"] = len(missed)
    return [card for card in rows if card.pk not in missed]


def move(action: str, rows: Sequence[Card], by: Actor, request_id: UUID, at: datetime, *, also: str) -> int:
    """Take the step with the cards, whatever state each is in; how many moved."""
    states = sorted({card.state for card in rows})
    return sum(len(perform_many(Many(Card, [card.pk for card in rows if card.state == state], state, also=also), action,
                                by=by, request_id=sub(request_id, state), at=at)) for state in states)
