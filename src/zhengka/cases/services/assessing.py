"""Cases and their assessments move together (评定): a day is booked, a doctor signs, a second one agrees or differs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from zhengka.assessment import queries
from zhengka.assessment import services as assessment
from zhengka.assessment.models import Appointment, Assessment, Session
from zhengka.assessment.persons import Person as Patient
from zhengka.assessment.rules import Conclusion
from zhengka.assessment.services import Wanted
from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.moving import move, part
from zhengka.cases.services.opening import told
from zhengka.cases.services.telling import tell
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock
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
                    person_index=bytes(case.person_index), dispute=case.kind_of_case.startswith("dispute"),
                    shared_with=other)
    assessment.book(session, wanted, **vars(part(asked, "appointment")))
    if "book" in case.table.actions:
        case = move(case, "book", asked, day=session.day.isoformat(), **facts)
    else:
        (case,) = lock(case)
        case.table.step(case.state, "assess")
    tell(case, "book", part(asked, "told"))
    return case


def needs_no_other(case: Case) -> bool:
    """True where the person's last assessment says that there need never be another, and none disputes it."""
    last = None if case.kind_of_case.startswith("dispute") else queries.again(bytes(case.person_index))
    return last is not None and last.on is None


def waits_for_day(case: Case) -> bool:
    """True for a case that no doctor can sign anything of before a day is booked, also where booking is no step."""
    return _goes(case, "book" if "book" in case.table.actions else "assess")


@transaction.atomic
def miss_day(appointment: Appointment, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """Nobody came (未到评): the case waits for another day."""
    asked = Asked(by, request_id, at)
    missed = assessment.miss(appointment, **vars(asked))
    _wait_for_another(appointment, "未到评", asked)
    return missed


@transaction.atomic
def cancel_day(appointment: Appointment, *, by: Actor, request_id: UUID, at: datetime) -> Appointment:
    """The place is given back (取消预约): the case waits for another day."""
    asked = Asked(by, request_id, at)
    cancelled = assessment.cancel(appointment, **vars(asked))
    _wait_for_another(appointment, "取消预约", asked)
    return cancelled


def _wait_for_another(appointment: Appointment, why: str, asked: Asked) -> None:
    """The case is where a day is booked for it: without an appointment no doctor can sign anything of it."""
    case = _case(appointment.case_id)
    if case and _goes(case, "miss"):
        steps.carry(case, "miss", reason=why, **vars(part(asked, "case")))


def _goes(case: Case, action: str) -> bool:
    """True where the step is one of the case's own table, from where it is."""
    return any((step.source, step.action) == (case.state, action) for step in case.table.steps)


@transaction.atomic
def sign(appointment: Appointment, answers: Mapping[str, Any], *, by: Actor, request_id: UUID,
         at: datetime) -> Assessment:
    """Sign the form of an appointment (评定): its conclusion goes into the case. `Refusal` as `assessment.record`."""
    asked = Asked(by, request_id, at)
    signed = assessment.record(appointment, answers, **vars(asked))
    if case := _case(appointment.case_id):
        steps.assess(case, finding(signed.conclusion), **vars(part(asked, "case")))
    return signed.assessment


@transaction.atomic
def second(row: Assessment, *, agrees: bool, by: Actor, request_id: UUID, at: datetime,
           reason: str = "") -> Assessment:
    """Sign as the second doctor, or differ (会签、意见不一); where the policy asks for it, the case goes on or back."""
    asked = Asked(by, request_id, at)
    row = assessment.countersign(row, agrees=agrees, reason=reason, **vars(asked))
    case, action = _case(row.case_id), "countersign" if agrees else "differ"
    if case and _goes(case, action):
        steps.carry(case, action, reason=reason, **vars(part(asked, "case")))
    return row


def finding(found: Conclusion) -> Finding | None:
    """What an assessment found, as the registry keeps it; None where the standard is not met."""
    return Finding(found.category, found.grade, found.components) if found.grade else None


def category_of(case: Case) -> int:
    """The category for which a case asks a doctor: the one applied for, else the one certified."""
    wanted = told(case).get("wanted") or (case.certificate.category if case.certificate else 0)
    return int(wanted)


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


def _case(pk: int) -> Case | None:
    """The case of an appointment; None where it is of no case of this platform."""
    return Case.objects.filter(pk=pk).first()
