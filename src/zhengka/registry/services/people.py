"""One person's record: registered, corrected, moved, closed; read in clear only for a named purpose, with an event."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from zhengka.areas.models import Area
from zhengka.core import fields
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, begin, perform, perform_many, replayed, sub
from zhengka.core.models import province_of
from zhengka.core.scope import seeing_all
from zhengka.formats import idnumber, names
from zhengka.registry.models import Holder
from zhengka.registry.services.contacts import Contacts, anew, as_it_stood, clear, keep_contacts, kept, wishes_of


@dataclass(frozen=True)
class InFull:
    """A holder's personal data in clear. `certificates`: id of each certificate → its number."""

    id_number: str = field(repr=False)
    phone: str = field(repr=False)
    address: str = field(repr=False)
    guardian_name: str = field(repr=False)
    guardian_phone: str = field(repr=False)
    certificates: dict[int, str] = field(repr=False)
    wishes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Person:
    """What a record says of a person, in clear. `id_number` is the normalised 18 characters."""

    name: str
    id_number: str = field(repr=False)
    ethnicity: str = ""
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    guardian_name: str = field(default="", repr=False)
    guardian_id: str = field(default="", repr=False)
    guardian_phone: str = field(default="", repr=False)
    wishes: str = field(default="", repr=False)
    """How the person asks to be written to: some of `letters.rules.WISHES`, with spaces between."""


