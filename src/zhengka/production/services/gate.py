"""Cards looked at before they are handed out (发卡前核对): a sample of a batch, or all of it, at the receiving office.

Each card of the sample is known by the number that is printed on it; its chip and its code must be of the same card,
and the inspector says that its print and photo are those of the record, which the screen shows.
Nobody chooses the sample: the draw follows from the digests of package and results under a key of the platform. Until
every card of it passed, no card of the batch is ready. One that differs, and the whole batch is looked at.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.core.queue import later
from zhengka.devices import queries as devices
from zhengka.devices.models import Reading
from zhengka.formats import qr
from zhengka.formats.verdict import CHINA
from zhengka.production import sampling
from zhengka.production.models import Batch, Finding, Item
from zhengka.production.workflow import DIFFERENCES, LOOKS

PAGE = 2_000
"""Items ranked together."""
DRAW = """
UPDATE production_item i SET drawn = n.place FROM unnest(%s::bigint[]) WITH ORDINALITY n (id, place) WHERE i.id = n.id
"""
DRAW_REST = """
WITH last AS (SELECT coalesce(max(drawn), 0) AS place FROM production_item WHERE batch_id = %s), rest AS (
    SELECT i.id, row_number() OVER (ORDER BY i.position) AS place
    FROM production_item i JOIN cards_card k ON k.id = i.card_id
    WHERE i.batch_id = %s AND i.outcome = 'good' AND k.state = 'arrived' AND i.drawn IS NULL
) UPDATE production_item i SET drawn = last.place + rest.place FROM rest, last WHERE i.id = rest.id
"""


def sample_size(batch: Batch, good: int, at: datetime) -> int:
    """How many of the good cards of a batch are looked at, by the rule of its office and maker."""
    files = sampling.load(Path(settings.DATA) / "readback")
    rule = sampling.rule(files, batch.area_id, batch.maker_id, at.astimezone(CHINA).date())
    if rule is None or (devices.is_device(bytes(batch.maker.public)) and not rule.desks):
        return 0
    return rule.size(good)


def word(size: int, good: int) -> str:
    """How a batch is looked at of which `size` of so many good cards are drawn, as one of `GATES`."""
    return "" if not size else "whole" if size == good else "sample"


def draw(batch: Batch, size: int) -> None:
    """Draw the sample among the good cards of a batch that arrived."""
    with connection.cursor() as cursor:
        cursor.execute(DRAW, [sampling.drawn(_ranked(batch), size)])


def draw_rest(batch: Batch) -> None:
    """Draw every other good card of a batch that arrived, behind those that were drawn."""
    with connection.cursor() as cursor:
        cursor.execute(DRAW_REST, [batch.pk, batch.pk])


def _ranked(batch: Batch) -> Iterator[tuple[bytes, int]]:
    """Rank and id of every good item that arrived, page by page. Neither the maker, who knows the package, nor an
    officer, who knows both, can tell a rank: the key of the blind index is in nobody's hand.
    """
    items, after = Item.objects.filter(batch=batch, outcome="good", card__state="arrived").order_by("pk"), 0
    while page := list(items.filter(pk__gt=after).values_list("pk", "card__serial")[:PAGE]):
        after = page[-1][0]
        yield from zip(fields.index_many([f"{batch.manifest_digest} {batch.result_id} {serial}" for _, serial in page]),
                       [item for item, _ in page], strict=True)


def drawn_by_number(batch: Batch, number: str) -> Item:
    """The card of the sample by what is printed on it: its serial, in groups or not. `Refusal`: `card-not-drawn`."""
    serial = "".join(number.split())
    for item in to_check(batch).filter(card__serial=serial):
        return item
    raise Refusal("card-not-drawn", batch=batch.number)


def to_check(batch: Batch) -> QuerySet[Item]:
    """The cards of the sample that are still to be looked at, in the order of the draw. One that ended meanwhile is not
    handed out, and so not looked at.
    """
    return Item.objects.filter(batch=batch, drawn__isnull=False, checked="", card__state="arrived").select_related(
        "card__holder").order_by("drawn")


@transaction.atomic
def check_number(batch: Batch, number: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Note that the card in hand bears the number of one of the sample (扫描证号). `Refusal`: `card-not-drawn`, and
    what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    return _seen(drawn_by_number(batch, number), "number", by=by, request_id=request_id, at=at)


@transaction.atomic
def check_print(item: Item, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Note that an inspector compared the card in hand with the face that the record gives (核对卡面): its texts, its
    photo and both sides are the same. No machine sees it here; who says so is in the event. `Refusal`: what `perform`
    says; one that differs is told by `fail_card`.
    """
    if event := replayed(request_id, Batch.kind(), item.batch_id):
        raise Replayed(event)
    return _seen(item, "print", by=by, request_id=request_id, at=at)


