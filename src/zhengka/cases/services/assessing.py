"""Cases and their assessments move together (评定): a day is booked, a doctor signs, a second one agrees or differs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengka.assessment import queries
from zhengka.assessment import services as assessment
from zhengka.assessment.models import Appointment, Assessment, Session
from zhengka.assessment.persons import Person as Patient
from zhengka.assessment.rules import Conclusion
from zhengka.assessment.services import Wanted
from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.guarding import guardian_told
from zhengka.cases.services.moving import move, part
from zhengka.cases.services.needed import wanted_of
from zhengka.cases.services.opening import told
from zhengka.cases.services.recalling import note_again
from zhengka.cases.services.telling import tell
from zhengka.cases.workflow import another_day
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.scope import seeing_all
from zhengka.formats import idnumber
from zhengka.registry import services as registry
from zhengka.registry.services import Finding


@transaction.atomic
def book_day(case: Case, session: Session, *, by: Actor, request_id: UUID, at: datetime, reason: str = "") -> Case:
    """Book the assessment of a case on a day of an institution (预约评定).

    `reason`: why somebody is assessed whose last doctors wrote that they need never be again. `Refusal` as
    `assessment.book` and `take`, and `reason-missing` where there is none.
    """
    if needs_no_other(case) and not reason.strip():
        raise Refusal("reason-missing")
    asked, facts = Asked(by, request_id, at), {"reason": reason.strip()} if reason.strip() else {}
    other = case.area_id if case.place != case.area else case.front_id
    wanted = Wanted(area=case.place, case_id=case.pk, category=category_of(case), person=_patient(case),
                    person_index=bytes(case.person_index), guardian_index=_guardian(case),
                    dispute=case.kind_of_case.startswith("dispute"),
                    shared_with=other)
    assessment.book(session, wanted, **vars(part(asked, "appointment")))
    if "book" in case.table.actions:
        case = move(case, "book", asked, day=session.day.isoformat(), **facts)
    else:
        (case,) = lock(case)
        case.table.step(case.state, "assess")
    tell(case, "book", part(asked, "told"))
    return case


@transaction.atomic
def change_day(appointment: Appointment, session: Session, *, by: Actor, request_id: UUID,
               at: datetime) -> Appointment:
    """Book another day for who has one (改约): the old place is free, the case stays where it is, and one letter says
    the new day. The new appointment.

    `Refusal` as `assessment.rebook`; of an appointment that is not open any more `step-not-open`, and of one that is
    on this day already `session-booked-so`. Raises `Replayed` for a repeat.
    """
    asked = Asked(by, request_id, at)
    if appointment.session_id == session.pk and appointment.state == "booked":
        raise Refusal("session-booked-so")
    new = assessment.rebook(appointment, session, **vars(asked))
    if case := _case(appointment.case_id):
        case = perform(case, another_day(case.state), day=new.session.day.isoformat(), **vars(part(asked, "case")))
        tell(case, "book", part(asked, "told"))
    return new


def needs_no_other(case: Case) -> bool:
    """True where the person's last assessment says that there need never be another, and none disputes it."""
    last = None if case.kind_of_case.startswith("dispute") else queries.again(bytes(case.person_index))
    return last is not None and last.on is None


def waits_for_day(case: Case) -> bool:
    """True for a case that no doctor can sign anything of before a day is booked, also where booking is no step."""
    return _goes(case, "book" if "book" in case.table.actions else "assess")


