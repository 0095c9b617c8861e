"""The day of a case (预约评定): days with a free place, one of which is booked, and what to do without one."""

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.assessment import queries as assessment
from zhengka.assessment.models import Institution, Session
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.case_words import STEP_SAID
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.next_steps import why_closed
from zhengka.web.ui import words

MOST = 30
"""Days that are offered."""


class DayForm(forms.Form):
    """On which day, at which institution."""

    def __init__(self, *args: Any, days: list[Session], why: bool, **options: Any) -> None:
        """The days that have a free place; `why`: somebody wrote that the person need never be assessed again."""
        super().__init__(*args, **options)
        if why:
            self.fields["reason"] = forms.CharField(
                label=_("Why this person is assessed again"), max_length=200,
                help_text=_("The last assessment says: never again."))
        self.fields["day"] = forms.ChoiceField(label=_("Day"), widget=forms.RadioSelect, choices=[
            (str(day.pk), in_words(day)) for day in days])


def in_words(day: Session) -> str:
    """A day as somebody chooses it: when, of what kind and where, and how many places are free."""
    free = day.capacity - day.taken
    return format_html(
        "{} {} – {} · {}<br>{} · {}<br>{}", day.day.isoformat(), f"{day.starts:%H:%M}", f"{day.ends:%H:%M}",
        terms.place_kind(day.place_kind), day.institution.name, day.place, ngettext(
            "%(free)d of %(all)d place is free", "%(free)d of %(all)d places are free", free) % {
                "free": free, "all": day.capacity})


def days_for(row: Case) -> list[Session]:
    """The days, the next one first, with a free place for a case."""
    found = assessment.free_sessions(services.category_of(row), row.place.code, at=timezone.now())
    return list(found[:MOST])


def no_day(request: Request, row: Case) -> dict[str, Any]:
    """What to do where no day is open for a case: who may assess it, each with the page on which a day is opened."""
    category = services.category_of(row)
    found = [one for one in assessment.institutions(actor=request.actor) if _serves(one, category, row.place.code)]
    return {"category": terms.category(category), "may_plan": request.actor.may("assessment.plan"),
            "institutions": [(one.name, reverse("staff:day-new", args=[one.pk])) for one in found[:MOST]]}


def _serves(one: Institution, category: int, area: int) -> bool:
    today = timezone.localdate()
    return (one.state == "designated" and one.area_id <= area <= one.last and category in one.categories
            and one.valid_from <= today and (one.valid_to is None or today <= one.valid_to))


def _why_not(request: Request, row: Case) -> str:
    """Why no day of a case can be booked now, in words, and what comes first; empty where one can."""
    if services.waits_for_day(row) and assessment.booked(row.pk, actor=request.actor) is None:
        book = [each for each in queries.choices(row, actor=request.actor) if each.step.action == "book"]
        return next((why_closed(row, each) for each in book if not each.is_open), "")
    if row.ended_at is not None:
        return gettext("The case has ended.")
    if assessment.booked(row.pk, actor=request.actor):
        return gettext("A day is booked already. Choose another one on the page of the appointment.")
    first = next((step.action for step in row.table.steps if step.source == row.state), "")
    return gettext("No day is booked at this step of the case. What comes next is: %(step)s.") % {
        "step": words.act(first, "case")}


@requires("case.confirm")
def book_day(request: Request, pk: int) -> HttpResponse:
    """The days with a free place for a case; one of them is booked."""
    row, here = queries.get(pk, actor=request.actor), reverse("staff:case", args=[pk])
    if request.method != "POST" and (why := _why_not(request, row)):
        return render(request, "staff/not_yet.html", {
            "title": gettext("Book the assessment"), "caption": row.name, "why": why, "back": here,
            "breadcrumbs": [*trail((_("Cases"), "staff:cases")), {"label": row.name, "href": here}]})
    found = days_for(row)
    form = DayForm(request.POST or None, days=found, why=services.needs_no_other(row))
    if request.method == "POST" and form.is_valid():
        chosen = next(day for day in found if str(day.pk) == form.cleaned_data["day"])
        return act(request, lambda key: services.book_day(
            row, chosen, by=request.actor, request_id=key, at=timezone.now(),
            reason=form.cleaned_data.get("reason", "")), to=here, said=STEP_SAID["book"])
    return render(request, "staff/book_day.html", {
        "title": gettext("Book the assessment"), "caption": row.name, "form": form, "submit": _("Book this day"),
        "back": here, "no_day": None if found else no_day(request, row),
        "breadcrumbs": [*trail((_("Cases"), "staff:cases")), {"label": row.name, "href": here}]})


@requires("case.confirm")
def change_day(request: Request, pk: int) -> HttpResponse:
    """Another day for an appointment: the old place is free, and the person is told the new day."""
    place = assessment.appointment(pk, actor=request.actor)
    row, here = queries.get(place.case_id, actor=request.actor), reverse("staff:appointment", args=[pk])
    if place.state != "booked":
        return HttpResponseRedirect(here)
    found = [day for day in days_for(row) if day.pk != place.session_id]
    form = DayForm(request.POST or None, days=found, why=False)
    if request.method == "POST" and form.is_valid():
        chosen = next(day for day in found if str(day.pk) == form.cleaned_data["day"])
        return act(request, lambda key: services.change_day(
            place, chosen, by=request.actor, request_id=key, at=timezone.now()),
            to=reverse("staff:case", args=[row.pk]), said=_("The assessment is on another day; the old place is free."))
    old = place.session
    return render(request, "staff/book_day.html", {
        "title": gettext("Another day for the assessment"), "caption": row.name, "form": form,
        "submit": _("Book this day instead"), "back": here, "no_day": None if found else no_day(request, row),
        "intro": gettext("Booked now: %(day)s, %(place)s. The person is told the new day, once.") % {
            "day": f"{old.day:%Y-%m-%d} {old.starts:%H:%M}", "place": old.institution.name},
        "breadcrumbs": [*trail((_("Cases"), "staff:cases")),
                        {"label": row.name, "href": reverse("staff:case", args=[row.pk])},
                        {"label": _("Appointment"), "href": here}]})


urls = [
    path("cases/<int:pk>/book", book_day, name="case-book"),
    path("appointments/<int:pk>/another-day", change_day, name="appointment-change"),
]