@transaction.atomic
def check_code(item: Item, photo: bytes, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Compare the code on a photo of the card with the record (扫描二维码). Another card's code fails the card.

    `Refusal`: `code-not-seen` where the photo shows no code, or several; what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), item.batch_id):
        raise Replayed(event)
    payloads = _payloads(photo)
    if len(payloads) != 1:
        raise Refusal("code-not-seen", codes=len(payloads))
    told: dict[str, Any] = {"by": by, "request_id": request_id, "at": at}
    if payloads[0] != bytes(item.card.credential or b""):
        return _fail(item, "qr-differs", **told)
    return _seen(item, "code", **told)


def _payloads(photo: bytes) -> list[bytes]:
    """What each code on a photo says; b"" for one that is none of ours."""
    try:
        texts = sorted(set(qr.read_image(photo)))
    except qr.BadQr:
        return []
    found = []
    for text in texts:
        try:
            found.append(qr.from_text(text))
        except qr.BadQr:
            found.append(b"")
    return found


@transaction.atomic
def check_chip(item: Item, reading_id: int, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take what a reader said of the chip (读取芯片): a reading of one's own in which a chip proved its keys
    and was the record's. Another card's chip fails the card. `Refusal`: `reading-not-good`, and what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), item.batch_id):
        raise Replayed(event)
    reading: Reading = devices.reading(reading_id, actor=by)
    if reading.outcome != "good" or reading.officer_id != by.id or not reading.subject_id:
        raise Refusal("reading-not-good", outcome=reading.outcome)
    told: dict[str, Any] = {"by": by, "request_id": request_id, "at": at}
    if reading.subject_id != item.card_id:
        return _fail(item, "readback-differs", **told)
    return _seen(item, "chip", **told)


@transaction.atomic
def fail_card(item: Item, code: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Say that a card of the sample is not what the record says (核对不符), by what an inspector sees: `code` of
    `DIFFERENCES`. It is set aside, and the whole batch is looked at.
    """
    if event := replayed(request_id, Batch.kind(), item.batch_id):
        raise Replayed(event)
    if code not in DIFFERENCES:
        raise Refusal("step-not-open", action=code)
    return _fail(item, code, by=by, request_id=request_id, at=at)


@transaction.atomic
def pass_gate(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let the cards of a batch be ready (核对通过) of which every drawn one was looked at; for one whose last drawn
    card ended meanwhile. `Refusal`: `batch-not-checked`, what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    (batch,) = lock(batch)
    return _pass(batch, by=by, request_id=request_id, at=at)


def _seen(item: Item, what: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    (batch,) = lock(item.batch)
    item = _still(item)
    seen = sorted({*item.seen, what}, key=LOOKS.index)
    passed = set(seen) == set(LOOKS)
    batch = perform(batch, "check", by=by, request_id=request_id, at=at, serial=item.card.serial, what=what,
                    passed=passed)
    Item.objects.filter(pk=item.pk).update(seen=seen, checked="passed" if passed else "",
                                           unseen=item.unseen and not passed)
    if passed and not to_check(batch).exists():
        return _pass(batch, by=by, request_id=sub(request_id, "pass"), at=at)
    return batch


def _fail(item: Item, code: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    (batch,) = lock(item.batch)
    item = _still(item)
    serial, uid = item.card.serial or "", bytes(item.card.uid or b"").hex()
    counts = {"good": batch.good - 1, "suspect": batch.suspect + 1, "gate": "whole"}
    batch = perform(batch, "fail_check", counts, by=by, request_id=request_id, at=at, serial=serial, why=code)
    Item.objects.filter(pk=item.pk).update(checked="failed", outcome="suspect", reason=code, unseen=False)
    Finding.objects.create(batch=batch, area=item.area, code=code, serial=serial, detail=uid, at=at)
    perform(item.card, "suspect", by=by, request_id=sub(request_id, "suspect"), at=at, batch=batch.number, why=code)
    draw_rest(batch)
    if not to_check(batch).exists():
        return _pass(batch, by=by, request_id=sub(request_id, "pass"), at=at)
    return batch


def _still(item: Item) -> Item:
    """The item as it is now, under the lock of its batch; `Refusal("card-not-drawn")` once it was looked at."""
    for fresh in to_check(item.batch).filter(pk=item.pk):
        return fresh
    raise Refusal("card-not-drawn", batch=item.batch.number)


def _pass(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    if to_check(batch).exists():
        raise Refusal("batch-not-checked", batch=batch.number)
    batch = perform(batch, "pass_check", {"gate": "passed"}, by=by, request_id=request_id, at=at)
    ids = list(Item.objects.filter(batch=batch, outcome="good", card__state="arrived").order_by("card").values_list(
        "card", flat=True))
    perform_many(Many(Card, ids, "arrived", {"batch": batch.number}), "accept", by=by,
                 request_id=sub(request_id, "accept"), at=at)
    later("production.tell_ready", batch_id=batch.pk)
    return batch
