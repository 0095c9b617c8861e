"""Institutions, days, appointments and results, as an officer of an area may see them."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db.models import F, Model, Q, QuerySet

from zhengka.accounts.models import Officer
from zhengka.assessment import persons, routes, rules
from zhengka.assessment.forms import Form, load
from zhengka.assessment.models import END, Appointment, Assessment, Institution, Licence, Session
from zhengka.assessment.persons import Person
from zhengka.assessment.rules import Conclusion, Forms
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.queries import shared
from zhengka.formats.verdict import CHINA

Found = TypeVar("Found", bound=Model)


@dataclass(frozen=True)
class Listed:
    """One line of a day's list: the appointment, whom it is for, and the assessment once it is signed."""

    appointment: Appointment
    person: Person
    assessment: Assessment | None


@dataclass(frozen=True)
class Home:
    """A stop of a route; `kilometres`: the straight line from the stop before, where it is known."""

    appointment: Appointment
    person: Person
    kilometres: float | None


@dataclass(frozen=True)
class Result:
    """A signed assessment of a case, and its conclusion."""

    assessment: Assessment
    conclusion: Conclusion


def forms(area: int) -> Forms:
    """The assessment forms, of which those of an area (12-digit code) are chosen."""
    return Forms(_forms(Path(settings.DATA) / "assessment"), area)


@cache
def _forms(folder: Path) -> tuple[Form, ...]:
    return load(folder)


def institutions(*, actor: Actor) -> QuerySet[Institution]:
    """The institutions of the actor's area, and of the areas above that serve it, by name."""
    return Institution.objects.filter(_serves(actor)).select_related("area").order_by("area", "name")


def institution(pk: int, *, actor: Actor) -> Institution:
    """One of them; `Refusal("not-found")`."""
    return _one(institutions(actor=actor).filter(pk=pk))


def licences(*, actor: Actor) -> QuerySet[Licence]:
    """The licences at institutions of the actor's area."""
    return Licence.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("officer", "institution")


def doctors(of: Session) -> list[Officer]:
    """The doctors who are licensed at the institution of a day, by name; each once."""
    held = Licence.objects.filter(institution=of.institution_id, state="licensed").values("officer")
    return list(Officer.objects.filter(pk__in=held).order_by("name", "pk"))


def sessions(*, actor: Actor, since: date) -> QuerySet[Session]:
    """The days of assessments, from a day on, that serve the actor's area, the next one first."""
    return Session.objects.filter(_serves(actor), day__gte=since).select_related(
        "institution", "area").order_by("day", "starts", "pk")


def free_sessions(category: int, area: int, *, at: datetime) -> QuerySet[Session]:
    """The days that are not over, with a free place for a category of an office (12-digit code), the next one first."""
    return Session.objects.alias(end=END).filter(
        Q(institution__valid_to__isnull=True) | Q(institution__valid_to__gte=F("day")), state="open",
        day__gte=at.astimezone(CHINA).date(), end__gt=at,
        area__code__lte=area, last__gte=area, taken__lt=F("capacity"), categories__contains=[category],
        institution__state="designated").select_related("institution", "area").order_by("day", "starts", "pk")


def my_sessions(*, actor: Actor, since: date) -> QuerySet[Session]:
    """The days of the institutions at which the actor is licensed, from a day on."""
    held = Licence.objects.filter(officer__pk=actor.id or 0, state="licensed").values("institution")
    return sessions(actor=actor, since=since).filter(institution__in=held)


def session(pk: int, *, actor: Actor) -> Session:
    """One day that serves the actor's area; `Refusal("not-found")`."""
    return _one(Session.objects.filter(_serves(actor), pk=pk).select_related("institution", "area"))


def day(session: Session, *, actor: Actor) -> list[Listed]:
    """Who is expected on a day, of the cases of the actor's area, in the order in which they were booked."""
    found = list(Appointment.objects.filter(session=session, area__code__range=(actor.lo, actor.hi)).exclude(
        state__in=("called_off", "cancelled")).select_related("assessment").order_by("pk"))
    whom = persons.open_many([bytes(one.person) for one in found])
    return [Listed(one, person, getattr(one, "assessment", None)) for one, person in zip(found, whom, strict=True)]


def route(session: Session, *, actor: Actor) -> tuple[routes.Route, list[Home]]:
    """The homes of a day in the order of the way, those that still wait. Whoever shows phones and addresses calls
    `services.take_route` first.
    """
    waiting = {one.appointment.pk: one for one in day(session, actor=actor) if one.appointment.state == "booked"}
    start = None
    if session.latitude is not None and session.longitude is not None:
        start = routes.Point(session.latitude, session.longitude)
    found = routes.plan([routes.Stop(pk, one.person.address, one.person.point) for pk, one in waiting.items()], start)
    return found, [Home(waiting[stop.key].appointment, waiting[stop.key].person, line) for stop, line in found.stops]


def appointment(pk: int, *, actor: Actor) -> Appointment:
    """One appointment of the actor's area, or shared with it; `Refusal("not-found")`."""
    return _one(Appointment.objects.filter(shared(actor), pk=pk).select_related(
        "session__institution", "area"))


def booked(case_id: int, *, actor: Actor) -> Appointment | None:
    """The open appointment of a case, where the actor may see it."""
    return Appointment.objects.filter(shared(actor), case_id=case_id, state="booked").first()


def unsigned(case_id: int, *, actor: Actor) -> Assessment | None:
    """The assessment of a case that waits for a second signature, where the actor may see it."""
    return Assessment.objects.filter(shared(actor), case_id=case_id, state="signed").order_by("pk").last()


def assessment(pk: int, *, actor: Actor) -> Assessment:
    """One assessment of the actor's area, or shared with it; `Refusal("not-found")`."""
    return _one(Assessment.objects.filter(shared(actor), pk=pk).select_related("area"))


def waiting(*, actor: Actor) -> QuerySet[Assessment]:
    """What waits for a second signature at the institutions at which the actor is licensed, the oldest first."""
    held = Licence.objects.filter(officer__pk=actor.id or 0, state="licensed").values("institution")
    return Assessment.objects.filter(
        state="signed", institution__in=held, area__code__range=(actor.lo, actor.hi)).exclude(
        first_person=actor.person).order_by("pk")


def results(case_id: int, *, actor: Actor) -> list[Result]:
    """What the assessments of a case concluded, the newest first; the forms themselves stay closed."""
    found = Assessment.objects.filter(shared(actor), case_id=case_id)
    return [Result(one, conclusion(one)) for one in found.order_by("-pk")]


def again(person_index: bytes) -> rules.Again | None:
    """What the last assessment of a person says of another one; None where it says nothing, or there was none."""
    found = latest(person_index)
    return found.conclusion.again if found else None


def latest(person_index: bytes) -> Result | None:
    """The last assessment of a person that no second doctor differed from, and what it concluded."""
    last = Assessment.objects.filter(person_index=person_index).exclude(state="differed").order_by("pk").last()
    return Result(last, conclusion(last)) if last else None


def conclusion(assessment: Assessment) -> Conclusion:
    """What an assessment concluded: grade, clauses, components, and when to assess again."""
    return rules.Conclusion.from_json(json.loads(fields.open_(bytes(assessment.conclusion), "assessment.conclusion")))


def _serves(actor: Actor) -> Q:
    """A row of the actor's area, or of an area above that contains it."""
    return Q(area__code__range=(actor.lo, actor.hi)) | Q(area__code__lte=actor.lo, last__gte=actor.hi)


def _one(found: QuerySet[Found]) -> Found:
    row = found.first()
    if row is None:
        raise Refusal("not-found")
    return row
