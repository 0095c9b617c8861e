"""From ordered cards to a batch and to the card maker (组批, 送制)."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cards import services as card_services
from zhengka.cards.models import Card, KeyGroup
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, begin, perform, perform_many, replayed, sub
from zhengka.core.models import province_of
from zhengka.core.queue import later
from zhengka.formats import qr
from zhengka.formats.package import MOST_CARDS
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.production.models import Batch, Item, Maker
from zhengka.production.services import makers, staging, terms
from zhengka.registry import services as registry

LONGEST_CREDENTIAL = 108
"""Bytes of the longest credential that a card can get, by which the address of the scan page is tried out."""

ORDERED = """
SELECT id FROM cards_card WHERE state = 'ordered' AND area = %s AND profile = %s ORDER BY id LIMIT %s FOR UPDATE
"""
CHUNKS = """
INSERT INTO production_chunk (batch_id, area, number, state, lease, cards, member)
SELECT %(batch)s, %(area)s, n, 'waiting', 0, 0, '' FROM generate_series(1, (%(count)s + %(size)s - 1) / %(size)s) n
"""
ITEMS = """
INSERT INTO production_item (batch_id, area, chunk_id, card_id, position, outcome, reason)
SELECT %(batch)s, %(area)s, c.id, k.card, k.position, 'waiting', ''
FROM unnest(%(cards)s::bigint[]) WITH ORDINALITY k (card, position)
JOIN production_chunk c ON c.batch_id = %(batch)s AND c.number = (k.position - 1) / %(size)s + 1
ORDER BY k.position
"""


@transaction.atomic
def open_batch(  # noqa: PLR0913 - what, for whom and how many, besides who, when and the request
        area: Area, profile: str, maker: Maker, *, by: Actor, request_id: UUID, at: datetime,
        limit: int | None = None) -> Batch:
    """Open a batch (组批) of all ordered cards of an issuing unit under a card profile, or of the first `limit`.

    `Refusal`: `not-permitted`, `not-found` (another's area), `profile-missing`, `maker-suite-differs`, `batch-empty`,
    those of `makers.trusted`; on a site for the public
    (`ZHENGKA_HTTPS`, and no demo) `key-without-ceremony`.
    """
    if event := replayed(request_id, Batch.kind()):
        raise Replayed(event)
    if not by.may("batch.make"):
        raise Refusal("not-permitted", permission="batch.make")
    if not by.sees(area.code):
        raise Refusal("not-found")
    if maker.suite != cards.profile(profile).suite:
        raise Refusal("maker-suite-differs", maker=maker.suite)
    _masters_are_held(area.code, profile, at)
    makers.trusted(maker, at=at)
    number = _next_number(area, at)
    ids = _ordered(area, profile, limit)
    batch = begin(Batch(
        province=province_of(area.code), area=area, number=number, profile=profile, maker=maker, opened_at=at,
        ordered=len(ids), officer_id=by.id, content_key=fields.close(secrets.token_hex(32), "batch.content_key")),
        "open", "batch.make", by=by, request_id=request_id, at=at, cards=len(ids), number=number)
    with connection.cursor() as cursor:
        told: dict[str, Any] = {
            "batch": batch.pk, "area": area.code, "count": len(ids), "size": MOST_CARDS, "cards": ids}
        cursor.execute(CHUNKS, told)
        cursor.execute(ITEMS, told)
    perform_many(Many(Card, ids, "ordered", {"batch": number}), "batch", by=by, request_id=request_id, at=at)
    return batch


@transaction.atomic
def prepare_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Begin to prepare a batch (数据准备): its chunks go to the workers. It keeps the masters that work at this moment,
    through a rotation and as long as their overlap: all its cards and its package are of one version.

    `Refusal`: `public-url-unfit`, `key-without-ceremony` as in `open_batch`, those of `makers.trusted`; where a master
    is missing those of `keys.queries.working`; what `perform` says.
    """
    try:
        qr.modules(qr.to_text(bytes([0x11]) + bytes([0xFF]) * (LONGEST_CREDENTIAL - 1), settings.PUBLIC_URL))
    except qr.BadQr:
        raise Refusal("public-url-unfit", url=settings.PUBLIC_URL) from None
    kept = {"keys": _masters(batch, at), "prepared_person": by.person}
    if not replayed(request_id, Batch.kind(), batch.pk):
        makers.trusted(batch.maker, at=at)
    batch = perform(batch, "prepare", kept, by=by, request_id=request_id, at=at)
    _ask_workers(batch)
    return batch


@transaction.atomic
def retry_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let the workers go on with a batch whose preparation failed at every try (重新准备); what is done stays done.

    Where nothing is done yet, it begins with the masters that work now. `Refusal`: `batch-keys-over` where a part was
    prepared under a master that reads no more; `key-without-ceremony` as in `open_batch`; what `perform` says.
    """
    kept = batch.keys
    if not batch.chunks.filter(state="done").exclude(member="").exists():
        _take_leases(batch)
        kept = _masters(batch, at)
    elif ended := key_queries.over(kept, at=at):
        raise Refusal("batch-keys-over", label=ended[0].label)
    batch = perform(batch, "retry", {"problem": "", "keys": kept}, by=by, request_id=request_id, at=at)
    _ask_workers(batch)
    return batch


@transaction.atomic
def give_up_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Give a batch up (放弃) that cannot be prepared, or must not be sent any more: nothing of it stays half done.

    Cards that were not prepared wait again. Prepared ones have serials and codes that may be in a package which
    somebody took: these are void for ever, and another card is ordered in place of each. The package is removed.
    """
    _take_leases(batch)
    waiting, prepared = _cards(batch, "waiting"), _cards(batch, "prepared")
    registry.hold(Card.objects.filter(pk__in=prepared).values_list("holder_id", flat=True))
    written = staging.folder(batch) if batch.content_key else staging.packages() / batch.package
    batch = perform(batch, "give_up", {"content_key": None}, by=by, request_id=request_id, at=at, why=batch.problem,
                    waiting=len(waiting), prepared=len(prepared))
    _wait_again(batch, waiting, by=by, request_id=request_id, at=at)
    Item.objects.filter(batch=batch, outcome="prepared").update(outcome="spoiled", reason="batch-given-up")
    void = perform_many(Many(Card, prepared, "prepared", {"batch": batch.number}), "spoil", by=by,
                        request_id=sub(request_id, "spoil"), at=at)
    card_services.reorder_many(void, by=by, request_id=sub(request_id, "again"), at=at)
    card_services.ask_for(Card.objects.filter(pk__in=void).values_list("status_list", flat=True).distinct())
    transaction.on_commit(partial(staging.remove, written))
    return batch


def _ask_workers(batch: Batch) -> None:
    left = list(batch.chunks.exclude(state="done").order_by("number").values_list("pk", flat=True))
    for chunk in left:
        later("production.prepare_chunk", once=f"chunk {chunk}", chunk_id=chunk)
    if not left:
        later("production.finish_batch", batch_id=batch.pk)


@transaction.atomic
def send_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Release a batch: say that the package went to the card maker (送制), as another person than who prepared it (I6).

    `Refusal`: `same-person`, `batch-all-held` where nothing is to be made, `lists-not-published` before gates were told
    of its cards: one that is stolen on its way must open no gate; `batch-keys-over` where a key of its cards was
    retired or revoked since they were prepared; those of `makers.trusted`. What `perform` says.
    """
    if not replayed(request_id, Batch.kind(), batch.pk):
        makers.trusted(batch.maker, at=at)
        if ended := key_queries.over(keys_of(batch), at=at):
            raise Refusal("batch-keys-over", label=ended[0].label)
    if batch.prepared and not cards.told_to_gates(_cards(batch, "prepared"), at=at):
        raise Refusal("lists-not-published", batch=batch.number)
    kept = {"sent_person": by.person, "acknowledge_by": terms.acknowledge_by(batch.area_id, at=at)}
    batch = perform(batch, "send", kept, by=by, request_id=request_id, at=at, package=batch.manifest_digest)
    perform_many(Many(Card, _cards(batch, "prepared"), "prepared", {"batch": batch.number}), "send", by=by,
                 request_id=request_id, at=at)
    return batch


@transaction.atomic
def cancel_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take a batch back before its cards have numbers, or when all are held (撤销): the cards wait to be made again.

    Cards held for a reason of their own stay held. `Refusal("batch-has-cards")` once cards are prepared.
    """
    batch = perform(batch, "cancel", {"content_key": None}, by=by, request_id=request_id, at=at)
    _wait_again(batch, _cards(batch, "waiting"), by=by, request_id=request_id, at=at)
    return batch


@transaction.atomic
def close_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Close a batch whose results were looked through (关批): from now on the days run until what was made for it here
    is erased.
    """
    return perform(batch, "close", {"erase_on": terms.erase_on(batch.area_id, at=at)}, by=by, request_id=request_id,
                   at=at)


@transaction.atomic
def take_package(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Write down that an officer takes the sealed package out of the house (取制卡包)."""
    return perform(batch, "take_package", by=by, request_id=request_id, at=at, package=batch.manifest_digest)


@transaction.atomic
def take_proof(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Write down that an officer takes the proof sheet, with names and photos on it (取校样)."""
    return perform(batch, "take_proof", by=by, request_id=request_id, at=at, proof=batch.proof)


@transaction.atomic
def release(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Let a held card be made after its fault was cured (解除暂缓): it waits for the next batch."""
    return perform(card, "release", {"hold_reason": ""}, by=by, request_id=request_id, at=at, reason=card.hold_reason)


def keys_of(batch: Batch) -> set[int]:
    """Row ids of the key versions on which a batch rests: the masters that it keeps, and what its cards name."""
    groups = KeyGroup.objects.filter(pk__in=Item.objects.filter(
        batch=batch, outcome="prepared").values("card__key_group").distinct())
    return set(batch.keys).union(*groups.values_list("keys", flat=True))


def _masters(batch: Batch, at: datetime) -> list[int]:
    """Row ids of the masters by which a batch is made that begins now; on a site for the public, of ceremonies."""
    _masters_are_held(batch.area_id, batch.profile, at)
    profile = cards.profile(batch.profile)
    slots = sorted({key.purpose for key in profile.keys})
    return sorted(key.pk for key in key_queries.makes(batch.area_id, profile.suite, slots, at=at))


def _take_leases(batch: Batch) -> None:
    """No worker that is still at a part of the batch commits it after this."""
    batch.chunks.exclude(state="done").update(lease=F("lease") + 1)


def _wait_again(batch: Batch, ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> None:
    """Cards that a batch did not prepare wait for another one."""
    Item.objects.filter(batch=batch, outcome="waiting").update(outcome="held", reason="batch-cancelled")
    perform_many(Many(Card, ids, "batched", {"reason": "batch-cancelled"}), "hold", by=by,
                 request_id=sub(request_id, "hold"), at=at)
    perform_many(Many(Card, ids, "held"), "release", by=by, request_id=sub(request_id, "release"), at=at)


def _masters_are_held(area: int, profile: str, at: datetime) -> None:
    """Cards for people are made from masters of which custodians hold components, never from a trial's."""
    if not settings.BEHIND_FRONT or settings.DEMO:
        return
    made_for = cards.profile(profile)
    slots = sorted({key.purpose for key in made_for.keys} & set(keys.CARD_SLOTS))
    for label in key_queries.without_ceremony(area, made_for.suite, slots, at=at):
        raise Refusal("key-without-ceremony", label=label)


def _next_number(area: Area, at: datetime) -> str:
    """The next number of the unit's batches of this day; one transaction at a time may ask."""
    head = f"{area.unit6}-{at.astimezone(CHINA):%Y%m%d}-"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"batch {area.code}"])
    return f"{head}{Batch.objects.filter(area=area, number__startswith=head).count() + 1:02d}"


def _ordered(area: Area, profile: str, limit: int | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(ORDERED, [area.code, profile, limit])
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        raise Refusal("batch-empty", area=area.code, profile=profile)
    return ids


def _cards(batch: Batch, outcome: str) -> Sequence[int]:
    return list(Item.objects.filter(batch=batch, outcome=outcome).order_by("position").values_list("card", flat=True))
