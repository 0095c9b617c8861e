"""One appointment (预约): an office calls it off or notes a no-show, a doctor fills in its form and signs."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.accounts.models import Officer
from zhengka.areas.calendars import age_on
from zhengka.assessment import persons, queries, services
from zhengka.assessment.models import Appointment
from zhengka.assessment.rules import Conclusion
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.assessment.forms import PartsForm, Sheets
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact

Sign = Callable[[Appointment, dict[str, Any], UUID], Any]
"""What signs: takes the appointment, the answers and the request id."""
OF_THE_FORM = ("form-value", "form-day", "form-contradicts", "form-incomplete")


class ConflictForm(django_forms.Form):
    """Why a doctor does not assess this person: the one who says so, or, for an office, one of the institution's."""

    doctor = django_forms.ChoiceField(label=_("Which doctor"))
    relation = django_forms.ChoiceField(label=_("Why you do not assess this person"), choices=terms.relation_choices)

    def __init__(self, *args: Any, among: Sequence[Officer], **options: Any) -> None:
        """`among`: the doctors of whom an office may say it; none where a doctor says it of themselves."""
        super().__init__(*args, **options)
        if among:
            self.fields["doctor"].choices = [  # type: ignore[attr-defined]
                ("", "—"), *((one.person, one.name) for one in among)]
            self.fields["relation"].label = _("Why the doctor does not assess this person")
        else:
            del self.fields["doctor"]


class CallOffForm(django_forms.Form):
    """Why the office calls an appointment off."""

    reason = django_forms.CharField(
        label=_("Why the appointment is called off"), max_length=200,
        help_text=_("The person reads this in the letter."), widget=django_forms.Textarea(attrs={"rows": 2}))


def _conflict_form(request: Request, row: Appointment, said: Any = None) -> ConflictForm:
    own = request.actor.may("case.assess")
    return ConflictForm(said, among=[] if own else queries.doctors(row.session))


@requires("assessment.plan", "case.assess")
@sensitive_post_parameters()
def appointment(request: Request, pk: int) -> HttpResponse:
    """One appointment; for a doctor, with the form."""
    row = queries.appointment(pk, actor=request.actor)
    if not request.actor.may("case.assess") or row.state != "booked":
        return _page(request, row)
    if request.method != "POST":
        try:
            cases.check_doctor(row, by=request.actor, at=max(timezone.now(), services.starts(row.session)))
        except Refusal as no:
            return _page(request, row, barred=problem_words(no.problem), assessor=False)

    def sign(row: Appointment, answers: dict[str, Any], key: UUID) -> Any:
        return cases.sign(row, answers, by=request.actor, request_id=key, at=timezone.now())

    return fill(request, row, sign=sign, to=reverse("staff:day", args=[row.session_id]))


def fill(request: Request, row: Appointment, *, sign: Sign, to: str) -> HttpResponse:
    """The form of an appointment: first filled in and looked at, then signed by `sign`, and on to `to`.

    What is signed is what was shown: answers that come to something else are shown again, not signed. What was filled
    in is kept with each look at it, and a refusal shows it again with the reason.
    """
    do, draft = request.POST.get("do"), services.draft_of(row, by=request.actor)
    parts = [row.category]
    if row.category == 7:
        choice = PartsForm(request.POST if "parts" in request.POST else request.GET or draft or None)
        if not choice.is_valid():
            return _page(request, row, parts=choice)
        parts = choice.cleaned_data["parts"]
    sheets = Sheets(parts, queries.forms(row.area_id), born=persons.open_(bytes(row.person)).born,
                    on=timezone.localdate(), data=request.POST if do else None, draft=draft)
    if do:
        services.keep_draft(row, {name: request.POST.getlist(name) for name in request.POST
                                  if name in sheets.names or name == "parts"}, by=request.actor)
    if do == "keep":
        messages.success(request, _("What you filled in is kept as your draft."))
        return HttpResponseRedirect(request.path)
    context: dict[str, Any] = {"sheets": sheets, "chosen": parts, "draft": bool(draft) and not do}
    return _filled(request, row, context, sign=sign, to=to) if do and sheets.is_valid() else _page(
        request, row, **context)


def _filled(request: Request, row: Appointment, context: dict[str, Any], *, sign: Sign, to: str) -> HttpResponse:
    """A form that is complete: what it comes to, and its signature; on a refusal the form as it was filled in."""
    sheets = context["sheets"]
    try:
        found = services.concluded(row, sheets.answers, at=timezone.now())
        if request.POST["do"] == "sign" and request.POST.get("seen") == trace(found):
            return act(request, lambda key: sign(row, sheets.answers, key), to=to, said=_("The assessment is signed."))
    except Refusal as refusal:
        if refusal.code not in OF_THE_FORM:
            return _page(request, row, refused=problem_words(refusal.problem), status=refusal.problem.status, **context)
        sheets.blame(str(refusal.facts.get("field", "")), problem_words(refusal.problem)[0])
        return _page(request, row, **context)
    return _page(request, row, found=found, **context)


def trace(found: Conclusion) -> str:
    """What a conclusion comes to, in one line that a page carries until it is signed."""
    again = f"{found.again.on} {found.again.reason}" if found.again else ""
    return f"{found.category} {found.grade} {found.reason} {found.components} {', '.join(found.clauses)} {again}"


