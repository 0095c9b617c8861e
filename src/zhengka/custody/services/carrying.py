"""A parcel goes from hand to hand (交接): each one who takes it over scans it, and from then on has it."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from zhengka.areas.models import Area
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform, replayed, sub
from zhengka.core.scope import seeing_all
from zhengka.custody import book
from zhengka.custody.models import Keeping, Listed, Parcel, Stay
from zhengka.custody.services import alarms
from zhengka.formats.verdict import CHINA

RIGHT: Final = "custody.keep"


@transaction.atomic
def dispatch(parcel: Parcel, *, by: Actor, request_id: UUID, at: datetime) -> Parcel:
    """Give a parcel to the carrier (交运), from the plant or from the office where it is, to its next stop.

    `Refusal`: `parcel-not-here` at its destination, or where the actor's offices do not have it; and those of
    `perform`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Parcel.kind(), parcel.pk):
        raise Replayed(event)
    with seeing_all(connection):
        (parcel,) = lock(parcel)
        stay = here(parcel)
        holds = parcel.area_id if stay is None or stay.office is None else stay.office
        if parcel.passed == len(parcel.stops) or not by.sees(holds):
            raise Refusal("parcel-not-here", parcel=parcel.number)
        parcel = perform(parcel, "dispatch", {"shared_with": _other(parcel)}, by=by, request_id=request_id, at=at)
        _show(parcel)
        stand(parcel, "moving", parcel.stops[parcel.passed], by=by, at=at)
    return parcel


@transaction.atomic
def arrive(parcel: Parcel, office: Area, seal: str, *, by: Actor, request_id: UUID, at: datetime) -> Parcel:
    """An office takes a parcel over (接收): from now on it has it, whoever should have. `seal`: as it was read.

    A seal that differs, and an office at which the parcel does not stop, or not yet, are taken down and raise an alarm
    each; neither is refused, for the parcel is there. `Refusal`: `not-found` (another office than the actor's),
    `parcel-here-already`, `custody-time-back`, and those of `perform`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Parcel.kind(), parcel.pk):
        raise Replayed(event)
    if not by.sees(office.code):
        raise Refusal("not-found")
    far = replace(by, lo=WHOLE_NATION[0], hi=WHOLE_NATION[1])  # who holds it in the hand may take it over
    with seeing_all(connection):
        (parcel,) = lock(parcel)
        before, ahead = here(parcel), parcel.stops[parcel.passed:]
        if before and before.place == "office" and before.office == office.code:
            raise Refusal("parcel-here-already", parcel=parcel.number)
        right, onward = ahead[:1] == [office.code], ahead.index(office.code) + 1 if office.code in ahead else 0
        parcel = perform(parcel, "arrive", {"passed": parcel.passed + onward, "shared_with": _other(parcel, office)},
                         by=far, request_id=request_id, at=at, office=office.name)
        _show(parcel)
        stay = stand(parcel, "office", office.code, seal=seal.strip(), by=by, at=at)
        if not right:
            alarms.raise_one("parcel-astray", stay, by=by, request_id=sub(request_id, "astray"), at=at)
        if seal.strip() != parcel.seal:
            alarms.raise_one("seal-differs", stay, seal.strip(), by=by, request_id=sub(request_id, "seal"), at=at)
    return parcel


def stand(parcel: Parcel, place: str, office: int | None, *, seal: str = "", by: Actor, at: datetime) -> Stay:
    """Close where the parcel was, and write down where it is from now on, and until when it may be there."""
    leave(parcel, at)
    day = at.astimezone(CHINA).date()
    try:
        with transaction.atomic():
            return Stay.objects.create(parcel=parcel, area=parcel.area_id, shared_with=parcel.shared_with, place=place,
                                       office=office, since=at, due=_due(parcel, place, office, day), person=by.person,
                                       seal=seal)
    except IntegrityError as broken:
        if "stay_one_place" in str(broken):
            raise Refusal("custody-time-back") from None
        raise


def leave(parcel: Parcel, at: datetime) -> None:
    """The parcel is no longer where it was; `Refusal("custody-time-back")` where it came there later than this."""
    for stay in Stay.objects.filter(parcel=parcel, until=None):
        if stay.since > at:
            raise Refusal("custody-time-back")
        stay.until = at
        stay.save(update_fields=["until"])


def here(parcel: Parcel) -> Stay | None:
    """The stay of a parcel that is open; None once it was opened or lost."""
    return Stay.objects.filter(parcel=parcel, until=None).first()


def _other(parcel: Parcel, office: Area | None = None) -> int | None:
    """The other office that sees a parcel: its destination, where that lies below; or the one where it turned up that
    would not see it by itself.
    """
    if office and office.code not in (parcel.area_id, parcel.target_id) and not (
            office.code <= parcel.area_id <= office.last):
        return office.code
    return parcel.target_id if parcel.target_id > parcel.area_id else None


def _due(parcel: Parcel, place: str, office: int | None, day: date) -> date:
    """A stay's last day, by the calendar of the office that has it, or to which it goes."""
    level = "" if office is None else Area.objects.values_list("level", flat=True).get(pk=office)
    limit = {"plant": "plant", "moving": f"to_{level}", "office": level}[place]
    return book.due(office or parcel.area_id, limit, day)


def _show(parcel: Parcel) -> None:
    """What belongs to a parcel is seen where the parcel is."""
    for model in (Listed, Stay):
        model._default_manager.filter(parcel=parcel).exclude(shared_with=parcel.shared_with).update(
            shared_with=parcel.shared_with)
    Keeping.objects.filter(parcel=parcel, state="packed").update(shared_with=parcel.shared_with)
