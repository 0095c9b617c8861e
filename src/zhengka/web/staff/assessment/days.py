"""Days of assessments (评定日): the list of days, one day's list, and the route of a day of home visits."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.assessment import queries, services
from zhengka.assessment.models import Session
from zhengka.assessment.queries import Home, Listed
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.web.access import Request, act, mine, request_key, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

SHOWN = 100
"""Days in a list at most: some months of a county."""
OF_DAYS = ("assessment.plan", "case.assess")
"""Who may open the list of days, and a day."""
EARLIER = 7
"""Days of the last week stay in the list: who did not come is noted afterwards too."""


class SessionForm(forms.Form):
    """A day of assessments."""

    area = forms.ModelChoiceField(label=_("Serves"), queryset=Area.objects.none())
    place_kind = forms.ChoiceField(label=_("Kind"), choices=terms.place_choices, widget=forms.RadioSelect)
    place = forms.CharField(label=_("Place"), max_length=200, help_text=_(
        "Where people go to; of home visits, where the team sets out."))
    day = DateField(label=_("Day"))
    starts = forms.TimeField(label=_("Begins at"), widget=forms.TextInput(attrs={"class": "govuk-input--width-5"}),
                             help_text=_("For example 8:30."))
    ends = forms.TimeField(label=_("Ends at"), widget=forms.TextInput(attrs={"class": "govuk-input--width-5"}))
    categories = forms.TypedMultipleChoiceField(label=_("Categories"), coerce=int, widget=forms.CheckboxSelectMultiple)
    capacity = forms.IntegerField(label=_("Places"), min_value=1, max_value=500,
                                  widget=forms.TextInput(attrs={"class": "govuk-input--width-5",
                                                                "inputmode": "numeric"}))
    latitude = forms.FloatField(label=_("Latitude of the start"), min_value=-90, max_value=90, required=False,
                                widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    longitude = forms.FloatField(label=_("Longitude of the start"), min_value=-180, max_value=180, required=False,
                                 widget=forms.TextInput(attrs={"inputmode": "decimal"}))

    def __init__(self, *args: Any, areas: Any, categories: Sequence[int], **kwargs: Any) -> None:
        """Offer the offices that the institution serves, and what it may assess."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]
        self.fields["categories"].choices = [  # type: ignore[attr-defined]
            (str(one), terms.category(one)) for one in categories]

    def clean(self) -> dict[str, Any]:
        """The day ends after it begins, and a place has both coordinates or none."""
        given = super().clean() or self.cleaned_data
        if given.get("starts") and given.get("ends") and given["ends"] <= given["starts"]:
            self.add_error("ends", _("The day ends after it begins."))
        if (given.get("latitude") is None) != (given.get("longitude") is None):
            self.add_error("longitude", _("Give both coordinates, or none."))
        return given

    def day_of(self) -> services.Day:
        """What was asked for."""
        given = dict(self.cleaned_data)
        latitude, longitude = given.pop("latitude"), given.pop("longitude")
        return services.Day(**given, point=None if latitude is None else services.Point(latitude, longitude))


@requires(*OF_DAYS)
def index(request: Request) -> HttpResponse:
    """The days ahead, and those of the last week: a doctor's own, an office's all."""
    since = timezone.localdate() - timedelta(days=EARLIER)
    ask = queries.my_sessions if request.actor.may("case.assess") else queries.sessions
    found = list(ask(actor=request.actor, since=since)[:SHOWN])
    seconds = queries.waiting(actor=request.actor).count() if request.actor.may("case.assess") else 0
    return render(request, "staff/assessment/days.html", {
        "title": _("Assessment days"), "table": session_table(request, found), "seconds": seconds,
        "may_plan": request.actor.may("assessment.plan"), "may_assess": request.actor.may("case.assess")})


def session_table(request: Request, found: Sequence[Session], caption: Text = _("Assessment days")) -> Table:
    """Days with their places, as links for who may open one."""
    may = any(request.actor.may(permission) for permission in OF_DAYS)
    columns = [Column(_("Day")), Column(_("Institution")), Column(_("Kind")), Column(_("Categories")),
               Column(_("Taken"), numeric=True), Column(_("Free"), numeric=True), Column(_("Standing"))]
    rows = []
    for one in found:
        tone, word = _standing(one)
        rows.append(Row([
            Cell(f"{one.day:%Y-%m-%d}", href=reverse("staff:day", args=[one.pk]) if may else "",
                 note=f"{one.starts:%H:%M} – {one.ends:%H:%M}"),
            Cell(one.institution.name, note=one.place), terms.place_kind(one.place_kind),
            terms.categories(one.categories), one.taken, one.capacity - one.taken, Cell(word, tone=tone)]))
    return Table(caption, columns, rows, empty=_("No day is open. Open one on an institution's page."))


def _standing(row: Session) -> tuple[str, Text]:
    """Tone and word of a day; one that has ended is not open for booking any more, though no step has closed it."""
    if row.state == "open" and row.is_over(timezone.now()):
        return words.QUIET, _("Over")
    return words.look("session", row.state)


