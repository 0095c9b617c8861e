"""Something is amiss with a parcel or a card (异常): an alarm is a case at once, and each comes once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.events import Begun, Replayed, begin, begin_many, lock, replayed
from zhengka.core.models import province_of
from zhengka.core.scope import seeing_all
from zhengka.custody import queries
from zhengka.custody.models import Stay, Trouble
from zhengka.devices import queries as devices
from zhengka.formats.verdict import CHINA
from zhengka.production.models import Item

PLATFORM: Final = UUID("5c1b7a52-4f0e-4a4e-9d0f-3c1a6e0b9d17")
"""Name space of the platform's own requests."""

RAISE: Final = """
    INSERT INTO custody_trouble (id, province, area, shared_with, state, version, sort, alarm, parcel_id, card_id,
                                 serial, office, detail, at, reason, person, confirmed_by)
    SELECT a.area / 10000000000 * 10000000000000 + nextval('custody_trouble_ids'), a.area / 10000000000, a.area,
           a.shared_with, %(target)s, 1, %(sort)s, a.alarm, a.parcel_id, a.card_id, a.serial, a.office, a.detail,
           %(at)s, '', '', ''
    FROM ({alarms}) a ORDER BY a.alarm
    ON CONFLICT (alarm) DO NOTHING
"""
LATE: Final = """
SELECT p.area, p.shared_with, 'parcel-late:' || s.id AS alarm, p.id AS parcel_id, NULL::bigint AS card_id, '' AS serial,
       s.office, s.due::text AS detail
FROM custody_stay s JOIN custody_parcel p ON p.id = s.parcel_id
WHERE s.until IS NULL AND s.due < %(today)s
"""
MISSING: Final = """
SELECT k.area, k.shared_with, 'card-missing:' || k.parcel_id || ':' || k.card_id AS alarm, k.parcel_id, k.card_id,
       k.serial, %(office)s::bigint AS office, '' AS detail
FROM custody_keeping k WHERE k.id = ANY(%(ids)s)
"""


def raise_one(sort: str, stay: Stay, detail: str = "", *, by: Actor, request_id: UUID, at: datetime) -> Trouble:
    """An alarm about a parcel, at the stay during which it was noticed."""
    parcel = stay.parcel
    row = Trouble(province=province_of(parcel.area_id), area_id=parcel.area_id, shared_with=parcel.shared_with,
                  sort=sort, alarm=f"{sort}:{stay.pk}", parcel=parcel, office=stay.office, detail=detail, at=at)
    return begin(row, "raise", by=by, request_id=request_id, at=at, **({"found": detail} if detail else {}))


def raise_of_card(row: Trouble, *, by: Actor, request_id: UUID, at: datetime) -> Trouble | None:
    """An alarm about a card; None where it was raised before. The caller has filled in all but when."""
    if Trouble.objects.filter(alarm=row.alarm).exists():
        return None
    row.province, row.at = province_of(row.area_id), at
    return begin(row, "raise", by=by, request_id=request_id, at=at, serial=row.serial)


def raise_missing(keepings: Sequence[int], office: int, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """A case for each card that its parcel's list names and that was not in it; how many."""
    rows = Begun(Trouble, RAISE.format(alarms=MISSING), "open",
                 {"sort": "card-missing", "ids": list(keepings), "office": office}, part="alarm",
                 also=", alarm, serial", told="jsonb_build_object('serial', serial)")
    return len(begin_many(rows, "raise", by=by, request_id=request_id, at=at))


@transaction.atomic
def check(*, at: datetime) -> int:
    """Raise an alarm for each parcel that has stayed longer than its place allows, once for each stay; how many."""
    rows = Begun(Trouble, RAISE.format(alarms=LATE), "open",
                 {"sort": "parcel-late", "today": at.astimezone(CHINA).date()}, part="alarm", also=", alarm, detail",
                 told="jsonb_build_object('due', detail)")
    return len(begin_many(rows, "raise", by=SYSTEM, request_id=uuid5(PLATFORM, "late"), at=at))


@transaction.atomic
def note_scan(card: Card, office: Area, *, by: Actor, request_id: UUID, at: datetime) -> Trouble | None:
    """A card is scanned at an office: the case about it, where by the records it cannot be there, at the plant, in a
    parcel, in its holder's hand or nowhere at all; None where it lies there. A case that is open goes on, and one that
    was closed does not silence the next scan. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Trouble.kind()):
        raise Replayed(event)
    with seeing_all(connection):
        (card,) = lock(card)
        place = queries.place_of(card)
        if (place.where == "office" and _within(place.office, office)) or (
                place.where == "plant" and _made_at(card, office)):
            return None
        before = Trouble.objects.filter(sort="card-astray", card=card, office=office.code)
        for case in before.filter(state__in=("open", "proposed")).order_by("-pk")[:1]:
            return case
        row = Trouble(area_id=card.area_id, sort="card-astray", card=card, serial=card.serial or "",
                      parcel=place.parcel if place.where == "parcel" else None, office=office.code,
                      shared_with=_beside(card, office), detail=place.where,
                      alarm=f"card-astray:{card.pk}:{office.code}:{before.count() + 1}")
        return raise_of_card(row, by=by, request_id=request_id, at=at)


def _within(code: int | None, office: Area) -> bool:
    return code is not None and (code == office.code or office.code <= code <= office.last)


def _made_at(card: Card, office: Area) -> bool:
    """Whether a card that travels in no parcel was made at the office's own desk, by one of its readers."""
    made = Item.objects.filter(card=card, outcome="good", batch__area__code__range=(office.code, office.last))
    return any(devices.is_device(bytes(item.batch.maker.public)) for item in made.select_related("batch__maker"))


def _beside(card: Card, office: Area) -> int | None:
    """The office that would not see the case by itself."""
    return None if office.code <= card.area_id <= office.last else office.code
