"""One card is held or let go by an officer (暂缓, 恢复), or wanted before others (加急), before it has its number."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform, replayed
from zhengka.core.queue import later
from zhengka.production.models import Chunk, Item

BY_OFFICER = "by-officer"
"""Why a card is held that an officer held: the officer's own words follow."""


@transaction.atomic
def hold(card: Card, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Hold a card (暂缓) that waits for a batch, or in one that has not prepared it yet; its batch goes on without it.

    A worker that is at its part of the batch loses its lease, so a card that is held here is never made there.
    `Refusal`: `reason-missing`, `step-not-open` once it is prepared, what `perform` says.
    """
    if event := replayed(request_id, Card.kind(), card.pk):
        raise Replayed(event)
    if not by.sees(card.area_id):
        raise Refusal("not-found")
    reason = f"{BY_OFFICER} {_said(why)}"
    step = CARD.step(Card.get(card.pk).state, "hold")  # parts are locked before cards, so its state is looked at twice
    part = _take_back(card, reason) if step.source == "batched" else None
    card = perform(card, step, {"hold_reason": reason}, by=by, request_id=request_id, at=at, reason=reason)
    if part and part.batch.state == "preparing":
        later("production.prepare_chunk", once=f"chunk {part.pk}", chunk_id=part.pk)
    return card


@transaction.atomic
def hurry(card: Card, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Let a card that waits for a batch come before others (加急), for a reason. `Refusal`: `reason-missing`."""
    said = _said(why)
    return perform(card, "hurry", {"urgent": said}, by=by, request_id=request_id, at=at, reason=said)


@transaction.atomic
def unhurry(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Let it wait in its turn again (取消加急)."""
    return perform(card, "unhurry", {"urgent": ""}, by=by, request_id=request_id, at=at)


def _said(why: str) -> str:
    said = " ".join(why.split())
    if not said:
        raise Refusal("reason-missing")
    return said


def _take_back(card: Card, reason: str) -> Chunk:
    """Take a card out of the part of the batch in which it lies; `Refusal("step-not-open")` once that is prepared."""
    item = Item.objects.filter(card=card, outcome="waiting").first()
    if item is None or not Chunk.objects.filter(pk=item.chunk_id).exclude(state="done").update(
            lease=F("lease") + 1, state="waiting"):
        raise Refusal("step-not-open", state="prepared", action="hold")
    Item.objects.filter(pk=item.pk).update(outcome="held", reason=reason)
    return Chunk.objects.select_related("batch").get(pk=item.chunk_id)