@requires("assessment.plan")
def new(request: Request, pk: int) -> HttpResponse:
    """Open a day at an institution, for one's own area or a part of it."""
    row = queries.institution(pk, actor=request.actor)
    areas = mine(request, Area.objects.exclude(level="street"), area="code").filter(
        code__gte=row.area_id, last__lte=row.last).order_by("code")
    form = SessionForm(request.POST or None, areas=areas, categories=row.categories)
    back = reverse("staff:institution", args=[pk])
    if request.method == "POST" and form.is_valid():
        wanted = form.day_of()
        try:
            return act(request, lambda key: services.open_session(
                row, wanted, by=request.actor, request_id=key, at=timezone.now()), to=back, said=_("The day is open."))
        except Refusal as refusal:
            if refusal.code not in ("session-past", "institution-not-valid"):
                raise
            form.add_error("day", problem_words(refusal.problem)[0])
    return render(request, "staff/form.html", {
        "title": _("Open a day"), "caption": row.name, "form": form, "submit": _("Open the day"), "back": back,
        "breadcrumbs": trail((_("Institutions"), "staff:institutions"))})


@requires(*OF_DAYS)
def day(request: Request, pk: int) -> HttpResponse:
    """One day: who is expected, in the order of booking, with the way to each one's form."""
    row = queries.session(pk, actor=request.actor)
    listed = queries.day(row, actor=request.actor)
    ours = request.actor.sees(row.area_id)
    return render(request, "staff/assessment/day.html", {
        "title": f"{row.day:%Y-%m-%d}", "caption": row.institution.name, "session": row, "facts": _facts(row),
        "table": _listed(listed), "may_route": ours and request.actor.may("case.assess") and row.place_kind == "home",
        "may_call_off": ours and request.actor.may("assessment.plan") and row.state == "open" and not row.taken,
        "events": history.of_row(request, row), "breadcrumbs": trail((_("Assessment days"), "staff:days"))})


@requires("assessment.plan")
@require_POST
def call_off(request: Request, pk: int) -> HttpResponse:
    """A day on which nobody is expected does not take place."""
    row = seen(request, Session, pk)

    def do(key: UUID) -> Session:
        return services.call_off(row, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=reverse("staff:day", args=[pk]), said=_("The day is called off."))


@requires("case.assess")
def route(request: Request, pk: int) -> HttpResponse:
    """The homes of a day in order, to be printed. Addresses and phones come with a form of its own, and an event."""
    row, whole = seen(request, Session, pk), request.method == "POST"
    if whole:
        with suppress(Replayed):
            services.take_route(row, by=request.actor, request_id=request_key(request), at=timezone.now())
    found, homes = queries.route(row, actor=request.actor)
    columns = [Column("#"), Column(_("Name")), Column(_("Category")), Column(_("Straight line, km"), numeric=True)]
    if whole:
        columns += [Column(_("Address")), Column(_("Phone"))]
    return render(request, "staff/assessment/route.html", {
        "title": f"{_('Route')} {row.day:%Y-%m-%d}", "office": row.institution.name, "printed_at": timezone.localtime(),
        "printed_by": request.actor.name, "back": reverse("staff:day", args=[pk]), "session": row, "whole": whole,
        "nearest": found.way == "nearest", "kilometres": found.kilometres,
        "table": Table(_("Homes"), columns, [_home(place, home, whole) for place, home in enumerate(homes, 1)],
                       empty=_("Nobody waits for a visit on this day."))})


def _home(place: int, home: Home, whole: bool) -> Row:
    line = "—" if home.kilometres is None else f"{home.kilometres:.1f}"
    cells: list[Any] = [str(place), home.person.name, terms.category(home.appointment.category), line]
    return Row([*cells, home.person.address or "—", home.person.phone or "—"] if whole else cells)


def _facts(row: Session) -> list[Fact]:
    tone, word = _standing(row)
    return [Fact(_("Standing"), Cell(word, tone=tone)), Fact(_("Kind"), terms.place_kind(row.place_kind)),
            Fact(_("Place"), row.place), Fact(_("Time"), f"{row.starts:%H:%M} – {row.ends:%H:%M}"),
            Fact(_("Serves"), area_name(row.area)), Fact(_("Categories"), terms.categories(row.categories)),
            Fact(_("Places"), f"{row.taken} / {row.capacity}")]


def _listed(listed: Sequence[Listed]) -> Table:
    columns = [Column(_("Name")), Column(_("Category")), Column(_("Case")), Column(_("Appointment")),
               Column(_("Assessment"))]
    rows = []
    for one in listed:
        tone, word = words.look("appointment", one.appointment.state)
        signed: Cell | str = "—"
        if one.assessment:
            look = words.look("assessment", one.assessment.state)
            signed = Cell(look[1], tone=look[0])
        rows.append(Row([Cell(one.person.name, href=reverse("staff:appointment", args=[one.appointment.pk])),
                         terms.category(one.appointment.category), Cell(str(one.appointment.case_id), number=True),
                         Cell(word, tone=tone, note=_("Dispute") if one.appointment.dispute else ""), signed]))
    return Table(_("Expected"), columns, rows, empty=_("Nobody of your area has an appointment on this day."))


urls = [
    path("days/", index, name="days"),
    path("days/<int:pk>", day, name="day"),
    path("days/<int:pk>/call-off", call_off, name="day-call-off"),
    path("days/<int:pk>/route", route, name="day-route"),
    path("institutions/<int:pk>/day", new, name="day-new"),
]
