"""Appointments (预约评定): a case takes a place on a day, changes it, gives it back, or does not come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from zhengka.areas.models import Area
from zhengka.assessment import persons
from zhengka.assessment.models import Appointment, Conflict, Session
from zhengka.assessment.persons import Person
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import Stateful, province_of
from zhengka.formats.verdict import CHINA


@dataclass(frozen=True)
class Wanted:
    """What a case asks a day for. `area`: the office whose institutions assess; `person_index`: blind index of the
    applicant's ID number, `guardian_index` of their guardian's, where one is named; `dispute`: the case disputes an
    earlier assessment (办法 art. 25); `shared_with`: 12-digit code of the case's other office.
    """

    area: Area
    case_id: int
    category: int
    person_index: bytes = field(repr=False)
    person: Person = field(repr=False)
    dispute: bool = False
    shared_with: int | None = None
    guardian_index: bytes | None = field(default=None, repr=False)


@transaction.atomic
def book(session: Session, wanted: Wanted, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """Give a case a place on a day (预约).

    `Refusal`: `not-permitted`, `not-found`, `appointment-open`, `session-past`, `session-elsewhere`, `session-full`.
    """
    if not by.may("assessment.plan"):
        raise Refusal("not-permitted", permission="assessment.plan")
    if not by.sees(wanted.area.code):
        raise Refusal("not-found")
    if event := replayed(request_id, Appointment.kind()):
        raise Replayed(event)
    (session,) = lock(session)
    if Appointment.objects.filter(case_id=wanted.case_id, state="booked").exists():
        raise Refusal("appointment-open")
    check_room(session, wanted.area.code, wanted.category, at)
    place = Appointment(
        province=province_of(wanted.area.code), area=wanted.area, shared_with=wanted.shared_with, session=session,
        case_id=wanted.case_id, category=wanted.category, person_index=wanted.person_index,
        guardian_index=wanted.guardian_index, person=persons.close(wanted.person), dispute=wanted.dispute,
        booked_at=at)
    try:
        with transaction.atomic():
            return begin(place, "book", "assessment.plan", by=by, request_id=request_id, at=at, session=session.pk)
    except IntegrityError as broken:  # another officer booked another day of it at the same moment
        raise _quicker(broken, "appointment_one_open_per_case", "appointment-open") from None


@transaction.atomic
def rebook(appointment: Appointment, session: Session, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """Change an appointment to another day (改约); the new appointment. `Refusal` as `book`."""
    rows: Iterable[Stateful] = lock(*_both(appointment, session))
    found = next(row for row in rows if isinstance(row, Session) and row.pk == session.pk)
    old = perform(appointment, "cancel", by=by, request_id=request_id, at=at, rebooked=session.pk)
    check_room(found, old.area_id, old.category, at)
    return begin(Appointment(
        province=old.province, area_id=old.area_id, shared_with=old.shared_with, session=found,
        case_id=old.case_id, category=old.category, person_index=bytes(old.person_index), person=bytes(old.person),
        guardian_index=old.guardian_index and bytes(old.guardian_index), dispute=old.dispute, booked_at=at),
        "book", "assessment.plan", by=by, request_id=sub(request_id, "book"), at=at, session=found.pk)


def _both(appointment: Appointment, session: Session) -> list[Stateful]:
    """Everything that a change of the day touches: it is locked in one order, whoever changes which way."""
    return list({row.pk: row for row in (appointment, appointment.session, session)}.values())


@transaction.atomic
def cancel(appointment: Appointment, *, by: Actor, request_id: UUID, at: datetime, reason: str = "") -> Appointment:
    """Give the place back (退回预约): the case that it was booked for needs none any more."""
    return perform(appointment, "cancel", by=by, request_id=request_id, at=at, reason=reason)


@transaction.atomic
def call_off_appointment(appointment: Appointment, reason: str, *, by: Actor, request_id: UUID,
                         at: datetime) -> Appointment:
    """The office calls an appointment off and says why (取消预约); the place is free again.

    `Refusal("reason-missing")`.
    """
    if not reason.strip():
        raise Refusal("reason-missing")
    return perform(appointment, "call_off", by=by, request_id=request_id, at=at, reason=reason.strip())


@transaction.atomic
def miss(appointment: Appointment, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """The applicant did not come (未到评); `Refusal("session-not-begun")` before the day has begun."""
    if at < starts(appointment.session):
        raise Refusal("session-not-begun")
    return perform(appointment, "miss", by=by, request_id=request_id, at=at)


@transaction.atomic
def take_route(session: Session, *, by: Actor, request_id: UUID, at: datetime) -> Session:
    """Note that a team takes the addresses and phones of a day with it (取路线); `queries.route` then has them."""
    return perform(session, "take_route", by=by, request_id=request_id, at=at)


@transaction.atomic
def declare_conflict(assessor_person: str, person_index: bytes, *, relation: str, by: Actor, request_id: UUID,
                     at: datetime) -> Conflict:
    """Declare that a doctor must not assess a person (回避): the doctor for themselves, or the office that books.

    `Refusal`: `not-permitted`, `conflict-known`. Booked appointments stay: another doctor of the day signs.
    """
    own = by.may("case.assess") and by.person == assessor_person
    if not (own or by.may("assessment.plan")):
        raise Refusal("not-permitted", permission="assessment.plan")
    if event := replayed(request_id, Conflict.kind()):
        raise Replayed(event)
    if Conflict.objects.filter(assessor_person=assessor_person, person_index=person_index).exists():
        raise Refusal("conflict-known")
    conflict = Conflict(province=province_of(by.lo), area_id=by.lo, assessor_person=assessor_person,
                        person_index=person_index, relation=relation, declared_at=at)
    try:
        with transaction.atomic():
            return begin(conflict, "declare", by=by, request_id=request_id, at=at, relation=relation)
    except IntegrityError as broken:
        raise _quicker(broken, "conflict_once", "conflict-known") from None


def _quicker(broken: IntegrityError, constraint: str, code: str) -> Exception:
    """What somebody hears whom another one forestalled; the fault itself where it is not of this constraint."""
    return Refusal(code) if constraint in str(broken) else broken


def check_room(session: Session, area: int, category: int, at: datetime) -> None:
    """Refuse a day that is over, serves another area (12-digit code) or category, or has no free place."""
    if session.state != "open" or session.is_over(at):
        raise Refusal("session-past")
    if not session.area_id <= area <= session.last or category not in session.categories:
        raise Refusal("session-elsewhere")
    if session.taken >= session.capacity:
        raise Refusal("session-full")


def starts(session: Session) -> datetime:
    """The moment at which a day of assessments begins."""
    return datetime.combine(session.day, session.starts, CHINA)
