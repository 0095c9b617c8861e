"""Finished cards are packed and sealed (装包): at the plant, or at an office that sends them on or back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Many, Replayed, begin, begin_many, perform_many, replayed, sub
from zhengka.core.models import province_of
from zhengka.custody import queries, rules
from zhengka.custody.models import Keeping, Listed, Parcel
from zhengka.custody.services import carrying
from zhengka.production.models import Batch, Item

RIGHT: Final = "custody.keep"
SIZE: Final = 200
"""Cards in one parcel at most, where nothing else is asked for."""

KEEP: Final = """
    INSERT INTO custody_keeping (id, province, area, shared_with, state, version, card_id, serial, parcel_id, office,
                                 since, waits_since, stage)
    SELECT c.province * 10000000000000 + nextval('custody_keeping_ids'), c.province, c.area, %(shared)s, %(target)s, 1,
           c.id, coalesce(c.serial, ''), %(parcel)s, %(office)s, %(at)s, %(waits)s, 0
    FROM cards_card c WHERE c.id = ANY(%(cards)s) ORDER BY c.id
    ON CONFLICT (card_id) DO NOTHING
"""
PACKED: Final = ", parcel_id = %(parcel)s, office = NULL, since = %(at)s, shared_with = %(shared)s, counted_at = NULL"


class Seals(NamedTuple):
    """Seals of a roll, to be used one after another, and how many cards at most go under each."""

    numbers: Sequence[str]
    size: int = SIZE


class Label(NamedTuple):
    """What stands on a parcel: its number, the number of its seal, and where it goes."""

    number: str
    seal: str
    target: Area


@transaction.atomic
def pack(card_ids: Sequence[int], label: Label, *, origin: Area | None = None, by: Actor, request_id: UUID,
         at: datetime) -> Parcel:
    """Pack finished cards of one office into a parcel and seal it. `origin`: the office where they lie; None: the
    plant, from which no card of them has left yet.

    `Refusal`: `not-permitted`, `not-found`, `cards-not-here`, `batch-not-checked` for cards of a batch that is still to
    be looked at, `parcel-known`, `parcel-target-wrong`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Parcel.kind()):
        raise Replayed(event)
    if not by.may(RIGHT):
        raise Refusal("not-permitted", permission=RIGHT)
    if origin and not by.sees(origin.code):
        raise Refusal("not-found")
    cards = list(Card.objects.filter(pk__in=card_ids, state="ready", area__code__range=(by.lo, by.hi))
                 .select_related("area").order_by("pk").select_for_update(of=("self",)))
    if not cards or len(cards) < len(set(card_ids)) or len({card.area_id for card in cards}) > 1:
        _looked_at(Item.objects.filter(card__in=card_ids, outcome="good", card__area__code__range=(by.lo, by.hi)))
        raise Refusal("cards-not-here", many=len(set(card_ids)) - len(cards))
    parcel = _sealed(cards, label, origin, by=by, request_id=request_id, at=at)
    Listed.objects.bulk_create([Listed(parcel=parcel, area=parcel.area_id, shared_with=parcel.shared_with, card=card,
                                       serial=card.serial or "") for card in cards])
    _put_in(cards, parcel, origin, by=by, request_id=request_id, at=at)
    carrying.stand(parcel, "office" if origin else "plant", origin.code if origin else None, by=by, at=at)
    return parcel


@transaction.atomic
def pack_batch(batch: Batch, seals: Seals, target: Area, *, by: Actor, request_id: UUID, at: datetime) -> list[Parcel]:
    """Pack all good cards of a batch that still lie at the plant, in the order of the batch; the parcels are numbered
    after the batch, and sealed with the next of the seals. What is packed is packed: a repeat finds
    nothing left, and packs nothing. `Refusal`: as `pack`; `seals-short`. None is sealed before the batch was looked at.
    """
    _looked_at(Item.objects.filter(batch=batch, outcome="good"))
    ids = queries.left_at_the_plant(batch.pk)
    groups, done = [ids[first:first + seals.size] for first in range(0, len(ids), seals.size)], batch.parcels.count()
    if len(groups) > len(seals.numbers):
        raise Refusal("seals-short", wanted=len(groups), there=len(seals.numbers))
    return [pack(group, Label(f"{batch.number}-{done + place:03d}", seal, target), by=by,
                 request_id=sub(request_id, place), at=at)
            for place, (group, seal) in enumerate(zip(groups, seals.numbers, strict=False), 1)]


