"""Figures of assessments (评定质量): institutions and doctors against their area, as a funnel plot and as a table."""

from datetime import timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.assessment import queries
from zhengka.assessment.funnel import Limits
from zhengka.assessment.queries import Figures, Period, Unit
from zhengka.web.access import Request, requires
from zhengka.web.staff.assessment import terms
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text, Tile

BY: dict[str, Text] = {"institution": _("Institutions"), "assessor": _("Doctors")}
HEADS: dict[str, Text] = {"institution": _("Institution"), "assessor": _("Doctor")}
"""What is compared → all of them in a choice, one of them above a column."""
YEAR = timedelta(days=365)
VERDICTS: dict[str, tuple[str, Text]] = {
    "within": (words.GOOD, _("Within what chance explains")), "95": (words.WAIT, _("Outside 95 %")),
    "99.8": (words.WAIT, _("Outside 99.8 %"))}
"""Where a share lies → tone and words; a test holds it complete."""
GRADES = (0, 1, 2, 3, 4)


class PeriodForm(forms.Form):
    """What is looked at."""

    by = forms.ChoiceField(label=_("Compare"), choices=list(BY.items()), initial="institution")
    category = forms.TypedChoiceField(label=_("Category"), coerce=int, empty_value=None, required=False,
                                      choices=lambda: [("", _("All")), *terms.category_choices()])
    since = DateField(label=_("First day"))
    until = DateField(label=_("Last day"))


@requires("assessment.figures")
def index(request: Request) -> HttpResponse:
    """The share of grades 1 and 2 of each institution or doctor, against the area's, of the last year at first."""
    today = timezone.localdate()
    form = PeriodForm({"by": "institution", "since": today - YEAR, "until": today} | request.GET.dict())
    if not form.is_valid():
        return render(request, "staff/assessment/figures.html", {"title": _("Assessment figures"), "form": form})
    given = form.cleaned_data
    period = Period(given["since"], given["until"], given["category"])
    found = queries.figures(given["by"], period, actor=request.actor)
    broken, head = queries.broken(period, actor=request.actor), HEADS[given["by"]]
    return render(request, "staff/assessment/figures.html", {
        "title": _("Assessment figures"), "form": form, "figures": found, "tiles": _tiles(found, broken),
        "table": _table(found, head), "limits": _limits(found, head), "grades": _grades(found, head),
        "axes": (_("Number of assessments"), _("Share of grades 1 and 2")),
        "points": [(str(place), unit.number, unit.share, unit.verdict) for place, unit in enumerate(found.units, 1)
                   if unit.number],
        "curves": {name: [(number, limits.low, limits.high) for number, limits in curve]
                   for name, curve in found.curves.items()}})


def _tiles(found: Figures, broken: tuple[int, int]) -> list[Tile]:
    outside = sum(unit.verdict != "within" for unit in found.units)
    return [Tile(_("Assessments"), found.number), Tile(_("In grade 1 or 2"), percent(found.share)),
            Tile(_("Without a grade"), found.grades.get(0, 0)),
            Tile(_("Outside the limits"), outside, tone=words.WAIT if outside else ""),
            Tile(_("Did not come"), broken[0]), Tile(_("Called off by the office"), broken[1])]


def percent(share: float) -> str:
    """A share in per cent with one decimal."""
    return f"{100 * share:.1f} %"


def span(limits: Limits) -> str:
    """Two limits in per cent, in one piece."""
    return f"{100 * limits.low:.1f}\u00a0–\u00a0{100 * limits.high:.1f}\u00a0%"


def _named(place: int, unit: Unit) -> str:
    """A unit with the number that its point bears."""
    return f"{place} · {unit.label}"


def _table(found: Figures, head: Text) -> Table:
    columns = [Column(head), Column(_("Assessments"), numeric=True), Column(_("In grade 1 or 2"), numeric=True)]
    return Table(_("Share of grades 1 and 2"), columns, [
        _line(place, unit) for place, unit in enumerate(found.units, 1)],
        empty=_("Nothing was assessed in this time."))


def _line(place: int, unit: Unit) -> Row:
    share = percent(unit.share)
    return Row([_named(place, unit), unit.number,
                share if unit.verdict == "within" else Cell(share, tone=VERDICTS[unit.verdict][0])])


def _limits(found: Figures, head: Text) -> Table:
    columns = [Column(head), Column(_("In grade 1 or 2"), numeric=True), Column(_("Limits 95 %"), numeric=True),
               Column(_("Limits 99.8 %"), numeric=True), Column(_("Against chance")),
               Column(_("A second doctor differed"), numeric=True)]
    return Table(_("What chance explains, and where doctors differed"), columns, [
        Row([_named(place, unit), percent(unit.share), *map(span, unit.limits.values()), _verdict(unit), unit.differed])
        for place, unit in enumerate(found.units, 1)], empty=_("Nothing was assessed in this time."))


def _verdict(unit: Unit) -> Cell:
    tone, word = VERDICTS[unit.verdict]
    return Cell(word, tone=tone)


def _grades(found: Figures, head: Text) -> Table:
    labels: list[Text] = [_("Without a grade"), _("Grade 1"), _("Grade 2"), _("Grade 3"), _("Grade 4")]
    return Table(_("Grades found, and how many were expected of an average of the area"), [
        Column(head), *(Column(label, numeric=True) for label in labels)], [
        Row([_named(place, unit), *(Cell(str(unit.grades.get(grade, 0)), note=_expected(unit, grade))
                                    for grade in GRADES)]) for place, unit in enumerate(found.units, 1)],
        empty=_("Nothing was assessed in this time."))


def _expected(unit: Unit, grade: int) -> str:
    return gettext("expected: %(number)s") % {"number": f"{unit.expected.get(grade, 0.0):.1f}"}


urls = [path("assessment-figures/", index, name="assessment-figures")]
