"""The worker's work: one chunk of a batch, told in steps. It may be stopped anywhere and run again, by anybody:

1  take the lease: a number that only grows (fencing token)
2  gather what is known and decide which cards are held
3  store serial, token and status place of the others: the intent, before anything is signed (I9)
4  draw keys, compile and check scripts, sign the credentials of those that are clean (I9)
5  write the members into the lease's own folder, durable, and note what each finished card must show
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
from zhengka.cards.services import allot, key_group, not_stopped
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, lock, perform, perform_many, sub
from zhengka.core.models import Event
from zhengka.core.queue import later
from zhengka.keys import queries as key_queries
from zhengka.production.faces import Photo, layout_for, plate
from zhengka.production.models import Batch, Chunk, Item
from zhengka.production.services import gathering, making, pausing, staging
from zhengka.production.services.making import Made, Tools

TAKE = """
UPDATE production_chunk SET state = 'working', lease = lease + 1, leased_at = clock_timestamp()
WHERE id = %s AND state <> 'done'
  AND batch_id IN (SELECT id FROM production_batch WHERE state IN ('preparing', 'stalled')) RETURNING lease
"""
TAKE_NEXT = """
UPDATE production_chunk SET state = 'working', lease = lease + 1, leased_at = clock_timestamp()
WHERE id = (SELECT id FROM production_chunk
            WHERE batch_id = %s AND (state = 'waiting' OR state = 'working'
                                     AND leased_at < clock_timestamp() - make_interval(secs => %s))
              AND batch_id IN (SELECT id FROM production_batch WHERE state IN ('preparing', 'stalled'))
            ORDER BY number FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, lease
"""
PREPARED = """
UPDATE production_item i SET outcome = 'prepared', readback = n.readback, reason = '', texts = n.texts,
       photo = n.photo, code = n.code, record = n.record
FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
     n (id, readback, texts, photo, code, record) WHERE i.id = n.id AND i.chunk_id = %s
"""
CREDENTIAL = ", credential = decode(%(credentials)s::jsonb ->> t.id::text, 'hex'), key_group_id = %(keys)s"
HELD = """
UPDATE production_item i SET outcome = 'held', reason = n.reason
FROM unnest(%s::bigint[], %s::text[]) n (id, reason) WHERE i.id = n.id AND i.chunk_id = %s
"""


def prepare_chunk(chunk_id: int, *, at: datetime) -> None:
    """Prepare the cards of one chunk, whoever works on it now. A chunk that is done stays as it is.

    `Refusal`: `lease-lost` where another worker took the chunk meanwhile: then nothing was changed here; `disk-full`.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [chunk_id])
        row = cursor.fetchone()
    if row:
        _unless_stopped(chunk_id, row[0], at)


