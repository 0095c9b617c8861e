"""Second signatures (会签): what waits for them, and one assessment with its conclusion."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.assessment import queries, services
from zhengka.assessment.models import Assessment
from zhengka.cases import services as cases
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history, in_full
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.in_full import PurposeForm, Reading
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import bilingual, moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text


class DifferForm(forms.Form):
    """Why a second doctor does not share the first one's assessment."""

    reason = forms.CharField(label=_("Why you differ"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


@requires("case.assess")
def index(request: Request) -> HttpResponse:
    """What waits for a second signature at the doctor's institutions."""
    columns = [Column(_("Case")), Column(_("Conclusion")), Column(_("Institution")), Column(_("First signature")),
               Column(_("Signed on"))]
    rows = [Row([Cell(str(one.case_id), href=reverse("staff:assessment", args=[one.pk]), number=True),
                 terms.verdict(queries.conclusion(one)), one.institution_name, one.first_name,
                 f"{timezone.localtime(one.signed_at):%Y-%m-%d}"]) for one in queries.waiting(actor=request.actor)[:50]]
    return render(request, "staff/assessment/waiting.html", {
        "title": _("Second signatures"), "breadcrumbs": trail((_("Assessment days"), "staff:days")),
        "table": Table(_("Second signatures"), columns, rows, caption_hidden=True,
                       empty=_("No assessment waits for your signature."))})


@requires("assessment.read")
def assessment(request: Request, pk: int) -> HttpResponse:
    """One assessment: who signed, what it concluded."""
    return _page(request, queries.assessment(pk, actor=request.actor))


@requires("assessment.read")
@require_POST
def form(request: Request, pk: int) -> HttpResponse:
    """The same page with the form's answers, once, for a purpose that the event keeps."""
    row = queries.assessment(pk, actor=request.actor)
    return in_full.read(request, partial(services.read_in_full, row),
                        page=lambda purpose: _page(request, row, in_full=_reading(row, purpose)),
                        shown=lambda answers: _page(request, row, answers=told(row, answers)),
                        back=reverse("staff:assessment", args=[pk]))


def _reading(row: Assessment, purpose: PurposeForm) -> Reading:
    return Reading(_("Show the form"), _("Show the form"), reverse("staff:assessment-form", args=[row.pk]), purpose)


@requires("case.assess")
@require_POST
def sign(request: Request, pk: int, agrees: bool) -> HttpResponse:
    """Sign as the second doctor, or differ with a reason."""
    row, why = queries.assessment(pk, actor=request.actor), DifferForm(request.POST)
    if not agrees and not why.is_valid():
        return _page(request, row, differ=why)
    reason = "" if agrees else why.cleaned_data["reason"]
    return act(request, lambda key: cases.second(
        row, agrees=agrees, by=request.actor, request_id=key, at=timezone.now(), reason=reason),
        to=reverse("staff:assessments"),
        said=_("You signed as the second doctor.") if agrees else _("It is noted that you differ."))


def told(row: Assessment, answers: Mapping[str, Any]) -> list[Fact]:
    """The answers of a form in words, in the order of the form."""
    known = {form.category: form for form in queries.forms(row.area_id).every
             if form.code in queries.conclusion(row).forms}
    parts: list[tuple[int, Mapping[str, Any]]] = [
        (int(name), part) for name, part in answers.items() if isinstance(part, dict)] or [
        (row.category, answers)]
    facts = []
    for category, part in parts:
        for field in known[category].fields:
            if field.name in part:
                label = bilingual(field.words)
                facts.append(Fact(f"{terms.category(category)}: {label}" if len(parts) > 1 else label,
                                  _answer(field.options, part[field.name], bilingual(field.unit))))
    return facts


def _answer(options: Any, given: Any, unit: str) -> Text:
    names = {one.code: bilingual(one.words) for one in options}
    if isinstance(given, list):
        return "; ".join(f"{code}) {names[code]}" for code in given)
    return names.get(given, f"{given} {unit}".strip())


def _page(request: Request, row: Assessment, **context: Any) -> HttpResponse:
    found, me = queries.conclusion(row), request.actor
    return render(request, "staff/assessment/assessment.html", {
        "title": _("Assessment"), "caption": row.institution_name, "assessment": row, "facts": _facts(row),
        "conclusion": terms.conclusion_facts(found, row.area_id), "in_full": _reading(row, PurposeForm()),
        "differ": DifferForm(),
        "may_sign": row.state == "signed" and me.may("case.assess") and me.person != row.first_person,
        "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Second signatures"), "staff:assessments")) if me.may("case.assess") else [],
        **context})


def _facts(row: Assessment) -> list[Fact]:
    tone, word = words.look("assessment", row.state)
    facts = [Fact(_("Standing"), Cell(word, tone=tone)), Fact(_("Case"), Cell(str(row.case_id), number=True)),
             Fact(_("Office"), area_name(row.area)), Fact(_("First signature"), _signed(row.first_name, row.signed_at))]
    if row.second_name:
        facts.append(Fact(_("Second signature"), _signed(row.second_name, row.second_at)))
    return facts


def _signed(name: str, at: Any) -> str:
    return f"{name}, {moment(at)}"


urls = [
    path("assessments/", index, name="assessments"),
    path("assessments/<int:pk>", assessment, name="assessment"),
    path("assessments/<int:pk>/form", form, name="assessment-form"),
    path("assessments/<int:pk>/countersign", sign, {"agrees": True}, name="assessment-countersign"),
    path("assessments/<int:pk>/differ", sign, {"agrees": False}, name="assessment-differ"),
]
