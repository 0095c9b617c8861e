"""When all cards will be made (产能计划): a range of days, unit by unit, what holds it up, and what if."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.core.dated import FileRefused
from zhengka.programme import capacity, planning
from zhengka.programme.capacity import Capacity, Change, Line, Need, Outlook, Range
from zhengka.programme.queries import programmes
from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PHASE_WORDS
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text, Tile

WEEKS = 26
"""Weeks ahead that are shown."""


class WhatIfForm(forms.Form):
    """One change of the plan, and from which day on cards are made."""

    begins = forms.DateField(label=_("First day"), required=False, widget=forms.DateInput(
        format="%Y-%m-%d", attrs={"type": "date", "class": "govuk-input--width-10"}))
    line = forms.ChoiceField(label=_("Machines"), required=False)
    shifts = forms.IntegerField(label=_("Shifts more"), required=False, min_value=-3, max_value=3, help_text=_(
        "Below zero: fewer. Operators come and go with them."), widget=forms.NumberInput(
            attrs={"class": "govuk-input--width-3"}))
    machines = forms.IntegerField(label=_("Machines more"), required=False, min_value=-20, max_value=20, help_text=_(
        "Below zero: fewer."), widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}))
    unit = forms.ChoiceField(label=_("Only in"), required=False)

    def __init__(self, *args: Any, lines: Sequence[Text], units: Mapping[int, Text], **kwargs: Any) -> None:
        """Offer the lines and units of the plan."""
        super().__init__(*args, **kwargs)
        self.fields["line"].choices = list(enumerate(lines))  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", _("Every unit")), *units.items()]  # type: ignore[attr-defined]

    @property
    def change(self) -> Change:
        """The change that is asked about; none where nothing valid is."""
        told = getattr(self, "cleaned_data", {})
        return Change(int(told.get("line") or 0), told.get("shifts") or 0, told.get("machines") or 0,
                      int(told.get("unit") or 0))


class Shown(NamedTuple):
    """One unit: its words, phase and need; where its bar begins, how wide it is and where its middle is (none: it is
    never done); its days, and those with the change.
    """

    label: Text
    phase: Text
    cards: int
    bar: tuple[str, str, str] | None
    days: str
    changed: str


@requires("plan.read")
def index(request: Request) -> HttpResponse:
    """The plan of a programme, played through; with one change beside it where that is asked."""
    known = programmes()
    programme = next((one for one in known if one.code == request.GET.get("programme")), known[0] if known else None)
    crumbs = trail((_("Plan"), "staff:plan"))
    try:
        plan = planning.plan_of(programme.code) if programme else None
    except FileRefused as broken:
        return render(request, "staff/plan/none.html", {
            "title": _("Capacity plan"), "breadcrumbs": crumbs, "broken": str(broken)})
    if programme is None or plan is None:
        return render(request, "staff/plan/none.html", {"title": _("Capacity plan"), "breadcrumbs": crumbs})
    needs = planning.needs(programme.code, cards.counts_by_area(request.actor), planning.MADE, planning.WAIT,
                           actor=request.actor)
    names = {area.code: area_name(area) for area in Area.objects.filter(code__in={need.unit for need in needs})}
    whole = capacity.spread(plan, list(names))
    form = WhatIfForm(request.GET or None, lines=[_line(line) for line in plan.lines], units=names)
    valid = form.is_bound and form.is_valid()
    asked = form.cleaned_data["begins"] if valid else None
    first = asked or max(plan.begins, timezone.localdate())
    days, assumed = planning.working_days(plan.lo, first)
    told = capacity.simulate(whole, needs, days)
    change = form.change if valid else Change(0)
    other = None
    if change.shifts or change.machines:
        other = capacity.simulate(capacity.changed(whole, change), needs, days)
    return render(request, "staff/plan/capacity.html", {
        "title": _("Capacity plan"), "breadcrumbs": crumbs, "form": form, "begins": first, "assumed": assumed,
        "tiles": _tiles(needs, told, other), "source": plan.source, "runs": capacity.RUNS,
        "bottleneck": _bottleneck(told, whole, names), "scale": _scale(told),
        "chart": _chart(needs, told, other, names), "changed": other is not None, "weeks": _weeks(told),
        "lines": _lines(plan), "series": [_("Cards")],
        "weekly": [(f"{week.begins:%m-%d}" if place % 6 == 0 else "", (week.middle,))
                   for place, week in enumerate(told.weeks[:WEEKS])]})


def _tiles(needs: Sequence[Need], told: Outlook, other: Outlook | None) -> list[Tile]:
    tiles = [Tile(_("Cards still to be made"), sum(need.cards for need in needs)),
             Tile(_("All made between"), _unbroken(told.whole), note=_("in 80 of 100 runs"))]
    if other:
        tiles.append(Tile(_("With the change"), _unbroken(other.whole), note=_difference(told.whole, other.whole)))
    return tiles


def _difference(was: Range, now: Range) -> Text:
    if not was.middle or not now.middle:
        return ""
    days = (now.middle - was.middle).days
    if days <= 0:
        return ngettext("%(n)d day earlier", "%(n)d days earlier", -days) % {"n": -days}
    return ngettext("%(n)d day later", "%(n)d days later", days) % {"n": days}


def span(found: Range) -> str:
    """A range of days in words that read from left to right; a dash for a day beyond the horizon."""
    early, late = (f"{day:%Y-%m-%d}" if day else "—" for day in (found.early, found.late))
    return early if early == late else f"{early} – {late}"


def _unbroken(found: Range) -> str:
    """The same in large figures, of which no date is broken over two lines."""
    return span(found).replace("-", "\u2011")


def _bottleneck(told: Outlook, plan: Capacity, names: Mapping[int, Text]) -> dict[str, Any] | None:
    """What is last in most runs, and whether machines or operators hold it back."""
    if not told.last:
        return None
    unit, share = told.last[0]
    lines = [line for line in plan.lines if line.serves(unit) and line.units]
    short = {line.short_of for line in lines if line.slots < line.machines * max(line.shifts, 1)}
    return {"unit": names[unit], "share": f"{100 * share:.0f} %", "never": told.units[unit].late is None,
            "operators": "operators" in short, "lines": "、".join(str(_line(line)) for line in lines)}


def _chart(needs: Sequence[Need], told: Outlook, other: Outlook | None, names: Mapping[int, Text]) -> list[Shown]:
    """The units, what is done last at the top."""
    def last(need: Need) -> tuple[date, int]:
        found = told.units.get(need.unit)
        return (found.late or date.max if found else date.min), need.unit

    return [Shown(names[need.unit], PHASE_WORDS.get(need.phase, str(need.phase)), need.cards,
                  _bar(told, need.unit), span(told.units[need.unit]) if need.unit in told.units else "—",
                  span(other.units[need.unit]) if other and need.unit in other.units else "—")
            for need in sorted(needs, key=last, reverse=True)]


def _bar(told: Outlook, unit: int) -> tuple[str, str, str] | None:
    """From the early to the late day of a unit, in per cent of the chart's width."""
    found = told.units.get(unit)
    if found is None or not (found.early and found.middle and found.late):
        return None
    low, wide = _edges(told)
    early, middle, late = (100 * (day - low).days / wide for day in (found.early, found.middle, found.late))
    return f"{min(early, 99):.2f}%", f"{max(late - early, 1):.2f}%", f"{min(middle, 99.5):.2f}%"


