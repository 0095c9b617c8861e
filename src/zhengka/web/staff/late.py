"""Late cases (逾期): which offices are behind their days, and which cases these are, for who answers for an area."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.areas import queries as areas
from zhengka.cases import late
from zhengka.cases.late import Standing
from zhengka.cases.models import NO_LIMIT, Case
from zhengka.web.access import Request, requires
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.cases import due_cell, place
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.paging import SIZE
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Pager, Row, Table, Tile

MOST = 100
"""Offices that are shown: those with the most late cases."""
OFFICES = [Column(_("Office")), Column(_("Open, with a limit"), numeric=True), Column(_("Late"), numeric=True),
           Column(_("Longest")), Column(_("Due within a week"), numeric=True)]
CASES = [Column(_("Case")), Column(_("Kind of case")), Column(_("Office")), Column(_("State")),
         Column(_("Officer in charge")), Column(_("Due"))]


@requires("plan.read")
def index(request: Request) -> HttpResponse:
    """How many cases are late at each office of the area, and the cases, of one office where it is chosen.

    Who has no right to see cases finds their numbers here, and nobody's name.
    """
    today = timezone.localdate()
    asked = request.GET.get("office", "")
    office = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= len(str(10**12)) else 0
    found = late.listed(request.actor, today, office=office, after=place(request), limit=SIZE + 1)
    standings = late.by_office(request.actor, today)
    chosen = areas.area(office, actor=request.actor) if office else None
    caption = gettext("Late cases of %(office)s") % {"office": area_name(chosen)} if chosen else gettext("Late cases")
    return render(request, "staff/late.html", {
        "title": _("Late cases"), "tiles": _tiles(standings), "chosen": chosen, "offices": _offices(standings),
        "table": Table(caption, CASES, [_row(request, case) for case in found[:SIZE]], pager=_pager(request, found),
                       empty=_("No case is late."))})


def tiles(request: Request) -> list[Tile]:
    """What is late in the officer's area and what soon will be, for who leads and has no cases: where to look into."""
    standings = late.by_office(request.actor, timezone.localdate())
    return [replace(tile, href=reverse("staff:late")) for tile in _tiles(standings)[:2]]


def _tiles(standings: list[Standing]) -> list[Tile]:
    total = sum(one.late for one in standings)
    return [Tile(_("Late"), total, tone=words.BAD if total else words.GOOD),
            Tile(_("Due within a week"), sum(one.soon for one in standings)),
            Tile(_("Open, with a limit"), sum(one.limited for one in standings))]


def _offices(standings: list[Standing]) -> Table:
    """The offices that are behind; the name of each leads to its cases."""
    behind = [one for one in standings if one.late][:MOST]
    return Table(_("Offices with late cases"), OFFICES, [Row([
        Cell(area_name(one.office), href=f"?{urlencode({'office': one.office.code})}"), one.limited, one.late,
        ngettext("%(n)s day late", "%(n)s days late", one.longest) % {"n": one.longest}, one.soon])
        for one in behind], empty=_("No office is behind."))


def _row(request: Request, case: Case) -> Row:
    may = request.actor.may("case.read")
    tone, state = words.look("case", case.state)
    named = Cell(case.name, href=reverse("staff:case", args=[case.pk])) if may else Cell(str(case.pk), number=True)
    return Row([named, str(KIND_WORDS[case.kind_of_case]), area_name(case.area), Cell(state, tone=tone),
                case.assignee.name if case.assignee else "—", due_cell(case)])


def _pager(request: Request, found: list[Case]) -> Pager:
    query: dict[str, Any] = {name: value for name, value in request.GET.items() if name != "after"}
    last = found[SIZE - 1] if len(found) > SIZE else None
    after = f"{(last.due_on or NO_LIMIT).isoformat()}.{last.pk}" if last else ""
    return Pager(previous="?" + urlencode(query) if "after" in request.GET else "",
                 next="?" + urlencode({**query, "after": after}) if after else "", shown=min(len(found), SIZE))


urls = [path("late/", index, name="late")]
