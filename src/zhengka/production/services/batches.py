"""From ordered cards to a batch and to the card maker (组批, 送制)."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cards import services as card_services
from zhengka.cards.models import Card, KeyGroup
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, begin, lock, perform, perform_many, replayed
from zhengka.core.models import province_of
from zhengka.formats import qr
from zhengka.formats.package import MOST_CARDS
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.production.models import Batch, Item, Maker
from zhengka.production.services import deciding, makers, terms
from zhengka.production.services.choosing import EVERY, Only, waiting
from zhengka.production.services.pausing import ask_workers, cards_of, take_leases

LONGEST_CREDENTIAL = 108
"""Bytes of the longest credential that a card can get, by which the address of the scan page is tried out."""

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
        only: Only = EVERY) -> Batch:
    """Open a batch (组批) of the ordered cards of an issuing unit under a card profile, as far as `only` wants them;
    urgent ones come first in it.

    `Refusal`: `not-permitted`, `not-found` (another's area), `profile-missing`, `maker-suite-differs`, `batch-empty`,
    those of `makers.trusted`, `issuing-stopped`; on a site for the public (`ZHENGKA_HTTPS`, and no demo)
    `key-without-ceremony`.
    """
    if event := replayed(request_id, Batch.kind()):
        raise Replayed(event)
    if not by.may("batch.make"):
        raise Refusal("not-permitted", permission="batch.make")
    if not by.sees(area.code):
        raise Refusal("not-found")
    if maker.suite != cards.profile(profile).suite:
        raise Refusal("maker-suite-differs", maker=maker.suite)
    card_services.not_stopped(area.code)
    _masters_are_held(area.code, profile, at)
    makers.trusted(maker, at=at)
    number = _next_number(area, at)
    ids = _entering(area, profile, only, at)
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
    _goes_on(batch, request_id)
    kept = {"keys": _masters(batch, at), "prepared_person": by.person}
    if not replayed(request_id, Batch.kind(), batch.pk):
        makers.trusted(batch.maker, at=at)
    batch = perform(batch, "prepare", kept, by=by, request_id=request_id, at=at)
    ask_workers(batch)
    return batch


@transaction.atomic
def retry_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let the workers go on with a batch whose preparation failed at every try (重新准备); what is done stays done.

    Where nothing is done yet, it begins with the masters that work now. `Refusal`: `batch-keys-over` where a part was
    prepared under a master that reads no more; `key-without-ceremony` as in `open_batch`; what `perform` says.
    """
    _goes_on(batch, request_id)
    batch = perform(batch, "retry", {"problem": "", "keys": _kept(batch, at)}, by=by, request_id=request_id, at=at)
    ask_workers(batch)
    return batch


@transaction.atomic
def resume_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let a paused batch go on (继续): workers take what is left of it, or it may be sent again.

    `Refusal`: for one that is not prepared yet those of `retry_batch`; what `perform` says.
    """
    _goes_on(batch, request_id)
    if batch.state == "withheld":
        return perform(batch, "resume", by=by, request_id=request_id, at=at)
    batch = perform(batch, "resume", {"problem": "", "keys": _kept(batch, at)}, by=by, request_id=request_id, at=at)
    ask_workers(batch)
    return batch


def _goes_on(batch: Batch, request_id: UUID) -> None:
    """Nothing is made where issuing is stopped (停发); what was done before is answered as ever."""
    if not replayed(request_id, Batch.kind(), batch.pk):
        card_services.not_stopped(batch.area_id)


def _kept(batch: Batch, at: datetime) -> list[int]:
    """The masters with which a batch goes on: those of what is done, or where nothing is done those that work now."""
    if not batch.chunks.filter(state="done").exclude(member="").exists():
        take_leases(batch)
        return _masters(batch, at)
    if ended := key_queries.over(batch.keys, at=at):
        raise Refusal("batch-keys-over", label=ended[0].label)
    return list(batch.keys)


@transaction.atomic
def send_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Release a batch: say that the package went to the card maker (送制), as another person than who prepared it (I6).
    Held cards about which nobody decided are taken out of it.

    `Refusal`: `same-person`, `batch-all-held` where nothing is to be made, `lists-not-published` before gates were told
    of its cards: one that is stolen on its way must open no gate; `batch-keys-over` where a key of its cards was
    retired or revoked since they were prepared; those of `makers.trusted`. What `perform` says.
    """
    _goes_on(batch, request_id)
    if not replayed(request_id, Batch.kind(), batch.pk):
        makers.trusted(batch.maker, at=at)
        if ended := key_queries.over(keys_of(batch), at=at):
            raise Refusal("batch-keys-over", label=ended[0].label)
    if batch.prepared and not cards.told_to_gates(cards_of(batch, "prepared"), at=at):
        raise Refusal("lists-not-published", batch=batch.number)
    kept = {"sent_person": by.person, "machine_id": batch.maker.store_id, "undecided": 0,
            "acknowledge_by": terms.acknowledge_by(batch.area_id, at=at)}
    batch = perform(batch, "send", kept, by=by, request_id=request_id, at=at, package=batch.manifest_digest)
    deciding.split_off(batch)
    perform_many(Many(Card, cards_of(batch, "prepared"), "prepared", {"batch": batch.number}), "send", by=by,
                 request_id=request_id, at=at)
    return batch


@transaction.atomic
def close_batch(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Close a batch whose results were looked through (关批): from now on the days run anew until what was made for it
    here is erased, unless it stood open for so long that all is gone.
    """
    (batch,) = lock(batch)
    days = {} if batch.erased_at else {"erase_on": terms.erase_on(batch.area_id, at=at)}
    return perform(batch, "close", days, by=by, request_id=request_id, at=at)


@transaction.atomic
def take_package(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Write down that an officer takes the sealed package out of the house (取制卡包). `Refusal`: `issuing-stopped`,
    what `perform` says.
    """
    _goes_on(batch, request_id)
    return perform(batch, "take_package", by=by, request_id=request_id, at=at, package=batch.manifest_digest)


@transaction.atomic
def take_proof(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Write down that an officer takes the proof sheet, with names and photos on it (取校样)."""
    return perform(batch, "take_proof", by=by, request_id=request_id, at=at, proof=batch.proof)


def _entering(area: Area, profile: str, only: Only, at: datetime) -> list[int]:
    """The cards that enter, locked."""
    rows = waiting([area.code], profile, only, on=at.astimezone(CHINA).date())
    ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True)[:only.limit])
    if not ids:
        raise Refusal("batch-empty", area=area.code, profile=profile)
    return ids


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
