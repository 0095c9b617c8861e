"""Two persons release blocks that were held back from gates (放行): one asks for it, another one does it (I13)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.cards.models import Card, ListHold
from zhengka.cards.services.status import ask_for
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import perform


@transaction.atomic
def ask_release(hold: ListHold, why: str, *, seen: int, by: Actor, request_id: UUID, at: datetime) -> ListHold:
    """Say that these blocks are meant (提请放行): the first of two persons. `seen`: how many cards they looked at.

    `Refusal`: `reason-missing`, `hold-changed`, what `perform` says.
    """
    return perform(hold, "ask_release", {"asked_person": by.person}, by=by, request_id=request_id, at=at,
                   reason=_said(why), seen=seen)


@transaction.atomic
def keep_held(hold: ListHold, why: str, *, by: Actor, request_id: UUID, at: datetime) -> ListHold:
    """Do not release them yet (不予放行). The mistake itself is put right card by card: what is not blocked any more
    falls out of the hold by itself.
    """
    return perform(hold, "keep_held", {"asked_person": ""}, by=by, request_id=request_id, at=at, reason=_said(why))


@transaction.atomic
def release(hold: ListHold, *, seen: int, by: Actor, request_id: UUID, at: datetime) -> ListHold:
    """Release them (放行), as another person than who asked: gates are told at once.

    `Refusal`: `same-person`, `hold-changed`, what `perform` says.
    """
    hold = perform(hold, "release", {"released_person": by.person, "ended_at": at}, by=by, request_id=request_id,
                   at=at, seen=seen)
    cards = Card.objects.filter(pk__in=hold.held.filter(out_at=None).values("card_id"))
    ask_for(cards.values_list("status_list", flat=True).distinct())
    return hold


def _said(why: str) -> str:
    said = " ".join(why.split())
    if not said:
        raise Refusal("reason-missing")
    return said
