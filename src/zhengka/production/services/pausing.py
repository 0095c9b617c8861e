"""A batch is stopped for a while or for good (暂停, 撤销, 放弃), also while workers prepare it.

Whoever stops it takes the leases of all its parts first: a worker that is at one loses it and changes nothing after,
and one that was quicker has committed its part whole. So a batch that is paused stands still at once, with every card
either prepared or waiting, and one that is ended accounts for each of them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from zhengka.cards import services as card_services
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.core.queue import later
from zhengka.production.models import Batch, Item
from zhengka.production.services import erasing, terms
from zhengka.registry import services as registry


@transaction.atomic
def pause_batch(batch: Batch, why: str = "", *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let a batch stand still (暂停): no worker takes a part of it, and nobody sends it, until it is resumed."""
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    take_leases(batch)
    return perform(batch, "pause", by=by, request_id=request_id, at=at, **({"reason": why} if why else {}))


@transaction.atomic
def cancel_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take a batch back (撤销) before it is prepared whole, or when all its cards are held: they wait to be made again.

    Cards held for a reason of their own stay held. What workers have prepared of it already is void, as in
    `give_up_batch`. `Refusal("batch-has-cards")` once it is prepared and holds cards.
    """
    return _end(batch, "cancel", by=by, request_id=request_id, at=at)


@transaction.atomic
def give_up_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Give a batch up (放弃) that cannot be prepared, or must not be sent any more: nothing of it stays half done.

    Cards that were not prepared wait again. Prepared ones have serials and codes that may be in a package which
    somebody took: these are void for ever, and another card is ordered in place of each. What was made for it here is
    erased at once, with proof of each piece (`erasing`).
    """
    return _end(batch, "give_up", by=by, request_id=request_id, at=at)


def take_leases(batch: Batch) -> None:
    """No worker that is still at a part of the batch commits it after this."""
    batch.chunks.exclude(state="done").update(lease=F("lease") + 1, state="waiting")


def ask_workers(batch: Batch) -> None:
    """Let the workers prepare what is left of a batch."""
    left = list(batch.chunks.exclude(state="done").order_by("number").values_list("pk", flat=True))
    for chunk in left:
        later("production.prepare_chunk", once=f"chunk {chunk}", chunk_id=chunk)
    if not left:
        later("production.finish_batch", batch_id=batch.pk)


def cards_of(batch: Batch, outcome: str) -> Sequence[int]:
    """The cards of a batch with this outcome, by their place in it."""
    return list(Item.objects.filter(batch=batch, outcome=outcome).order_by("position").values_list("card", flat=True))


def _end(batch: Batch, action: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    take_leases(batch)
    waiting, prepared = cards_of(batch, "waiting"), cards_of(batch, "prepared")
    registry.hold(Card.objects.filter(pk__in=prepared).values_list("holder_id", flat=True))
    (batch,) = lock(batch)
    erasing.prove_members(batch, at=at)
    ends = {"content_key": None, "erase_on": terms.today(at)}
    batch = perform(batch, action, ends, by=by, request_id=request_id, at=at, why=batch.problem, waiting=len(waiting),
                    prepared=len(prepared))
    _wait_again(batch, waiting, by=by, request_id=request_id, at=at)
    Item.objects.filter(batch=batch, outcome="prepared").update(outcome="spoiled", reason="batch-given-up")
    void = perform_many(Many(Card, prepared, "prepared", {"batch": batch.number}), "spoil", by=by,
                        request_id=sub(request_id, "spoil"), at=at)
    card_services.reorder_many(void, by=by, request_id=sub(request_id, "again"), at=at)
    card_services.ask_for(Card.objects.filter(pk__in=void).values_list("status_list", flat=True).distinct())
    later("production.erase_batch", batch_id=batch.pk)
    return batch


def _wait_again(batch: Batch, ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> None:
    """Cards that a batch did not prepare wait for another one."""
    Item.objects.filter(batch=batch, outcome="waiting").update(outcome="held", reason="batch-cancelled")
    perform_many(Many(Card, ids, "batched", {"reason": "batch-cancelled"}), "hold", by=by,
                 request_id=sub(request_id, "hold"), at=at)
    perform_many(Many(Card, ids, "held"), "release", by=by, request_id=sub(request_id, "release"), at=at)
