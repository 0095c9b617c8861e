"""The worker's work: one chunk of a batch, told in steps. It may be stopped anywhere and run again, by anybody:

1  take the lease: a number that only grows (fencing token)
2  gather what is known and decide which cards are held
3  store serial, token and status place of the others: the intent, before anything is signed (I9)
4  sign credentials, draw keys, compile and check scripts
5  write the members into the lease's own folder, durable
6  one transaction under the lease: items, cards, events, chunk; whoever lost the lease changes nothing (I10)
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.cards.services import allot
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, lock, perform, perform_many, sub
from zhengka.core.models import Event
from zhengka.core.queue import later
from zhengka.production.faces import Photo, layout_for
from zhengka.production.models import Batch, Chunk, Item
from zhengka.production.services import gathering, making, staging
from zhengka.production.services.making import Made, Tools

TAKE = """
UPDATE production_chunk SET state = 'working', lease = lease + 1, leased_at = clock_timestamp()
WHERE id = %s AND state <> 'done' RETURNING lease
"""
TAKE_NEXT = """
UPDATE production_chunk SET state = 'working', lease = lease + 1, leased_at = clock_timestamp()
WHERE id = (SELECT id FROM production_chunk
            WHERE batch_id = %s AND (state = 'waiting' OR state = 'working'
                                     AND leased_at < clock_timestamp() - make_interval(secs => %s))
            ORDER BY number FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, lease
"""
PREPARED = """
UPDATE production_item i SET outcome = 'prepared', readback = n.readback, reason = ''
FROM unnest(%s::bigint[], %s::bytea[]) n (id, readback) WHERE i.id = n.id AND i.chunk_id = %s
"""
CREDENTIAL = ", credential = decode(%(credentials)s::jsonb ->> t.id::text, 'hex')"
HELD = """
UPDATE production_item i SET outcome = 'held', reason = n.reason
FROM unnest(%s::bigint[], %s::text[]) n (id, reason) WHERE i.id = n.id AND i.chunk_id = %s
"""


def prepare_chunk(chunk_id: int, *, at: datetime) -> None:
    """Prepare the cards of one chunk, whoever works on it now. A chunk that is done stays as it is.

    `Refusal("lease-lost")` where another worker took the chunk meanwhile: then nothing was changed here.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [chunk_id])
        row = cursor.fetchone()
    if row:
        work(chunk_id, row[0], at=at)


def prepare_next(batch_id: int, *, silent_for: float, at: datetime) -> bool:
    """Prepare the next chunk of a batch that waits, or whose worker has said nothing for so many seconds.

    False where there is none; `Refusal("lease-lost")` as in `prepare_chunk`.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NEXT, [batch_id, silent_for])
        row = cursor.fetchone()
    if row:
        work(*row, at=at)
    return row is not None


def work(chunk_id: int, lease: int, *, at: datetime) -> None:
    """Steps 2 to 6, under a lease that was taken."""
    chunk = Chunk.objects.select_related("batch__area").get(pk=chunk_id)
    tools = Tools(cards.profile(chunk.batch.profile), layout_for(chunk.batch.profile), chunk.batch.area_id, at)
    found = gathering.sort_out(gathering.gather(chunk), tools.layout)
    made: list[Made] = []
    if found.fit:
        numbered = allot([subject.card for subject in found.fit], at=at)
        made, refused = making.compile_cards(tools, found.fit, numbered, making.sign(tools, numbered))
        found.held.update(refused)
    folder = _write(tools, chunk, lease, made, found.photos)
    commit(chunk, lease, made, found.held, folder=folder, at=at)


def _write(tools: Tools, chunk: Chunk, lease: int, made: Sequence[Made], photos: Mapping[int, Photo]) -> str:
    """Write scripts and faces; the folder in which they lie, or nothing where every card is held."""
    if not made:
        return ""
    folder = staging.member_folder(chunk, lease)
    writer = staging.writer(chunk.batch, folder)
    writer.add_cards(chunk.number, making.orders(chunk.number, made))
    writer.add_faces(chunk.number, making.print_made(tools, made, photos), cards=len(made))
    return folder


@transaction.atomic
def commit(chunk: Chunk, lease: int, made: Sequence[Made], held: Mapping[int, str], *, folder: str,
           at: datetime) -> None:
    """Store what became of every card of the chunk, if the lease is still ours; the last chunk asks for the package."""
    if not Chunk.objects.filter(pk=chunk.pk, lease=lease, state="working").update(
            state="done", cards=len(made), member=folder):
        raise Refusal("lease-lost", chunk=chunk.number)
    request_id = sub(_began(chunk.batch), f"chunk {chunk.number}")
    with connection.cursor() as cursor:
        cursor.execute(PREPARED, [[card.subject.item for card in made], [card.readback for card in made], chunk.pk])
        cursor.execute(HELD, [list(held), list(held.values()), chunk.pk])
    credentials = {card.subject.card: card.credential.hex() for card in made}
    perform_many(Many(Card, list(credentials), "batched", {"batch": chunk.batch.number},
                      also=CREDENTIAL, values={"credentials": json.dumps(credentials)}), "prepare",
                 by=SYSTEM, request_id=request_id, at=at)
    for reason, ids in _by_reason(held).items():
        perform_many(Many(Card, ids, "batched", {"batch": chunk.batch.number, "reason": reason},
                          also=", hold_reason = %(reason)s", values={"reason": reason}), "hold", by=SYSTEM,
                     request_id=request_id, at=at)
    Batch.objects.select_for_update().get(pk=chunk.batch_id)  # two last chunks: the later one sees the other done
    if not chunk.batch.chunks.exclude(state="done").exists():
        later("production.finish_batch", batch_id=chunk.batch_id)


@transaction.atomic
def stall(batch_id: int, *, at: datetime) -> Batch:
    """Say on the batch itself that its preparation failed at every try by a fault of ours (准备失败): it waits for an
    officer who lets it be tried again. A batch that is not being prepared (any more) stays as it is.
    """
    (batch,) = lock(Batch(pk=batch_id))
    if batch.state != "preparing":
        return batch
    return perform(batch, "stall", by=SYSTEM, request_id=sub(_began(batch), f"stall {batch.version}"), at=at)


def stall_for_chunk(chunk_id: int, *, at: datetime) -> None:
    """The same for the batch of a chunk that could not be prepared, unless another worker did it meanwhile."""
    for batch_id in Chunk.objects.filter(pk=chunk_id).exclude(state="done").values_list("batch", flat=True):
        stall(batch_id, at=at)


def _began(batch: Batch) -> UUID:
    """The request by which an officer let the batch be prepared: all that follows carries on from it."""
    return Event.objects.get(subject=Batch.kind(), subject_id=batch.pk, action="prepare").request


def _by_reason(held: Mapping[int, str]) -> dict[str, list[int]]:
    """Cards by the reason for which they are held."""
    card_of = dict(Item.objects.filter(pk__in=list(held)).values_list("pk", "card_id"))
    found: dict[str, list[int]] = defaultdict(list)
    for item, reason in held.items():
        found[reason].append(card_of[item])
    return found
