"""Signatures: a doctor fills in the form and signs, a second one agrees or differs (评定、会签)."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from zhengka.assessment import persons, queries
from zhengka.assessment.forms import MULTIPLE
from zhengka.assessment.models import Appointment, Assessment, Conflict, Institution, Licence
from zhengka.assessment.rules import Conclusion, conclude
from zhengka.assessment.services.places import is_valid
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, lock, perform, sub
from zhengka.formats.verdict import CHINA

ANSWERS, CONCLUSION = "assessment.answers", "assessment.conclusion"


class Signed(NamedTuple):
    """An assessment as it was signed, and what it concludes for the case."""

    assessment: Assessment
    conclusion: Conclusion


def concluded(appointment: Appointment, answers: Mapping[str, Any], *, at: datetime) -> Conclusion:
    """What these answers would come to, before anybody signs. Nothing is written; `Refusal` as `rules.conclude`."""
    _components(appointment, answers)
    born = persons.open_(bytes(appointment.person)).born
    on = at.astimezone(CHINA).date()
    return conclude(appointment.category, answers, born=born, on=on, forms=queries.forms(appointment.area_id))


@transaction.atomic
def record(appointment: Appointment, answers: Mapping[str, Any], *, by: Actor, request_id: UUID,
           at: datetime, guardian: bytes | None = None) -> Signed:
    """Sign an assessment as the first doctor (评定): the appointment is done, the conclusion goes to the case.

    `answers`: see `rules.Answers`; of a multiple disability, those of each part by its category ("1", "4"). `guardian`:
    blind index of whoever answers for the person by now; None: as it was when the day was booked.
    `Refusal`: `session-not-begun`, `licence-missing`, `assessor-is-applicant`, `assessor-conflict`, `assessor-again`,
    and those of `rules.conclude`. Raises `Replayed` for a repeat.
    """
    known = {"guardian_index": guardian} if guardian else {}
    appointment = perform(appointment, "assess", known, by=by, request_id=request_id, at=at)
    session, on = appointment.session, at.astimezone(CHINA).date()
    if on < session.day:
        raise Refusal("session-not-begun")
    licence = _licence(session.institution, _components(appointment, answers), by=by, on=on)
    _fair(licence, appointment)
    found = concluded(appointment, answers, at=at)
    assessment = begin(Assessment(
        province=appointment.province, area_id=appointment.area_id, shared_with=appointment.shared_with,
        appointment=appointment, institution=session.institution, institution_name=session.institution.name,
        case_id=appointment.case_id, person_index=bytes(appointment.person_index), dispute=appointment.dispute,
        category=found.category, grade=found.grade,
        answers=fields.close(json.dumps(dict(answers), default=_plain, ensure_ascii=False), ANSWERS),
        conclusion=fields.close(json.dumps(found.as_json()), CONCLUSION),
        first=licence, first_person=by.person, first_name=by.name, signed_at=at,
    ), "sign", by=by, request_id=sub(request_id, "sign"), at=at)
    return Signed(assessment, found)


def check_doctor(appointment: Appointment, *, by: Actor, at: datetime, guardian: bytes | None = None) -> None:
    """Whether this doctor may sign the form of an appointment at all, whatever is filled in: `Refusal` as `record`."""
    needed = [] if appointment.category == MULTIPLE else [appointment.category]
    licence = _licence(appointment.session.institution, needed, by=by, on=at.astimezone(CHINA).date())
    _fair(licence, appointment, guardian)


@transaction.atomic
def countersign(  # noqa: PLR0913 - what a case knows of its signing
        assessment: Assessment, *, agrees: bool, by: Actor, request_id: UUID, at: datetime, reason: str = "",
        guardian: bytes | None = None) -> Assessment:
    """Sign as the second doctor (会签), or differ (意见不一): the case is then assessed anew. `guardian`: as `record`.

    `Refusal`: `same-person`, `licence-missing`, `assessor-is-applicant`, `assessor-conflict`, `assessor-again`.
    """
    (assessment,) = lock(assessment)
    on = at.astimezone(CHINA).date()
    found = queries.conclusion(assessment)
    needed = [category for category, _ in found.components] or [assessment.category]
    licence = _licence(assessment.institution, needed, by=by, on=on)
    _fair(licence, assessment.appointment, guardian, besides=assessment.pk)
    return perform(assessment, "countersign" if agrees else "differ",
                   {"second": licence, "second_person": by.person, "second_name": by.name, "second_at": at},
                   by=by, request_id=request_id, at=at, reason=reason)


@transaction.atomic
def read_in_full(assessment: Assessment, *, purpose: str, by: Actor, request_id: UUID,
                 at: datetime) -> dict[str, Any]:
    """The answers of a form in clear (查阅评定表), told in an event with the purpose; `Refusal("purpose-missing")`."""
    if not purpose.strip():
        raise Refusal("purpose-missing")
    assessment = perform(assessment, "read_in_full", by=by, request_id=request_id, at=at, purpose=purpose.strip())
    found: dict[str, Any] = json.loads(fields.open_(bytes(assessment.answers), ANSWERS))
    return found


def _components(appointment: Appointment, answers: Mapping[str, Any]) -> list[int]:
    """The categories that are assessed; `Refusal("components-missing")` for parts that are no category."""
    if appointment.category != MULTIPLE:
        return [appointment.category]
    known = {str(category): category for category in range(1, MULTIPLE)}
    if len(answers) < 2 or not set(answers) <= set(known):
        raise Refusal("components-missing")
    return [known[part] for part in answers]


def _licence(institution: Institution, categories: list[int], *, by: Actor, on: date) -> Licence:
    """The actor's licence at an institution for these categories on a day; `Refusal("licence-missing")`."""
    held = Licence.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=on), institution=institution, officer__pk=by.id or 0,
        person=by.person, state="licensed", valid_from__lte=on, categories__contains=categories).first()
    if held is None or not is_valid(institution, categories, on):
        raise Refusal("licence-missing", categories=categories)
    return held


def _fair(licence: Licence, of: Appointment, guardian: bytes | None = None, besides: int = 0) -> None:
    """Nobody assesses themselves, their ward, nor whom they declared a conflict with, nor in a dispute a person again
    (回避). `besides`: an assessment that does not count as an earlier one.
    """
    person, doctor = bytes(of.person_index), bytes(licence.person_index)
    if doctor == person:
        raise Refusal("assessor-is-applicant")
    if doctor == guardian or (of.guardian_index is not None and doctor == bytes(of.guardian_index)):
        raise Refusal("assessor-conflict")
    if Conflict.objects.filter(assessor_person=licence.person, person_index=person).exists():
        raise Refusal("assessor-conflict")
    signed = Assessment.objects.filter(Q(first_person=licence.person) | Q(second_person=licence.person),
                                       person_index=person).exclude(pk=besides)
    if of.dispute and signed.exists():
        raise Refusal("assessor-again")


def _plain(value: Any) -> str:
    """Decimals and days as text, in which `rules.conclude` reads them again."""
    return str(value)
