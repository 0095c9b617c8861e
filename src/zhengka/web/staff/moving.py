"""What pages say of a move between two offices: its clock, the other side, a card that is on its way; who is coming."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.cases import between, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import DEPARTURES
from zhengka.web.access import Request, requires
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE
from zhengka.web.staff.words import disability
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Pager, Row, Table


def facts(row: Case, without: Mapping[str, str]) -> list[Fact]:
    """Nothing for a case that is no move. `without`: field of a day → the holidays without which it was counted."""
    facts, told = [], services.told(row) if row.kind_of_case.startswith("transfer") else {}
    if "from" in told and row.certificate is None:
        facts.append(Fact(_("Category and grade"), disability(told["wanted"], told["grade"])))
    if row.kind_of_case in DEPARTURES:
        facts.append(Fact(_("Day of the move in the household register"),
                          told.get("moved") or timezone.localdate(row.opened_at).isoformat()))
    if row.freezes_on and row.lapses_on:
        waits = "" if row.witness_person or row.approver_person or row.ended_at else gettext(
            "waits until another person confirms the day of the move")
        facts += [Fact(label, Cell(last.isoformat(), note=" · ".join(filter(None, (waits, without[name])))))
                  for name, label, last in (("freezes_on", _("Frozen after"), row.freezes_on),
                                            ("lapses_on", _("Cancelled after"), row.lapses_on))]
    if other := between.other_side(row):
        tone, word = words.look("case", other.state)
        facts.append(Fact(_("At the other office"), Cell(word, tone=tone, note=area_name(other.area))))
        facts += _clock(other) if row.kind_of_case not in DEPARTURES and row.ended_at is None else []
    elif row.kind_of_case in DEPARTURES and row.ended_at is None and not told.get("to"):
        facts.append(Fact(_("New office"), Cell(_("not known yet"), note=_(
            "once the departure is approved, the office where the holder arrives opens its side"))))
    if state := between.left_at_the_old_office(row):
        facts.append(Fact(_("Card of the old office"), of_card(state, _(
            "withdrawn when the certificate arrives; the new office has another one made"))))
    return facts


def _clock(departs: between.OtherSide) -> list[Fact]:
    """What the clock of the other office's departure does to the certificate, for the office where it arrives."""
    if departs.freezes_on is None or departs.lapses_on is None:
        return []
    tone, word = words.look("certificate", "frozen")
    frozen = Cell(departs.freezes_on.isoformat(), tone=tone if departs.frozen else "",
                  note=word if departs.frozen else "")
    return [Fact(_("Frozen after"), frozen), Fact(_("Cancelled after"), Cell(departs.lapses_on.isoformat()))]


COLUMNS = [Column(_("Name")), Column(_("Kind of case")), Column(_("Old office")), Column(_("New office")),
           Column(_("State")), Column(_("Frozen after")), Column(_("Cancelled after"))]


@requires("case.read")
def coming(request: Request) -> HttpResponse:
    """Who is on the way to an office of the officer's area: noted by the old office, not open here yet."""
    try:
        after = int(request.GET.get("after", "0"))
    except ValueError:
        after = 0
    found = between.coming(request.actor, after=min(max(after, 0), 2**62), limit=SIZE + 1)
    table = Table(_("On their way here"), COLUMNS, [_row(one) for one in found[:SIZE]], caption_hidden=True,
                  pager=Pager(previous="?" if after else "", shown=min(len(found), SIZE),
                              next=f"?after={found[SIZE - 1].case_id}" if len(found) > SIZE else ""),
                  empty=_("Nobody is on the way to your area."))
    return render(request, "staff/coming.html", {
        "title": _("On their way here"), "table": table, "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _row(one: between.Coming) -> Row:
    tone, word = words.look("case", one.side.state)
    days = _clock(one.side) or [Fact("", "—"), Fact("", "—")]
    return Row([one.name, str(KIND_WORDS[one.kind]), area_name(one.leaves), area_name(one.to), Cell(word, tone=tone),
                *(fact.value for fact in days)])


def of_card(state: str, note: Any = "") -> Cell:
    """The state of a card."""
    tone, word = words.look("card", state)
    return Cell(word, tone=tone, note=note)


urls = [path("cases/coming", coming, name="cases-coming")]
