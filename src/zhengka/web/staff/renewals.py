"""Renewal waves (到期高峰): what ends when, how the invitations are spread, and the lists of streets."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter
from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.programme import capacity, planning, renewals
from zhengka.programme.queries import programmes
from zhengka.programme.renewals import Forecast
from zhengka.programme.waves import first_day, month_of
from zhengka.registry import services as registry
from zhengka.registry.imports.report import guarded
from zhengka.registry.queries import ToRenew
from zhengka.web.access import Request, request_key, requires
from zhengka.web.staff.in_full import PurposeForm
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text, Tile

TRAIL = ((_("Plan"), "staff:plan"), (_("Renewals"), "staff:renewals"))
QUARTER, YEAR, AHEAD = 3, 12, 11
"""Months of a bar, months of a row, and years that are shown."""
SHOWN = 200
"""Persons of a list that are shown on its page; the file has all."""
SERIES = (_("Certificates that end"), _("Invitations as planned"))


class ListForm(forms.Form):
    """Which office's list, and of which month."""

    unit = forms.ChoiceField(label=_("Issuing unit"))
    month = forms.ChoiceField(label=_("Invited in"))

    def __init__(self, *args: Any, units: Mapping[int, Text], months: Sequence[int], **kwargs: Any) -> None:
        """Offer the units and the months ahead."""
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = list(units.items())  # type: ignore[attr-defined]
        self.fields["month"].choices = [(month, f"{first_day(month):%Y-%m}") for month in months]  # type: ignore[attr-defined]


@requires("plan.read")
def index(request: Request) -> HttpResponse:
    """The waves of one's area and the plan that smooths them."""
    planned = request.GET.get("plan") == "1"
    told = renewals.forecast(timezone.localdate(), _exchange(request) if planned else None, actor=request.actor)
    names = {area.code: area_name(area) for area in Area.objects.filter(code__in=told.ending)}
    ends, invited = told.ends(), told.invitations()
    quarters = range(told.first - told.first % QUARTER, told.first + AHEAD * YEAR, QUARTER)
    chart = [(f"{quarter // YEAR}" if quarter % (2 * YEAR) == 0 else "",
              (_sum(ends, quarter, QUARTER), _sum(invited, quarter, QUARTER))) for quarter in quarters]
    form = ListForm(units=names, months=range(told.first, told.first + 2 * YEAR)) if (
        names and request.actor.may("holder.read")) else None
    return render(request, "staff/plan/renewals.html", {
        "title": _("Renewals"), "breadcrumbs": trail(TRAIL[0]), "tiles": _tiles(told), "chart": chart,
        "series": SERIES, "years": _years(told, ends, invited), "units": _units(told, names), "form": form,
        "none": not ends, "planned": planned})


def _exchange(request: Request) -> dict[int, date]:
    """The day until which the capacity plan has made the cards of each unit, in half of its runs."""
    for programme in programmes():
        plan = planning.plan_of(programme.code)
        if plan is not None:
            needs = planning.needs(programme.code, cards.counts_by_area(request.actor), planning.MADE, planning.WAIT,
                                   actor=request.actor)
            days, _assumed = planning.working_days(plan.lo, max(plan.begins, timezone.localdate()))
            told = capacity.simulate(capacity.spread(plan, [need.unit for need in needs]), needs, days)
            return {unit: found.middle for unit, found in told.units.items() if found.middle}
    return {}


class FileForm(PurposeForm):
    """A list as a file: for what, and in which form."""

    form = forms.ChoiceField(label=_("File"), choices=[(form, f".{form}") for form in ("xlsx", "csv")])


@requires("holder.read")
@require_safe
def street_list(request: Request) -> HttpResponse:
    """Whom an office invites in a month, street by street."""
    return _list(request, *_asked(request.GET, request), FileForm(initial={"purpose": "invitation"}))


