"""A batch that never comes back from its maker (未回盘): two persons say so, and nothing waits for it any longer.

What the maker made of it nobody knows. So each of its cards is missing: void for ever, named, to be declared lost or
found and destroyed; and another is ordered in its place. Results that come after all are not taken.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.production.models import Batch, Item
from zhengka.production.services import terms
from zhengka.registry import services as registry

ITEMS = "UPDATE production_item SET outcome = 'suspect', reason = 'card-missing' WHERE batch_id = %s AND outcome = %s"
FINDINGS = """
INSERT INTO production_finding (batch_id, area, code, serial, detail, at)
SELECT i.batch_id, i.area, 'card-missing', k.serial, '', %s FROM production_item i JOIN cards_card k ON k.id = i.card_id
WHERE i.batch_id = %s AND i.outcome = 'suspect' ORDER BY i.position
"""


@transaction.atomic
def propose_unanswered(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Propose to declare that a batch will not come back (提请认定未回盘): nothing changes yet."""
    return perform(batch, "propose_unanswered", {"missed_person": by.person}, by=by, request_id=request_id, at=at)


@transaction.atomic
def keep_waiting(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Go on waiting for a batch (继续等候), whoever proposed not to."""
    return perform(batch, "keep_waiting", {"missed_person": ""}, by=by, request_id=request_id, at=at)


@transaction.atomic
def declare_unanswered(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Declare, as another person, that a batch will not come back (认定未回盘): it is closed without results.

    Its cards are missing (I10), each by a `Finding`; where the certificate still holds another is ordered at once.
    `Refusal`: `unanswered-not-proposed`, `same-person`, what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    ids = list(Item.objects.filter(batch=batch, outcome="prepared").order_by("card").values_list("card", flat=True))
    registry.hold(Card.objects.filter(pk__in=ids).values_list("holder_id", flat=True))
    (batch,) = lock(batch)
    told = {"suspect": batch.prepared, "given_up_person": by.person, "erase_on": terms.erase_on(batch.area_id, at=at)}
    batch = perform(batch, "declare_unanswered", told, by=by, request_id=request_id, at=at, missing=batch.prepared)
    with connection.cursor() as cursor:
        cursor.execute(ITEMS, [batch.pk, "prepared"])
        cursor.execute(FINDINGS, [at, batch.pk])
    gone = perform_many(Many(Card, ids, "sent", {"batch": batch.number}), "go_missing", by=by, request_id=request_id,
                        at=at)
    perform_many(Many(Card, ids, "cancelled", {"batch": batch.number}), "go_missing", by=by,
                 request_id=sub(request_id, "ended"), at=at)
    cards.reorder_many(gone, by=by, request_id=sub(request_id, "again"), at=at)
    return batch
