"""Blank cards that were used where no results tell of it (手工登记): held against a batch and its good cards."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, replayed, sub
from zhengka.formats.serials import amount
from zhengka.production.models import Batch, Item, Maker
from zhengka.stock import queries as stock
from zhengka.stock import services as blanks
from zhengka.stock.models import Slip, Store
from zhengka.stock.services import Use

CAME: Final = ("received", "closed")


@transaction.atomic
def use_by_hand(machine: Store, used: Use, *, by: Actor, request_id: UUID, at: datetime) -> list[Slip]:
    """Write down by hand what became of blank cards in a machine: at most as many are issued as a batch of the actor's
    offices has good cards, for nobody else looks at it. Where a maker is fed from the machine, or the batch was, its
    results tell, and nothing is issued by hand.

    `Refusal`: `issued-by-results`, `issued-without-batch`, `issued-over-batch`, and those of `stock.services.use`.
    Raises `Replayed` for a repeat.
    """
    again = replayed(sub(request_id, "issue" if used.issued else "spoil"), Slip.kind())
    if again is None:
        if used.issued and Maker.objects.filter(store=machine).exists():
            raise Refusal("issued-by-results")
        if used.issued or used.batch:
            _held_against(used, by, at)
    return blanks.use(machine, used, by=by, request_id=request_id, at=at)


def _held_against(used: Use, by: Actor, at: datetime) -> None:
    """The batch is one of the actor's, and has a good card for each blank that was issued for it."""
    found = Batch.objects.filter(number=used.batch, area__code__range=(by.lo, by.hi), state__in=CAME).first()
    if found is None:
        raise Refusal("issued-without-batch")
    (batch,) = lock(found)
    if batch.machine_id is not None:
        raise Refusal("issued-by-results")
    good = Item.objects.filter(Q(outcome="good") | Q(checked="failed"), batch=batch).count()
    left = good - stock.of_batch(batch.number, at).get("issue", 0)
    if amount(used.issued) > left:
        raise Refusal("issued-over-batch", left=left)