@requires("holder.read")
@require_POST
def take_list(request: Request) -> HttpResponse:
    """The same as a file, once, for a purpose that an event of each person keeps."""
    unit, month = _asked(request.POST, request)
    form = FileForm(request.POST)
    if not form.is_valid():
        return _list(request, unit, month, form)
    found, streets = _found(request, unit, month)
    try:
        registry.list_out([row.holder for row in found], by=request.actor, request_id=request_key(request),
                          purpose=form.cleaned_data["purpose"], at=timezone.now())
    except Replayed:  # the page has a new request id: pressing once more sends the file again
        return HttpResponseRedirect(_url(unit, month))
    kind, write = FILES[form.cleaned_data["form"]]
    name = f"renewals-{unit.unit6}-{first_day(month):%Y%m}.{form.cleaned_data['form']}"
    return HttpResponse(write(_rows(found, streets, month)), content_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


def _url(unit: Area, month: int) -> str:
    return f"{reverse('staff:renewals-list')}?unit={unit.code}&month={month}"


def _found(request: Request, unit: Area, month: int) -> tuple[list[ToRenew], dict[int, Text]]:
    """Whom an office invites in a month, and the names of their streets."""
    found = renewals.invited_in(unit.code, month, timezone.localdate(), actor=request.actor)
    codes = {row.street for row in found if row.street}
    return found, {area.code: area_name(area) for area in Area.objects.filter(code__in=codes)}


def _list(request: Request, unit: Area, month: int, form: FileForm) -> HttpResponse:
    found, streets = _found(request, unit, month)
    counted = Counter(streets.get(row.street or 0, NOWHERE) for row in found)
    return render(request, "staff/plan/renewal_list.html", {
        "title": _("List for the streets"), "caption": f"{area_name(unit)} · {first_day(month):%Y-%m}",
        "breadcrumbs": trail(*TRAIL), "form": form if found else None, "unit": unit, "month": month,
        "streets": Table(_("Streets"), [Column(_("Street")), Column(_("Persons"), numeric=True)],
                         [Row([street, number]) for street, number in counted.items()],
                         empty=_("Nobody is to be invited in this month.")),
        "persons": Table(_("Persons"), [Column(_("Holder")), Column(_("Street")), Column(_("Certificate number")),
                                        Column(_("Valid until"))], [
            Row([Cell(row.name, href=reverse("staff:holder", args=[row.holder])),
                 streets.get(row.street or 0, NOWHERE), Cell(row.number, number=True),
                 f"{row.valid_until:%Y-%m-%d}"]) for row in found[:SHOWN]]) if found else None,
        "more": max(len(found) - SHOWN, 0)}, status=400 if form.is_bound else 200)


NOWHERE = pgettext_lazy("street", "Not known")


def _asked(told: Mapping[str, str], request: Request) -> tuple[Area, int]:
    try:
        unit, month = int(told.get("unit", "")), int(told.get("month", ""))
    except ValueError:
        raise Refusal("not-found") from None
    first = month_of(timezone.localdate())
    if not first <= month < first + AHEAD * YEAR:
        raise Refusal("not-found")
    return areas.area(unit, actor=request.actor), month


def _tiles(told: Forecast) -> list[Tile]:
    ends, invited = told.ends(), told.invitations()
    in_time = [month for month in ends if month >= told.first]
    high = max(in_time, key=lambda month: ends[month], default=None)
    as_it_ends, planned = told.next_wave()
    return [
        Tile(_("Highest month of endings"), ends[high] if high is not None else 0,
             note=f"{first_day(high):%Y-%m}" if high is not None else ""),
        Tile(_("Highest month of invitations"), max(invited.values(), default=0)),
        Tile(_("Ended already, or too soon for the plan"), sum(each.late for each in told.invited.values())),
        Tile(_("Highest month ten years on"), planned, tone="good" if planned < as_it_ends else "",
             note=gettext("%(n)s if everybody came at the end") % {"n": f"{as_it_ends:,}"}),
    ]


def _years(told: Forecast, ends: Mapping[int, int], invited: Mapping[int, int]) -> Table:
    """What ends and is invited year by year, with the highest month of each; years that are past are one row."""
    first = told.first // YEAR
    past = sum(number for month, number in ends.items() if month // YEAR < first)
    rows = [Row([_("Before"), past, "—", 0, "—"])] if past else []
    for year in range(first, first + AHEAD):
        months = range(year * YEAR, (year + 1) * YEAR)
        rows.append(Row([str(year), _sum(ends, year * YEAR, YEAR), max(ends.get(month, 0) for month in months),
                         _sum(invited, year * YEAR, YEAR), max(invited.get(month, 0) for month in months)]))
    return Table(_("Year by year"), [
        Column(_("Year")), Column(_("End"), numeric=True), Column(_("Highest month"), numeric=True),
        Column(_("Invited"), numeric=True), Column(_("Highest month as planned"), numeric=True)], rows,
        caption_hidden=True)


def _units(told: Forecast, names: Mapping[int, Text]) -> Table:
    """The same for each office: its highest month as it ends, and as it is planned."""
    rows = [Row([names.get(unit, str(unit)), sum(months.values()),
                 max((number for month, number in months.items() if month >= told.first), default=0),
                 told.invited[unit].most, told.invited[unit].late]) for unit, months in sorted(told.ending.items())]
    return Table(_("Issuing units"), [
        Column(_("Issuing unit")), Column(_("Certificates"), numeric=True), Column(_("Highest month"), numeric=True),
        Column(_("Invitations a month at most"), numeric=True), Column(_("Late already"), numeric=True)], rows,
        caption_hidden=True)


def _sum(counts: Mapping[int, int], first: int, months: int) -> int:
    return sum(counts.get(month, 0) for month in range(first, first + months))


def _rows(found: Sequence[ToRenew], streets: Mapping[int, Text], month: int) -> list[list[str]]:
    """The cells of a file: its headings first."""
    head = [_("Street"), _("Holder"), _("Certificate number"), _("Valid until"), _("Invited in")]
    return [[str(word) for word in head], *(
        [str(streets.get(row.street or 0, NOWHERE)), row.name, row.number,
         f"{row.valid_until:%Y-%m-%d}", f"{first_day(month):%Y-%m}"] for row in found)]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """A text by whose first mark Excel knows UTF-8, in which no cell is taken for a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook in which every cell is text."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        sheet.set_column(0, 4, 24)
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(at, place, cell)
    return file.getvalue()


FILES: dict[str, tuple[str, Callable[[Sequence[Sequence[str]]], bytes]]] = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    "csv": ("text/csv; charset=utf-8", _csv)}
"""Forms of a list as a file: its kind, and what writes it."""

urls = [
    path("renewals/", index, name="renewals"),
    path("renewals/list", street_list, name="renewals-list"),
    path("renewals/list/file", take_list, name="renewals-file"),
]