@transaction.atomic
def miss_day(appointment: Appointment, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """Nobody came (未到评): the case waits for another day, and the person is told."""
    asked = Asked(by, request_id, at)
    missed = assessment.miss(appointment, **vars(asked))
    _wait_for_another(appointment, "miss", "未到评", asked)
    return missed


@transaction.atomic
def call_off_day(appointment: Appointment, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """The office calls an appointment off (取消预约): the case waits for another day, and the person is told why.

    `Refusal("reason-missing")`.
    """
    asked = Asked(by, request_id, at)
    done = assessment.call_off_appointment(appointment, reason, **vars(asked))
    _wait_for_another(appointment, "call_off", reason.strip(), asked)
    return done


def _wait_for_another(appointment: Appointment, action: str, why: str, asked: Asked) -> None:
    """The case is where a day is booked for it: without an appointment no doctor can sign anything of it."""
    case = _case(appointment.case_id)
    if case and _goes(case, action):
        steps.carry(case, action, reason=why, **vars(part(asked, "case")))
    elif case:
        tell(case, action, part(asked, "told"), why)  # booking is no step of this policy: the case is there already


def _goes(case: Case, action: str) -> bool:
    """True where the step is one of the case's own table, from where it is."""
    return any((step.source, step.action) == (case.state, action) for step in case.table.steps)


@transaction.atomic
def sign(appointment: Appointment, answers: Mapping[str, Any], *, by: Actor, request_id: UUID,
         at: datetime) -> Assessment:
    """Sign the form of an appointment (评定): its conclusion goes into the case. `Refusal` as `assessment.record`."""
    asked = Asked(by, request_id, at)
    case = _case(appointment.case_id)
    signed = assessment.record(appointment, answers, guardian=_guardian(case) if case else None, **vars(asked))
    if case:
        steps.assess(case, finding(signed.conclusion), **vars(part(asked, "case")))
        note_again(case)
    return signed.assessment


def check_doctor(appointment: Appointment, *, by: Actor, at: datetime) -> None:
    """Whether this doctor may sign here at all, before the form is filled in: `Refusal` as `assessment.record`."""
    case = _case(appointment.case_id)
    assessment.check_doctor(appointment, by=by, at=at, guardian=_guardian(case) if case else None)


@transaction.atomic
def second(row: Assessment, *, agrees: bool, by: Actor, request_id: UUID, at: datetime,
           reason: str = "") -> Assessment:
    """Sign as the second doctor, or differ (会签、意见不一); where the policy asks for it, the case goes on or back."""
    asked = Asked(by, request_id, at)
    case, action = _case(row.case_id), "countersign" if agrees else "differ"
    row = assessment.countersign(row, agrees=agrees, reason=reason, guardian=_guardian(case) if case else None,
                                 **vars(asked))
    if case and _goes(case, action):
        steps.carry(case, action, reason=reason, **vars(part(asked, "case")))
    if case and not agrees:
        note_again(case)
    return row


def finding(found: Conclusion) -> Finding | None:
    """What an assessment found, as the registry keeps it; None where the standard is not met."""
    return Finding(found.category, found.grade, found.components) if found.grade else None


def category_of(case: Case) -> int:
    """The category for which a case asks a doctor: the one applied for or brought along, else the one certified."""
    return wanted_of(told(case)) or (case.certificate.category if case.certificate else 0)


def _patient(case: Case) -> Patient:
    """The person as the team of doctors needs to know them."""
    person = told(case).get("person")
    if person:
        return Patient(person["name"], idnumber.parse(person["id_number"]).birth, person["phone"], person["address"])
    if met := told(case).get("met"):
        return Patient(case.name, date.fromisoformat(met["born"]), met["phone"], met["address"])
    holder = case.holder
    if holder is None:
        raise Refusal("not-found")
    return Patient(holder.name, holder.birth_date, *registry.reached(holder))


def _guardian(case: Case) -> bytes | None:
    """Blind index of the guardian's ID number, as this case names them or else the holder's last one that did: what a
    case was told is all that the platform keeps of that number. None where none did.
    """
    with seeing_all(connection):
        before = case.holder.cases.filter(told__isnull=False).order_by("-pk") if case.holder else ()
        for one in (case, *before):
            if (guardian := guardian_told(one)) and guardian.id_number.strip():
                return fields.index(idnumber.parse(guardian.id_number).id18)
    return None


def _case(pk: int) -> Case | None:
    """The case of an appointment; None where it is of no case of this platform."""
    return Case.objects.filter(pk=pk).first()