def _edges(told: Outlook) -> tuple[date, int]:
    days = [day for found in told.units.values() for day in found if day]
    low = min([*days, told.weeks[0].begins]) if told.weeks else min(days)
    return low, max((max(days) - low).days, 1)


def _scale(told: Outlook) -> list[str]:
    """The first and the last day of the chart."""
    if not any(day for found in told.units.values() for day in found):
        return []
    low, wide = _edges(told)
    return [f"{low:%Y-%m-%d}", f"{date.fromordinal(low.toordinal() + wide):%Y-%m-%d}"]


def _weeks(told: Outlook) -> Table:
    columns = [Column(_("Week from")), Column(_("Middle"), numeric=True), Column(_("At least"), numeric=True),
               Column(_("At most"), numeric=True)]
    return Table(_("Weeks ahead"), columns, [Row([f"{week.begins:%Y-%m-%d}", week.middle, week.low, week.high])
                                             for week in told.weeks[:WEEKS]], caption_hidden=True)


def _lines(plan: Capacity) -> Table:
    columns = [Column(_("Machines")), Column(_("Number"), numeric=True), Column(_("Shifts"), numeric=True),
               Column(_("Operators"), numeric=True), Column(_("Cards of a day"), numeric=True),
               Column(_("Made again"), numeric=True), Column(_("Breaks down"), numeric=True)]
    return Table(_("Machines, shifts and operators"), columns, [
        Row([Cell(_line(line), note=_("one pool for its units") if line.pooled else _("of each unit")), line.machines,
             line.shifts, line.operators, line.cards * line.slots, f"{100 * line.spoiled:.1f} %",
             f"{100 * line.fails:.1f} %"]) for line in plan.lines], caption_hidden=True)


def _line(line: Line) -> Text:
    return area_name(Area(name=line.name, name_en=line.name_en))


urls = [path("capacity/", index, name="capacity")]
