"""How a custody case ends (异常结案): cleared up with a reason, or as a loss that two persons declare."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform, sub
from zhengka.core.models import Event
from zhengka.custody.models import Keeping, Stay, Trouble
from zhengka.custody.services import booklets, carrying
from zhengka.custody.workflow import BY_ANOTHER, OF_A_LOSS
from zhengka.production import services as production

ORDERING: Final = "card.order"


@transaction.atomic
def settle(case: Trouble, reason: str, *, found: Area | None = None, by: Actor, request_id: UUID, at: datetime,
           ) -> Trouble:
    """Close a case that was cleared up (查明结案). `found`: the office where a missing card turned up; it waits there.

    `Refusal`: `reason-missing`, `card-still-missing`, `booklet-still-missing`, `parcel-still-late` while the parcel has
    not moved, for which no second alarm would come, `custody-own-alarm`, and those of `perform`. Raises `Replayed` for
    a repeat.
    """
    reason = _said(reason)
    (case,) = lock(case)
    if case.state == "open":
        if case.sort == "parcel-late" and _gone(case):
            raise Refusal("parcel-still-late", due=case.detail)
        if case.sort in BY_ANOTHER and _raised_by(case) == by.person:
            raise Refusal("custody-own-alarm")
    case = perform(case, "settle", {"reason": reason}, by=by, request_id=request_id, at=at, reason=reason)
    if case.sort == booklets.MISSING:
        if found is None:
            raise Refusal("booklet-still-missing")
        booklets.find(case, by=by, request_id=sub(request_id, "find"), at=at)
    if case.sort != "card-missing":
        return case
    (keeping,) = lock(Keeping.objects.get(card=case.card_id))
    if keeping.state == "missing":
        if found is None or not by.sees(found.code):
            raise Refusal("card-still-missing", serial=case.serial)
        perform(keeping, "find", {"office": found.code, "since": at, "waits_since": at, "stage": 0}, by=by,
                request_id=sub(request_id, "find"), at=at, office=found.name)
    return case


@transaction.atomic
def propose_loss(case: Trouble, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Trouble:
    """Propose that what a case is about is lost (提请报失): a missing card or booklet, a parcel that never came.

    `Refusal`: `reason-missing`, `not-a-loss` where it is none, or has turned up; and those of `perform`.
    """
    reason = _said(reason)
    (case,) = lock(case)
    if case.sort not in OF_A_LOSS or not _gone(case):
        raise Refusal("not-a-loss")
    return perform(case, "propose_loss", {"reason": reason, "person": by.person}, by=by, request_id=request_id, at=at,
                   reason=reason)


@transaction.atomic
def decline(case: Trouble, *, by: Actor, request_id: UUID, at: datetime) -> Trouble:
    """Do not confirm a loss (不同意): the case is open again. `Refusal`: those of `perform`."""
    return perform(case, "decline", {"reason": "", "person": ""}, by=by, request_id=request_id, at=at)


@transaction.atomic
def confirm_loss(case: Trouble, *, by: Actor, request_id: UUID, at: datetime) -> Trouble:
    """The second person confirms a loss (确认遗失): the cards are spoiled, so that no check ever accepts them, and
    others are ordered in their place.

    `Refusal`: `custody-same-person`, `not-a-loss` where it has turned up since, what `production.make_again` says, and
    those of `perform`. Raises `Replayed` for a repeat.
    """
    (case,) = lock(case)
    case = perform(case, "confirm_loss", {"confirmed_by": by.person}, by=by, request_id=request_id, at=at)
    if not _gone(case):
        raise Refusal("not-a-loss")
    asked: dict[str, Any] = {"by": by, "at": at}
    if case.sort == booklets.MISSING:
        booklets.give_up(case, request_id=sub(request_id, "booklet"), **asked)
        return case
    if case.parcel and case.sort == "parcel-late":
        carrying.leave(case.parcel, at)
        perform(case.parcel, "lose", request_id=sub(request_id, "parcel"), **asked)
        lost = Keeping.objects.filter(parcel=case.parcel, state="packed")
    else:
        lost = Keeping.objects.filter(card=case.card_id)
    orders = replace(by, permissions=by.permissions | {ORDERING})  # what two persons declared lost is made again
    for keeping in lock(*lost):
        perform(keeping, "lose", {"parcel_id": keeping.parcel_id}, request_id=sub(request_id, keeping.pk), **asked)
        card = Card.get(keeping.card_id)
        if card.state == "ready":
            production.make_again(card, by=orders, request_id=sub(request_id, f"again {card.pk}"), at=at)
    return case


def _gone(case: Trouble) -> bool:
    """Whether nobody has seen since what the case is about: the card is missing, the parcel never left that stay."""
    if case.sort == "card-missing":
        return Keeping.objects.filter(card=case.card_id, state="missing").exists()
    if case.sort == booklets.MISSING:
        return booklets.of_case(case).state == "missing"
    return Stay.objects.filter(pk=int(case.alarm.rpartition(":")[2]), until=None).exists()


def _raised_by(case: Trouble) -> str:
    """The person at whose act the alarm was raised."""
    found = Event.objects.filter(subject=case.kind(), subject_id=case.pk, version=1).values_list("person", flat=True)
    return found.first() or ""


def _said(reason: str) -> str:
    if not reason.strip():
        raise Refusal("reason-missing")
    return reason.strip()
