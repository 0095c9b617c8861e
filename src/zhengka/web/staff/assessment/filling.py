"""One appointment (预约): an office cancels it, a doctor fills in the form, sees what it comes to, and signs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.assessment import persons, queries, services
from zhengka.assessment.models import Appointment
from zhengka.assessment.rules import Conclusion, age_on
from zhengka.cases import services as cases
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.assessment.forms import PartsForm, Sheets
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact

Sign = Callable[[Appointment, dict[str, Any], UUID], Any]
"""What signs: takes the appointment, the answers and the request id."""
OF_THE_FORM = ("form-value", "form-contradicts", "form-incomplete")


class ConflictForm(django_forms.Form):
    """Why the doctor does not assess this person."""

    relation = django_forms.ChoiceField(label=_("Why you do not assess this person"), choices=terms.relation_choices)


@requires("assessment.plan", "case.assess")
@sensitive_post_parameters()
def appointment(request: Request, pk: int) -> HttpResponse:
    """One appointment; for a doctor, with the form."""
    row = queries.appointment(pk, actor=request.actor)
    if not request.actor.may("case.assess") or row.state != "booked":
        return _page(request, row)

    def sign(row: Appointment, answers: dict[str, Any], key: UUID) -> Any:
        return cases.sign(row, answers, by=request.actor, request_id=key, at=timezone.now())

    return fill(request, row, sign=sign, to=reverse("staff:day", args=[row.session_id]))


def fill(request: Request, row: Appointment, *, sign: Sign, to: str) -> HttpResponse:
    """The form of an appointment: first filled in and looked at, then signed by `sign`, and on to `to`.

    What is signed is what was shown: answers that come to something else are shown again, not signed.
    """
    parts = [row.category]
    if row.category == 7:
        choice = PartsForm(request.POST if "parts" in request.POST else request.GET or None)
        if not choice.is_valid():
            return _page(request, row, parts=choice)
        parts = choice.cleaned_data["parts"]
    sheets = Sheets(parts, queries.forms(row.area_id), born=persons.open_(bytes(row.person)).born,
                    on=timezone.localdate(), data=request.POST if request.POST.get("do") else None)
    if not request.POST.get("do") or not sheets.is_valid():
        return _page(request, row, sheets=sheets, chosen=parts)
    try:
        found = services.concluded(row, sheets.answers, at=timezone.now())
    except Refusal as refusal:
        if refusal.code not in OF_THE_FORM:
            raise
        sheets.blame(str(refusal.facts.get("field", "")), problem_words(refusal.problem)[0])
        return _page(request, row, sheets=sheets, chosen=parts)
    if request.POST["do"] == "sign" and request.POST.get("seen") == trace(found):
        return act(request, lambda key: sign(row, sheets.answers, key), to=to,
                   said=_("The assessment is signed."))
    return _page(request, row, sheets=sheets, chosen=parts, found=found)


def trace(found: Conclusion) -> str:
    """What a conclusion comes to, in one line that a page carries until it is signed."""
    again = f"{found.again.on} {found.again.reason}" if found.again else ""
    return f"{found.category} {found.grade} {found.reason} {found.components} {', '.join(found.clauses)} {again}"


@requires("assessment.plan")
@require_POST
def step(request: Request, pk: int, action: str) -> HttpResponse:
    """The office cancels an appointment, or notes that nobody came."""
    row = queries.appointment(pk, actor=request.actor)
    do = {"cancel": cases.cancel_day, "miss": cases.miss_day}[action]
    return act(request, lambda key: do(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:appointment", args=[pk]), said=SAID[action])


@requires("case.assess")
@require_POST
def conflict(request: Request, pk: int) -> HttpResponse:
    """The doctor declares not to assess this person."""
    row, form = queries.appointment(pk, actor=request.actor), ConflictForm(request.POST)
    if not form.is_valid():
        return _page(request, row, conflict=form)
    return act(request, lambda key: services.declare_conflict(
        request.actor.person, bytes(row.person_index), relation=form.cleaned_data["relation"], by=request.actor,
        request_id=key, at=timezone.now()), to=reverse("staff:day", args=[row.session_id]),
        said=_("It is noted that you do not assess this person."))


SAID = {"cancel": _("The appointment is cancelled; the place is free again."),
        "miss": _("It is noted that the applicant did not come.")}


def _page(request: Request, row: Appointment, *, found: Conclusion | None = None, **context: Any) -> HttpResponse:
    person = persons.open_(bytes(row.person))
    planner = request.actor.may("assessment.plan") and row.state == "booked"
    day = reverse("staff:day", args=[row.session_id])
    return render(request, "staff/assessment/appointment.html", {
        "title": person.name, "caption": _("Appointment"), "appointment": row, "facts": _facts(row, person),
        "may_cancel": planner, "may_miss": planner and row.session.day <= timezone.localdate(),
        "assessor": request.actor.may("case.assess") and row.state == "booked",
        "conflict": ConflictForm(), "conclusion": terms.conclusion_facts(found, row.area_id) if found else None,
        "seen": trace(found) if found else "", "events": history.of_row(request, row),
        "breadcrumbs": [{"label": f"{row.session.day:%Y-%m-%d}", "href": day}], **context})


def _facts(row: Appointment, person: services.Person) -> list[Fact]:
    tone, word = words.look("appointment", row.state)
    age = age_on(person.born, max(row.session.day, person.born))
    return [Fact(_("Standing"), Cell(word, tone=tone)), Fact(_("Date of birth"), person.born.isoformat()),
            Fact(_("Age on the day"), str(age)), Fact(_("Applied for"), terms.category(row.category)),
            Fact(_("Case"), Cell(str(row.case_id), number=True)), Fact(_("Office"), area_name(row.area)),
            *([Fact(_("Dispute"), _("An earlier assessment is disputed: whoever signed it does not sign again."))]
              if row.dispute else [])]


urls = [
    path("appointments/<int:pk>", appointment, name="appointment"),
    path("appointments/<int:pk>/cancel", step, {"action": "cancel"}, name="appointment-cancel"),
    path("appointments/<int:pk>/miss", step, {"action": "miss"}, name="appointment-miss"),
    path("appointments/<int:pk>/conflict", conflict, name="appointment-conflict"),
]
