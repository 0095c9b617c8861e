"""The cards that wait at a counter are counted (盘点): what lies there against what should, each difference by name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Many, Replayed, begin_many, perform_many, sub
from zhengka.core.models import Event
from zhengka.core.scope import seeing_all
from zhengka.custody.models import Keeping, Trouble
from zhengka.custody.services import alarms, unpacking

RIGHT: Final = "custody.keep"
LIES: Final = ("waiting", "returned")
MISSING: Final = """
SELECT k.area, k.shared_with, 'card-missing:counter:v' || k.version || ':' || k.card_id AS alarm, k.parcel_id,
       k.card_id, k.serial, %(office)s::bigint AS office, '' AS detail
FROM custody_keeping k WHERE k.id = ANY(%(ids)s)
"""


class Difference(NamedTuple):
    """What was found at a counter against what should lie there: how many are there, and the serials that are missing,
    or that by the records lie elsewhere.
    """

    there: int
    missing: list[str]
    strange: list[str]


def compare(office: Area, found: Sequence[str], *, by: Actor) -> Difference:
    """What a count of the cards that wait or went back at an office would say; nothing is written down.

    `found`: serials as scanned. `Refusal`: `not-permitted`, `not-found`, `count-empty` where nothing lies there.
    """
    _may(office, by)
    with seeing_all(connection):
        return _difference({row.serial for row in _lying(office)}, unpacking.serials_of(found))


@transaction.atomic
def count_waiting(office: Area, found: Sequence[str], *, by: Actor, request_id: UUID, at: datetime) -> Difference:
    """Count the cards that wait or went back at an office (盘点): of each that is there it is written down when it was
    seen; one that is not is missing, and opens a case; one more opens a case, and lies there from now on.

    `Refusal`: as `compare`. Raises `Replayed` for a repeat.
    """
    _may(office, by)
    serials = unpacking.serials_of(found)
    with seeing_all(connection):
        lying = list(_lying(office).select_for_update(of=("self",)))
        _not_again(lying, request_id)
        told = _difference({row.serial for row in lying}, serials)
        asked = unpacking.Asked(by, request_id, at)
        for state in LIES:
            here = [row for row in lying if row.state == state]
            _move(state, "count", [row.pk for row in here if row.serial in serials], office, asked)
            _move(state, "miss", [row.pk for row in here if row.serial not in serials], office, asked)
        for serial in told.strange:
            _beside(office, serial, asked)
    return told


def _may(office: Area, by: Actor) -> None:
    if not by.may(RIGHT):
        raise Refusal("not-permitted", permission=RIGHT)
    if not by.sees(office.code):
        raise Refusal("not-found")


def _lying(office: Area) -> Any:
    """What lies at an office by the records, by serial."""
    return Keeping.objects.filter(office=office.code, state__in=LIES, card__state="ready").order_by("serial")


def _difference(lying: set[str], serials: Sequence[str]) -> Difference:
    if not lying and not serials:
        raise Refusal("count-empty")
    return Difference(len(lying.intersection(serials)), sorted(lying.difference(serials)),
                      [serial for serial in serials if serial not in lying])


def _not_again(lying: Sequence[Keeping], request_id: UUID) -> None:
    """What was seen by the same request is not counted twice."""
    parts = [sub(sub(request_id, f"count {row.state}"), row.pk) for row in lying]
    if event := Event.objects.filter(request_id__in=parts).first():
        raise Replayed(event)


def _move(state: str, action: str, ids: list[int], office: Area, asked: unpacking.Asked) -> None:
    also = ", counted_at = %(at)s" if action == "count" else ", since = %(at)s"
    done = perform_many(Many(Keeping, ids, state, {"office": office.name}, also=also), action, by=asked.by,
                        request_id=sub(asked.request_id, f"{action} {state}"), at=asked.at)
    if action == "miss":
        rows = Begun(Trouble, alarms.RAISE.format(alarms=MISSING), "open",
                     {"sort": "card-missing", "ids": done, "office": office.code}, part="alarm",
                     also=", alarm, serial", told="jsonb_build_object('serial', serial)")
        begin_many(rows, "raise", by=asked.by, request_id=sub(asked.request_id, f"missing {state}"), at=asked.at)


def _beside(office: Area, serial: str, asked: unpacking.Asked) -> None:
    """A card that by the records is not here lies here from now on. One that was missed is found by this, and has its
    case; of the others a case tells where they should be.
    """
    card = Card.objects.filter(serial=serial).first()
    keeping = Keeping.objects.select_for_update().filter(card=card).first() if card else None
    before = keeping.state if keeping else ""
    if card and card.state == "ready":
        unpacking.lay(card, keeping, office, asked)
    if before == "missing":
        return
    area = card.area_id if card else office.code
    row = Trouble(area_id=area, shared_with=None if office.code <= area <= office.last else office.code,
                  sort="card-strange", card=card, serial=serial, office=office.code, detail=before,
                  parcel_id=keeping.parcel_id if keeping and before == "packed" else None,
                  alarm=f"card-strange:counter:{office.code}:{serial}:{asked.at:%Y%m%d}")
    alarms.raise_of_card(row, by=asked.by, request_id=sub(asked.request_id, serial), at=asked.at)