@requires("assessment.plan")
@require_POST
def miss(request: Request, pk: int) -> HttpResponse:
    """The office notes that nobody came; it is asked once more, for it is held against the person."""
    row = queries.appointment(pk, actor=request.actor)
    if not sure(request):
        return _ask(request, row, {
            "title": _("Did this person not come?"), "submit": _("The applicant did not come"), "kind": "primary",
            "meaning": _("It is counted as a no-show, and the person is told so. If the office could not keep the day, "
                         "call the appointment off instead.")})
    return act(request, lambda key: cases.miss_day(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:appointment", args=[pk]), said=_("It is noted that the applicant did not come."))


@requires("assessment.plan")
@require_POST
def call_off(request: Request, pk: int) -> HttpResponse:
    """The office calls an appointment off: it says why, and is asked once more, for the person is told."""
    row, why = queries.appointment(pk, actor=request.actor), CallOffForm(request.POST)
    if not why.is_valid():
        return _page(request, row, calling_off=why)
    reason = why.cleaned_data["reason"]
    if not sure(request):
        return _ask(request, row, {
            "title": _("Call off this appointment?"), "submit": _("Call off the appointment"), "kind": "warning",
            "hidden": [("reason", reason)], "meaning": format_lazy(_(
                "The person is told that the appointment does not take place, why, and that another day follows. "
                "The reason as it will be told: {reason}"), reason=reason)})
    return act(request, lambda key: cases.call_off_day(row, reason, by=request.actor, request_id=key,
                                                       at=timezone.now()),
               to=reverse("staff:appointment", args=[pk]),
               said=_("The appointment is called off; the place is free again."))


def _ask(request: Request, row: Appointment, asked: dict[str, Any]) -> HttpResponse:
    """The question before an act that the person is told of."""
    return render(request, "staff/sure.html", {
        "caption": persons.open_(bytes(row.person)).name, "url": request.path, "hidden": [],
        "back": reverse("staff:appointment", args=[row.pk]), **asked})


@requires("case.assess", "assessment.plan")
@require_POST
def conflict(request: Request, pk: int) -> HttpResponse:
    """The doctor declares not to assess this person, or the office that books declares it of a doctor (回避)."""
    row = queries.appointment(pk, actor=request.actor)
    form = _conflict_form(request, row, request.POST)
    if not form.is_valid():
        return _page(request, row, conflict=form)
    doctor = form.cleaned_data.get("doctor", request.actor.person)
    return act(request, lambda key: services.declare_conflict(
        doctor, bytes(row.person_index), relation=form.cleaned_data["relation"], by=request.actor,
        request_id=key, at=timezone.now()), to=reverse("staff:day", args=[row.session_id]),
        said=_("It is noted that you do not assess this person.") if "doctor" not in form.fields else _(
            "It is noted that this doctor does not assess this person."))


def _page(request: Request, row: Appointment, *, found: Conclusion | None = None, status: int = 200,
          **context: Any) -> HttpResponse:
    person = persons.open_(bytes(row.person))
    planner = request.actor.may("assessment.plan") and row.state == "booked"
    day = reverse("staff:day", args=[row.session_id])
    return render(request, "staff/assessment/appointment.html", {
        "title": person.name, "caption": _("Appointment"), "appointment": row, "facts": _facts(row, person),
        "may_change": planner and Case.objects.filter(pk=row.case_id).exists(),
        "may_call_off": planner, "may_miss": planner and services.starts(row.session) <= timezone.now(),
        "calling_off": context.pop("calling_off", None) or CallOffForm(),
        "assessor": request.actor.may("case.assess") and row.state == "booked",
        "planner": planner and not request.actor.may("case.assess"),
        "conflict": context.pop("conflict", None) or _conflict_form(request, row),
        "conclusion": terms.conclusion_facts(found, row.area_id) if found else None,
        "seen": trace(found) if found else "", "events": history.of_row(request, row),
        "opens": row.session.day if row.session.day > timezone.localdate() else None,
        "breadcrumbs": [{"label": f"{row.session.day:%Y-%m-%d}", "href": day}], **context}, status=status)


def _facts(row: Appointment, person: services.Person) -> list[Fact]:
    tone, word = words.look("appointment", row.state)
    age = age_on(person.born, max(row.session.day, person.born))
    return [Fact(_("Standing"), Cell(word, tone=tone)), Fact(_("Date of birth"), person.born.isoformat()),
            Fact(_("Age on the day"), str(age)), Fact(_("Category applied for"), terms.category(row.category)),
            Fact(_("Case"), Cell(str(row.case_id), number=True)), Fact(_("Office"), area_name(row.area)),
            *([Fact(_("Dispute"), _("An earlier assessment is disputed: whoever signed it does not sign again."))]
              if row.dispute else [])]


urls = [
    path("appointments/<int:pk>", appointment, name="appointment"),
    path("appointments/<int:pk>/call-off", call_off, name="appointment-call-off"),
    path("appointments/<int:pk>/miss", miss, name="appointment-miss"),
    path("appointments/<int:pk>/conflict", conflict, name="appointment-conflict"),
]
