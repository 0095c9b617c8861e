"""A parcel is opened at its destination (拆包清点): the cards in it against its list, each difference by its name."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.core.scope import seeing_all
from zhengka.custody.models import Keeping, Listed, Parcel, Stay, Trouble
from zhengka.custody.services import alarms, carrying
from zhengka.custody.services.packing import keep
from zhengka.formats.serial import BadSerial, parse

WAITS: Final = ", office = %(office)s, since = %(at)s, waits_since = %(at)s, stage = 0"
ABSENT: Final = ", office = %(office)s, since = %(at)s"


class Opened(NamedTuple):
    """What a parcel turned out to hold: how many were there, and the serials of those that were missing, strange, or of
    another parcel's list.
    """

    parcel: Parcel
    there: int
    missing: list[str]
    strange: list[str]
    swapped: list[str]

    @property
    def pk(self) -> int:
        """The parcel's id."""
        return self.parcel.pk


class Asked(NamedTuple):
    """Who asks, under which request, when."""

    by: Actor
    request_id: UUID
    at: datetime


@transaction.atomic
def unpack(parcel: Parcel, seal: str, found: Sequence[str], *, by: Actor, request_id: UUID, at: datetime) -> Opened:
    """Open a parcel where it was to go, and count its cards against its list: what is there waits for its holder; each
    that is missing, strange or of another parcel opens a case. `found`: the serials that were in it, as scanned.

    `Refusal`: `parcel-not-at-its-end`, `parcel-not-here`, and those of `perform`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Parcel.kind(), parcel.pk):
        raise Replayed(event)
    serials = serials_of(found)
    with seeing_all(connection):
        (parcel,) = lock(parcel)
        stay, office = carrying.here(parcel), parcel.target
        if stay is None or stay.place != "office" or not by.sees(stay.office):
            raise Refusal("parcel-not-here", parcel=parcel.number)
        if stay.office != office.code:
            raise Refusal("parcel-not-at-its-end", parcel=parcel.number)
        inside = {row.serial: row.pk for row in Keeping.objects.select_for_update().filter(
            parcel=parcel, state="packed")}
        there = [serial for serial in serials if serial in inside]
        missing = sorted(set(inside) - set(there))
        parcel = perform(parcel, "unpack", by=by, request_id=request_id, at=at, cards=len(serials),
                         short=len(missing))
        if seal.strip() != parcel.seal:
            _differs(stay, seal.strip(), Asked(by, request_id, at))
        carrying.leave(parcel, at)
        asked = Asked(by, request_id, at)
        _counted(parcel, [inside[one] for one in there], [inside[one] for one in missing], asked)
        others = [serial for serial in serials if serial not in inside]
        sorts = {serial: _strange(parcel, serial, asked) for serial in others}
    return Opened(parcel, len(there), missing, [one for one in others if sorts[one] == "card-strange"],
                  [one for one in others if sorts[one] == "card-swapped"])


def _differs(stay: Stay, seal: str, asked: Asked) -> None:
    """The seal that was broken is not the one on the paper: an alarm, unless it was raised as the parcel came."""
    if not Trouble.objects.filter(alarm=f"seal-differs:{stay.pk}").exists():
        alarms.raise_one("seal-differs", stay, seal, by=asked.by, request_id=sub(asked.request_id, "seal"), at=asked.at)


def _counted(parcel: Parcel, there: Sequence[int], missing: Sequence[int], asked: Asked) -> None:
    """The cards of the list: those that are there, and those that are not."""
    values = {"office": parcel.target_id}
    for ids, action, also in ((there, "count", WAITS), (missing, "miss", ABSENT)):
        perform_many(Many(Keeping, list(ids), "packed", also=also, values=values), action,
                     by=asked.by, request_id=sub(asked.request_id, action), at=asked.at)
    alarms.raise_missing(missing, parcel.target_id, by=asked.by, request_id=sub(asked.request_id, "missing"),
                         at=asked.at)
    for outcome, ids in (("there", there), ("missing", missing)):
        Listed.objects.filter(parcel=parcel, card__keeping__in=list(ids)).update(outcome=outcome)
    Listed.objects.filter(parcel=parcel, outcome="").update(outcome="elsewhere")


def _strange(parcel: Parcel, serial: str, asked: Asked) -> str:
    """A card that this parcel's list does not name: where it lies from now on, and a case; the sort of the case."""
    card = Card.objects.filter(serial=serial).first()
    keeping = Keeping.objects.select_for_update().filter(card=card).first() if card else None
    other = None
    if keeping and keeping.state in ("packed", "missing") and keeping.parcel_id != parcel.pk:
        other = keeping.parcel
    if card and card.state == "ready":
        lay(card, keeping, parcel.target, asked)
    sort = "card-swapped" if other else "card-strange"
    row = Trouble(area_id=parcel.area_id, shared_with=parcel.shared_with, sort=sort, parcel=parcel, other=other,
                  card=card, serial=serial, office=parcel.target_id, alarm=f"{sort}:{parcel.pk}:{serial}",
                  detail=other.number if other else "")
    alarms.raise_of_card(row, by=asked.by, request_id=sub(asked.request_id, serial), at=asked.at)
    return sort


def lay(card: Card, keeping: Keeping | None, office: Area, asked: Asked) -> None:
    """A card that turned up where no list names it lies there now, and nowhere else."""
    far = replace(asked.by, lo=WHOLE_NATION[0], hi=WHOLE_NATION[1])
    seen = None if office.code <= card.area_id <= office.last else office.code
    request_id = sub(asked.request_id, f"lies {card.pk}")
    if keeping is None:
        keep([card.pk], office, shared=seen, by=far, request_id=request_id, at=asked.at)
        return
    action = {"packed": "divert", "waiting": "divert", "returned": "divert", "missing": "find"}.get(keeping.state)
    if action:
        told: dict[str, Any] = {"office": office.code, "since": asked.at, "waits_since": asked.at, "stage": 0,
                                "shared_with": seen}
        perform(keeping, action, told, by=far, request_id=request_id, at=asked.at, office=office.name)


def serials_of(found: Sequence[str]) -> list[str]:
    """The serials that were scanned or typed, each once, in order."""
    return sorted({_plain(each) for each in found if each.strip()})


def _plain(text: str) -> str:
    """A serial as it was scanned or typed; what is none is kept as it is, to be named."""
    try:
        return str(parse(text))
    except BadSerial:
        return text.strip()[:32]
