"""Plan and fact (计划与完成): where the programme stands, unit by unit, for those who answer for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cases import queries as cases
from zhengka.programme.models import Programme
from zhengka.programme.queries import BudgetLine, Line, budget, plan_and_fact, programmes
from zhengka.registry import queries as registry
from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import PHASE_WORDS
from zhengka.web.ui.parts import Text, Tile

APPROVED = ("approved", "ordered")
HANDED_OVER = ("issued", "active", "suspended")
MADE = ("ready", *HANDED_OVER)
FEN_IN_TEN_THOUSAND = 1_000_000
CITY = 10**8
"""Codes within one city."""

FIGURES: dict[str, Text] = {
    "registered": _("Registered"), "cases": _("Cases opened"), "approved": _("Approved"), "made": _("Cards made"),
    "handed_over": _("Handed over"), "active": _("In use")}
"""The facts in the order in which a card comes about; each one is part of the one before it."""

PLANNED: Text = _("Planned")

SERIES = [_("In use"), _("Handed over"), _("Made"), _("Approved"), _("Case open"), _("Registered only")]
"""The same as pieces of a bar: each person once, by how far they have come."""

FEW = 10
"""Below this share of the plan (per cent) bars show the registered holders: against the plan nothing could be seen."""


@dataclass(frozen=True)
class Piece:
    """A piece of a bar: which of `SERIES` it is (from 1), left edge and width in per cent."""

    series: int
    left: str
    width: str


@dataclass(frozen=True)
class Standing:
    """A unit, a city, a phase or the whole: planned holders and the facts by name; `of_plan`: the plan is what
    fills its bar, else the registered holders.
    """

    label: Text
    planned: int
    facts: Mapping[str, int]
    phase: int = 0
    of_plan: bool = True

    @property
    def cells(self) -> list[tuple[Text, int]]:
        """The figures with their words, in the order of the table's columns."""
        return [(PLANNED, self.planned), *((label, self.facts[name]) for name, label in FIGURES.items())]

    @property
    def share(self) -> str:
        """How much of the plan is in use, in per cent."""
        return percent(self.facts["active"], self.planned)

    @property
    def steps(self) -> list[int]:
        """How many persons stand at each of `SERIES`, nobody counted twice."""
        reached = [self.facts[name] for name in reversed(FIGURES)]
        return [reached[0], *(max(more - less, 0) for less, more in pairwise(reached))]

    @property
    def pieces(self) -> list[Piece]:
        """The bar: full where all planned (or, not `of_plan`, all registered) holders have their card in use."""
        full = max(self.planned if self.of_plan else 0, sum(self.steps), 1)
        edges = [0, *accumulate(self.steps)]
        return [Piece(series, f"{100 * left / full:.2f}%", f"{100 * (right - left) / full:.2f}%")
                for series, (left, right) in enumerate(pairwise(edges), start=1) if right > left]


@requires("plan.read")
def index(request: Request) -> HttpResponse:
    """The programme in figures: the whole, its phases, its units, its budget."""
    known = programmes()
    if not known:
        return render(request, "staff/plan/none.html", {"title": _("Plan")})
    programme = next((one for one in known if one.code == request.GET.get("programme")), known[0])
    lines = plan_and_fact(programme.code, facts(request), actor=request.actor)
    return render(request, "staff/plan/index.html", _context(programme, lines, request.GET.get("of", "")))


def facts(request: Request) -> dict[str, dict[int, int]]:
    """Name of each figure → area → number, of the officer's area."""
    by_card, by_case = cards.counts_by_area(request.actor), cases.by_record(request.actor)
    return {
        "registered": registry.counts(actor=request.actor),
        "cases": {area: sum(states.values()) for area, states in by_case.items()},
        "approved": _added(by_case, APPROVED),
        "made": _added(by_card, MADE),
        "handed_over": _added(by_card, HANDED_OVER),
        "active": _added(by_card, ("active",)),
    }


def percent(part: int, whole: int) -> str:
    """A share with one decimal; a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "—"


def ten_thousands(fen: int) -> str:
    """Money in 万元, exact to the fen, without idle zeros."""
    yuan, rest = divmod(fen, FEN_IN_TEN_THOUSAND)
    return f"{yuan:,}.{rest:06d}".rstrip("0").rstrip(".")


def _context(programme: Programme, lines: Sequence[Line], of: str) -> dict[str, Any]:
    chinese = (get_language() or "").startswith("zh")
    whole = _sum(_("All units"), lines)
    enough = 100 * whole.facts["registered"] >= FEW * whole.planned
    of_plan = of == "plan" or (of != "registered" and enough)
    phases = [_sum(PHASE_WORDS.get(phase, str(phase)), [line for line in lines if line.phase == phase], of_plan)
              for phase in sorted({line.phase for line in lines})]
    return {
        "title": _("Plan and fact"), "caption": programme.title if chinese else programme.title_en,
        "programme": programme, "tiles": _tiles(whole), "of_plan": of_plan,
        "funnel": [(label, whole.facts[name]) for name, label in FIGURES.items()],
        "columns": [PLANNED, *FIGURES.values()], "series": SERIES, "units": len(lines), "whole": whole,
        "sums": [*phases, _sum(_("All units"), lines, of_plan)], "cities": _cities(lines, of_plan),
        "budget": _budget(budget(programme.code), chinese),
        "budget_total": ten_thousands(sum(line.fen for line in budget(programme.code))),
    }


def _cities(lines: Sequence[Line], of_plan: bool) -> list[tuple[Standing, list[Standing]]]:
    """The units by city, the larger ones first, each city with its sum."""
    def city(line: Line) -> int:
        return line.unit.code // CITY * CITY

    names = {area.code: area_name(area) for area in Area.objects.filter(code__in={city(line) for line in lines})}
    groups = []
    for code, rows in groupby(sorted(lines, key=lambda line: (city(line), -line.planned)), key=city):
        units = list(rows)
        groups.append((_sum(names.get(code, str(code)), units, of_plan), [
            Standing(area_name(line.unit), line.planned, line.facts, line.phase, of_plan) for line in units]))
    return groups


def _tiles(whole: Standing) -> list[Tile]:
    registered, made, active = (whole.facts[name] for name in ("registered", "made", "active"))
    return [
        Tile(_("Planned holders"), whole.planned),
        Tile(_("Registered"), registered, note=percent(registered, whole.planned)),
        Tile(_("Cards made"), made, note=percent(made, whole.planned)),
        Tile(_("Cards in use"), active, note=percent(active, whole.planned), tone="good"),
    ]


def _budget(lines: Sequence[BudgetLine], chinese: bool) -> list[dict[str, Any]]:
    largest = max((line.fen for line in lines), default=1)
    return [{"name": line.name if chinese else line.name_en, "width": f"{100 * line.fen / largest:.2f}%",
             "quantity": f"{line.quantity:,} {line.unit}" if chinese else f"{line.quantity:,}",
             "price": f"{line.price_fen / 100:,.2f}", "sum": ten_thousands(line.fen)} for line in lines]


def _sum(label: Text, lines: Sequence[Line], of_plan: bool = True) -> Standing:
    return Standing(label, sum(line.planned for line in lines),
                    {name: sum(line.facts[name] for line in lines) for name in FIGURES}, of_plan=of_plan)


def _added(counts: Mapping[int, Mapping[str, int]], states: Sequence[str]) -> dict[int, int]:
    return {area: sum(by_state.get(state, 0) for state in states) for area, by_state in counts.items()}


urls = [path("plan/", index, name="plan")]