@transaction.atomic
def take_in(card_ids: Sequence[int], office: Area, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """Keep finished cards at an office to which they came without a parcel (made at its own desk); how many are new.

    `Refusal`: `not-permitted`, `not-found`.
    """
    if not by.may(RIGHT):
        raise Refusal("not-permitted", permission=RIGHT)
    if not by.sees(office.code):
        raise Refusal("not-found")
    ready = Card.objects.filter(pk__in=card_ids, state="ready", keeping=None, area__code__range=(by.lo, by.hi))
    return len(keep(list(ready.values_list("pk", flat=True)), office, by=by, request_id=request_id, at=at))


def keep(card_ids: Sequence[int], office: Area, *, shared: int | None = None, by: Actor, request_id: UUID,
         at: datetime) -> list[tuple[Any, ...]]:
    """Write down that these cards, of which nothing was known, lie at an office and wait for their holders."""
    rows = Begun(Keeping, KEEP, "waiting", {"cards": list(card_ids), "parcel": None, "office": office.code,
                                            "shared": shared, "waits": at}, part="card_id", also=", card_id")
    return begin_many(rows, "take_in", RIGHT, by=by, request_id=request_id, at=at, office=office.name)


def _looked_at(items: "QuerySet[Item]") -> None:
    """No seal before the look: cards that arrived from their maker are looked at where they lie, unsealed still."""
    for number in items.filter(card__state="arrived").values_list("batch__number", flat=True)[:1]:
        raise Refusal("batch-not-checked", batch=number)


def _sealed(cards: Sequence[Card], label: Label, origin: Area | None, *, by: Actor, request_id: UUID, at: datetime,
            ) -> Parcel:
    """The new parcel, labelled."""
    area, target = cards[0].area, label.target
    below = area.code <= target.code <= area.last
    if not below and not (target.code <= area.code <= target.last and target.level in rules.LEVELS):
        raise Refusal("parcel-target-wrong", target=target.name)
    stops = rules.way(queries.above(origin) if origin else [], queries.above(target))
    if not stops:
        raise Refusal("parcel-target-wrong", target=target.name)
    shared = target.code if below and target.code != area.code else None
    items = Item.objects.filter(card__in=cards, outcome="good").values_list("batch", flat=True).distinct()[:2]
    batch = items[0] if origin is None and len(items) == 1 else None
    row = Parcel(province=province_of(area.code), area=area, shared_with=shared, batch_id=batch,
                 number=label.number.strip(), seal=label.seal.strip(), target=target, stops=stops, quantity=len(cards),
                 packed_at=at)
    try:
        with transaction.atomic():
            return begin(row, "seal", RIGHT, by=by, request_id=request_id, at=at, cards=row.quantity,
                         seal=row.seal, place=target.name)
    except IntegrityError as broken:
        if "parcel_number_once" in str(broken) or "parcel_seal_once" in str(broken):
            raise Refusal("parcel-known") from None
        raise


def _put_in(cards: Sequence[Card], parcel: Parcel, origin: Area | None, *, by: Actor, request_id: UUID, at: datetime,
            ) -> None:
    ids: list[int] = [card.pk for card in cards]
    values: dict[str, Any] = {"parcel": parcel.pk, "shared": parcel.shared_with}
    if origin is None:
        rows = Begun(Keeping, KEEP, "packed", {**values, "cards": ids, "office": None, "waits": None}, part="card_id",
                     also=", card_id")
        done = len(begin_many(rows, "pack", RIGHT, by=by, request_id=request_id, at=at, parcel=parcel.number))
    else:
        done = 0
        for state in ("waiting", "returned"):
            kept = Keeping.objects.filter(card__in=ids, state=state, office=origin.code).values_list("pk", flat=True)
            done += len(perform_many(Many(Keeping, list(kept), state, {"parcel": parcel.number}, also=PACKED,
                                          values=values), "pack", by=by, request_id=sub(request_id, state), at=at))
    if done != len(ids):
        raise Refusal("cards-not-here", many=len(ids) - done)