def register(person: Person, area: int, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Make the record of a person whose application was approved (建档). The calling use case has checked the rest.

    `Refusal("person-registered")` where the registry has the person.
    """
    number, (pinyin, initials) = idnumber.parse(person.id_number), names.pinyin_many([person.name])[0]
    row = Holder(
        province=province_of(area), area_id=area, name=person.name, pinyin=pinyin, initials=initials,
        sex=1 if number.male else 2, birth_date=number.birth, ethnicity=person.ethnicity, registered_at=at,
        id_number=fields.close(number.id18, "holder.id_number"), id_index=fields.index(number.id18),
        **kept(_contacts(person)))
    try:
        with transaction.atomic():
            return begin(row, "register", "case.approve", by=by, request_id=request_id, at=at)
    except IntegrityError as broken:
        if "holder_person_once" in str(broken):
            raise Refusal("person-registered") from None
        raise


@transaction.atomic
def take_up(person: Person, area: int, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """The record of a person whose application was approved: the one they have, which comes to this office from
    wherever it is (I2), or else a new one. The calling use case has checked the rest.

    The name is the one of the application, and how the person is reached is what they said there; what they did not say
    stays. What stood there before is kept, sealed, in the event. `Refusal("record-closed")` where the registry has the
    person as dead.
    """
    index = fields.index(idnumber.parse(person.id_number).id18)
    with seeing_all(connection):
        known = Holder.objects.filter(id_index=index).select_for_update(of=("self",)).first()
        if known is None:
            return register(person, area, by=by, request_id=request_id, at=at)
        if known.state == "closed":
            raise Refusal("record-closed")
        (lo, hi), renamed, said = WHOLE_NATION, person.name != known.name, _contacts(person)
        asked: dict[str, Any] = {"by": replace(by, lo=lo, hi=hi), "at": at}
        if known.area_id == area:
            keep_contacts({known.pk: said}, request_id=sub(request_id, "contacts"), **asked)
            known.refresh_from_db()
            return perform(known, "correct", _named(person.name), was=as_it_stood(name=known.name),
                           request_id=request_id, **asked) if renamed else known
        [(contacts, stood)] = anew([known], [said])
        facts: dict[str, Any] = {"was": known.area_id} | ({"was_name": as_it_stood(name=known.name)} if renamed else {})
        facts |= {"was_reached": as_it_stood(**stood)} if stood else {}
        new = {"area_id": area, "province": province_of(area), **contacts, **(_named(person.name) if renamed else {})}
        return perform(known, "move", new, request_id=request_id, **facts, **asked)


def correct(holder: Holder, *, name: str, id_number: str, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Correct name and ID number of a record (更正); empty means unchanged. The event keeps what stood there, sealed.

    `Refusal("person-registered")` where the new number is another person's.
    """
    was = as_it_stood(name=holder.name, id_number=fields.open_(bytes(holder.id_number), "holder.id_number"))
    new: dict[str, Any] = _named(name) if name else {}
    if id_number:
        number = idnumber.parse(id_number)
        new |= {"id_number": fields.close(number.id18, "holder.id_number"), "id_index": fields.index(number.id18),
                "birth_date": number.birth, "sex": 1 if number.male else 2}
    try:
        with transaction.atomic():
            return perform(holder, "correct", new, by=by, request_id=request_id, at=at, was=was)
    except IntegrityError as broken:
        if "holder_person_once" in str(broken):
            raise Refusal("person-registered") from None
        raise


def move_person(holder: Holder, area: int, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """The record goes to another office (迁移)."""
    return perform(holder, "move", {"area_id": area, "province": province_of(area)}, by=by, request_id=request_id,
                   at=at, was=holder.area_id)


def close_person(holder: Holder, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """The person has died: the record is closed (注销档案)."""
    return perform(holder, "close", by=by, request_id=request_id, at=at)


def reopen_person(holder: Holder, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """The record was closed in error (恢复档案)."""
    return perform(holder, "reopen", by=by, request_id=request_id, at=at)


@transaction.atomic
def read_in_full(holder: Holder, *, by: Actor, request_id: UUID, purpose: str, at: datetime | None = None) -> InFull:
    """The holder's data in clear (查阅全项), told in an event with the purpose.

    `Refusal`: `purpose-missing`, `not-found`, `not-permitted`. Raises `Replayed` for a repeat.
    """
    if not purpose.strip():
        raise Refusal("purpose-missing")
    holder = perform(holder, "read_in_full", by=by, request_id=request_id, at=at, purpose=purpose.strip())
    guardian = json.loads(clear(holder.guardian, "holder.guardian") or "{}")
    return InFull(
        id_number=clear(holder.id_number, "holder.id_number"), phone=clear(holder.phone, "holder.phone"),
        address=clear(holder.address, "holder.address"), guardian_name=guardian.get("name", ""),
        guardian_phone=guardian.get("phone", ""),
        certificates={one.pk: clear(one.number, "certificate.number")
                      for one in holder.certificates.order_by("id")},
        wishes=wishes_of([holder])[0])


@transaction.atomic
def list_out(holder_ids: Sequence[int], *, by: Actor, request_id: UUID, purpose: str, at: datetime) -> int:
    """Write down that people are named in a list which leaves the house as a file (导出名单): an event for each, with
    the purpose; how many. `Refusal`: `purpose-missing`, `not-permitted`. Raises `Replayed` for a repeat.
    """
    if not purpose.strip():
        raise Refusal("purpose-missing")
    ids = sorted(set(holder_ids))
    if ids and (event := replayed(sub(request_id, ids[0]), Holder.kind(), ids[0])):
        raise Replayed(event)
    return len(perform_many(Many(Holder, ids, "registered", {"purpose": purpose.strip()}), "list_out", by=by,
                            request_id=request_id, at=at))


@transaction.atomic
def look_up(person_index: bytes, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """The holder with the ID number of this blind index, wherever they belong: for an office that receives a case for
    another one (异地核查). The holder's office has it in an event who asked; what is found is not for a page.

    Within `core.scope.seeing_all`. `Refusal("elsewhere-unfit")` where nobody has a record that is open.
    """
    holder = Holder.objects.filter(id_index=person_index, state="registered").first()
    if holder is None:
        raise Refusal("elsewhere-unfit")
    return _looked_up(holder, by=by, request_id=request_id, at=at)


@transaction.atomic
def look_beyond(person_index: bytes, *, by: Actor, request_id: UUID, at: datetime) -> Holder | None:
    """The record of a person, open or closed, that the actor does not see: for an office where somebody wants a first
    certificate. An event as of `look_up`. None where there is none, or where the actor sees it anyway.
    """
    with seeing_all(connection):
        holder = Holder.objects.filter(id_index=person_index).first()
        if holder is None or by.sees(holder.area_id):
            return None
        return _looked_up(holder, by=by, request_id=request_id, at=at)


def _looked_up(holder: Holder, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    (lo, hi), office = WHOLE_NATION, Area.objects.filter(code=by.lo, last=by.hi).first()
    with suppress(Replayed):
        holder = perform(holder, "look_up", by=replace(by, lo=lo, hi=hi), request_id=request_id, at=at,
                         office=office.name if office else "")
    return holder


def recorded(person_index: bytes) -> int | None:
    """Row id of the record of the person with the ID number of this blind index, at whichever office; None for none."""
    with seeing_all(connection):
        return Holder.objects.filter(id_index=person_index).values_list("pk", flat=True).first()


def died(person_index: bytes) -> bool:
    """True where the registry has the person with the ID number of this blind index as dead, at whichever office."""
    with seeing_all(connection):
        return Holder.objects.filter(id_index=person_index, state="closed").exists()


def _named(name: str) -> dict[str, Any]:
    """A name as a record keeps it, with how it is said."""
    pinyin, initials = names.pinyin_many([name])[0]
    return {"name": name, "pinyin": pinyin, "initials": initials}


def _contacts(person: Person) -> Contacts:
    return Contacts(person.phone, person.address, person.guardian_name, person.guardian_phone, person.wishes)