def prepare_next(batch_id: int, *, silent_for: float, at: datetime) -> bool:
    """Prepare the next chunk of a batch that waits, or whose worker has said nothing for so many seconds.

    False where there is none; `Refusal("lease-lost")` as in `prepare_chunk`.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NEXT, [batch_id, silent_for])
        row = cursor.fetchone()
    if row:
        _unless_stopped(row[0], row[1], at)
    return row is not None


def _unless_stopped(chunk_id: int, lease: int, at: datetime) -> None:
    """Prepare a chunk; where issuing is stopped (停发) meanwhile its batch stands still, and officers resume it."""
    try:
        with transaction.atomic():
            not_stopped(Chunk.objects.values_list("area", flat=True).get(pk=chunk_id))
        work(chunk_id, lease, at=at)
    except Refusal as refused:
        if refused.code != "issuing-stopped":
            raise
        _stand_still(Chunk.objects.values_list("batch", flat=True).get(pk=chunk_id), at)


@transaction.atomic
def _stand_still(batch_id: int, at: datetime) -> None:
    pausing.take_leases(Batch(pk=batch_id))
    (batch,) = lock(Batch(pk=batch_id))
    if batch.state in ("preparing", "stalled"):
        pausing.pause_batch(batch, "issuing-stopped", by=SYSTEM, at=at,
                            request_id=sub(_began(batch), f"stop {batch.version}"))


def work(chunk_id: int, lease: int, *, at: datetime) -> None:
    """Steps 2 to 6, under a lease that was taken."""
    chunk = Chunk.objects.select_related("batch__area", "batch__maker").get(pk=chunk_id)
    tools = Tools(cards.profile(chunk.batch.profile), layout_for(chunk.batch.profile), chunk.batch.area_id, at,
                  tuple(chunk.batch.keys))
    found = gathering.sort_out(gathering.gather(chunk), tools.layout, text_form=chunk.batch.maker.text_form)
    made: list[Made] = []
    if found.fit:
        numbered = allot([subject.card for subject in found.fit], at=at)
        made, refused = making.make_cards(tools, found.fit, numbered)
        found.held.update(refused)
    folder, made = _write(tools, chunk, lease, made, found.photos)
    commit(chunk, lease, made, found.held, folder=folder, at=at)


def _write(tools: Tools, chunk: Chunk, lease: int, made: list[Made], photos: Mapping[int, Photo],
           ) -> tuple[str, list[Made]]:
    """Write scripts and faces; the folder in which they lie, or nothing where every card is held, and the cards with
    what they must show.
    """
    if not made:
        return "", made
    folder = staging.member_folder(chunk, lease)
    with staging.room_for(staging.folder(chunk.batch) / folder):
        writer, pictures = staging.writer(chunk.batch, folder), dict[str, str]()
        if wanted := chunk.batch.maker.pictures:
            for part, (archive, serials) in enumerate(making.pictured(tools, made, photos, plate(wanted)), 1):
                member = writer.add_pictures(chunk.number, part, archive, cards=len(serials))
                pictures |= dict.fromkeys(serials, member)
        writer.add_cards(chunk.number, making.orders(chunk.number, made, pictures))
        writer.add_faces(chunk.number, making.print_made(tools, made, photos), cards=len(made))
        if code := chunk.batch.maker.text_form:
            task = f"{chunk.batch.number}-{chunk.number:04d}"
            writer.add_text(chunk.number, making.text_form(tools, made, photos, task, code), cards=len(made))
    return folder, making.described(tools, made, photos, writer.salt)


@transaction.atomic
def commit(chunk: Chunk, lease: int, made: Sequence[Made], held: Mapping[int, str], *, folder: str,
           at: datetime) -> None:
    """Store what became of every card of the chunk, if the lease is still ours and the batch still being prepared; the
    last chunk asks for the package.
    """
    not_stopped(chunk.area)
    open_ = Batch.objects.filter(state__in=("preparing", "stalled")).values("pk")
    if not Chunk.objects.filter(pk=chunk.pk, lease=lease, state="working", batch__in=open_).update(
            state="done", cards=len(made), member=folder):
        raise Refusal("lease-lost", chunk=chunk.number)
    request_id = sub(_began(chunk.batch), f"chunk {chunk.number}")
    with connection.cursor() as cursor:
        cursor.execute(PREPARED, [
            [card.subject.item for card in made], [card.readback for card in made],
            *([card.shown and card.shown[part] for card in made] for part in range(3)),
            [card.record or None for card in made], chunk.pk])
        cursor.execute(HELD, [list(held), list(held.values()), chunk.pk])
    credentials = {card.subject.card: card.credential.hex() for card in made}
    values = {"credentials": json.dumps(credentials), "keys": _key_group(chunk, made)}
    perform_many(Many(Card, list(credentials), "batched", {"batch": chunk.batch.number}, also=CREDENTIAL,
                      values=values), "prepare", by=SYSTEM, request_id=request_id, at=at)
    _note_printed(chunk, made)
    for reason, ids in _by_reason(held).items():
        perform_many(Many(Card, ids, "batched", {"batch": chunk.batch.number, "reason": reason},
                          also=", hold_reason = %(reason)s", values={"reason": reason}), "hold", by=SYSTEM,
                     request_id=request_id, at=at)
    Batch.objects.select_for_update().get(pk=chunk.batch_id)  # two last chunks: the later one sees the other done
    if not chunk.batch.chunks.exclude(state="done").exists():
        later("production.finish_batch", batch_id=chunk.batch_id)


def _note_printed(chunk: Chunk, made: Sequence[Made]) -> None:
    """Keep the names that were shortened as they are printed and in the chip: whoever writes to the chip later writes
    the same, and has no template at hand.
    """
    short = [card.subject for card in made if card.subject.own.short]
    if not short:
        return
    layout = layout_for(chunk.batch.profile)
    Card.objects.bulk_update([Card(pk=subject.card, face=gathering.sealed_face(subject.own._replace(
        printed=gathering.name_of(subject, layout), whole=subject.name))) for subject in short], ["face"])


@transaction.atomic
def stall(batch_id: int, *, at: datetime) -> Batch:
    """Say on the batch itself that its preparation failed at every try by a fault of ours (准备失败): it waits for an
    officer who lets it be tried again. A batch that is not being prepared (any more) stays as it is.
    """
    (batch,) = lock(Batch(pk=batch_id))
    if batch.state != "preparing":
        return batch
    return perform(batch, "stall", by=SYSTEM, request_id=sub(_began(batch), f"stall {batch.version}"), at=at,
                   why=batch.problem)


def note_problem(batch_id: int, code: str) -> None:
    """Keep by which code the preparation of a batch failed last, for the page of one that stalls."""
    Batch.objects.filter(pk=batch_id, state="preparing").update(problem=code)


def note_problem_of_chunk(chunk_id: int, code: str) -> None:
    """The same for the batch of a chunk."""
    for batch_id in Chunk.objects.filter(pk=chunk_id).values_list("batch", flat=True):
        note_problem(batch_id, code)


def stall_for_chunk(chunk_id: int, *, at: datetime) -> None:
    """The same for the batch of a chunk that could not be prepared, unless another worker did it meanwhile."""
    for batch_id in Chunk.objects.filter(pk=chunk_id).exclude(state="done").values_list("batch", flat=True):
        stall(batch_id, at=at)


def _began(batch: Batch) -> UUID:
    """The request by which an officer let the batch be prepared: all that follows carries on from it."""
    return Event.objects.get(subject=Batch.kind(), subject_id=batch.pk, action="prepare").request


def _key_group(chunk: Chunk, made: Sequence[Made]) -> int | None:
    """The group of key versions under which the cards of a chunk were made; none is known of a batch that keeps none,
    for it began before batches did.
    """
    if not (made and chunk.batch.keys):
        return None
    signed = key_queries.by_key_ids({card.signed_by for card in made})
    return key_group([*chunk.batch.keys, *signed]).pk


def _by_reason(held: Mapping[int, str]) -> dict[str, list[int]]:
    """Cards by the reason for which they are held."""
    card_of = dict(Item.objects.filter(pk__in=list(held)).values_list("pk", "card_id"))
    found: dict[str, list[int]] = defaultdict(list)
    for item, reason in held.items():
        found[reason].append(card_of[item])
    return found
