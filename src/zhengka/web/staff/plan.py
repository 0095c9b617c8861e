"""Plan and fact (计划与完成): where the programme stands, unit by unit, for those who answer for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import Count, Model
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhengka.cards import queries as cards
from zhengka.cases import queries as cases
from zhengka.core.actors import Actor
from zhengka.programme.models import Programme
from zhengka.programme.queries import BudgetLine, Line, budget, plan_and_fact, programmes
from zhengka.registry.models import Holder
from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import area_name
from zhengka.web.ui.parts import Text, Tile

APPROVED = ("approved", "ordered")
HANDED_OVER = ("issued", "active", "suspended")
MADE = ("ready", *HANDED_OVER)
FEN_IN_TEN_THOUSAND = 1_000_000

FIGURES: dict[str, Text] = {
    "registered": _("Registered"), "cases": _("Cases opened"), "approved": _("Approved"), "made": _("Cards made"),
    "handed_over": _("Handed over"), "active": _("In use")}
"""The facts in the order in which a card comes about; each one is part of the one before it."""

SERIES = [_("In use"), _("Handed over"), _("Made"), _("Approved"), _("Case open"), _("Waiting")]
"""The same as pieces of a bar: each person once, by how far she has come."""


@dataclass(frozen=True)
class Standing:
    """A unit, a phase or the whole: planned holders and the facts by name."""

    label: Text
    planned: int
    facts: Mapping[str, int]
    phase: int = 0

    @property
    def cells(self) -> list[int]:
        """The figures in the order of the table's columns."""
        return [self.planned, *(self.facts[name] for name in FIGURES)]

    @property
    def share(self) -> str:
        """How much of the plan is in use, in per cent."""
        return percent(self.facts["active"], self.planned)

    @property
    def pieces(self) -> list[int]:
        """How many persons stand at each of `SERIES`, nobody counted twice."""
        steps = [self.facts[name] for name in reversed(FIGURES)]
        return [steps[0], *(max(more - less, 0) for less, more in pairwise(steps))]


@requires("plan.read")
def index(request: Request) -> HttpResponse:
    """The programme in figures: the whole, its phases, its units, its budget."""
    known = programmes()
    if not known:
        return render(request, "staff/plan/none.html", {"title": _("Plan")})
    programme = next((one for one in known if one.code == request.GET.get("programme")), known[0])
    lines = plan_and_fact(programme.code, facts(request), actor=request.actor)
    units = [Standing(area_name(line.unit), line.planned, line.facts, line.phase) for line in lines]
    return render(request, "staff/plan/index.html", _context(programme, units, _whole(lines)))


def facts(request: Request) -> dict[str, dict[int, int]]:
    """Name of each figure → area → number, of the officer's area."""
    by_card, by_case = cards.counts_by_area(request.actor), cases.counts_by_area(request.actor)
    return {
        "registered": _added(_by_state(Holder, request.actor), ("registered",)),
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


def _context(programme: Programme, units: Sequence[Standing], whole: Standing) -> dict[str, Any]:
    chinese = (get_language() or "").startswith("zh")
    phases = [_sum(_("Phase one") if phase == 1 else _("Phase two"), (unit for unit in units if unit.phase == phase))
              for phase in sorted({unit.phase for unit in units})]
    money = budget(programme.code)
    ranked = sorted(units, key=lambda unit: -unit.planned)
    return {
        "title": _("Plan and fact"), "caption": programme.title if chinese else programme.title_en,
        "programme": programme,
        "tiles": _tiles(whole), "funnel": [(label, whole.facts[name]) for name, label in FIGURES.items()],
        "columns": [_("Planned"), *FIGURES.values()], "units": ranked, "phases": phases, "whole": whole,
        "coverage": [(unit.label, [unit.facts["registered"], max(unit.planned - unit.facts["registered"], 0)])
                     for unit in ranked],
        "coverage_series": [_("Registered"), _("Still to register")],
        "progress": [(unit.label, unit.pieces) for unit in ranked if unit.facts["registered"]], "series": SERIES,
        "budget": [_budget_row(line, chinese) for line in money],
        "budget_bars": [(line.name if chinese else line.name_en, line.fen // 100) for line in money],
        "budget_total": ten_thousands(sum(line.fen for line in money)),
    }


def _tiles(whole: Standing) -> list[Tile]:
    registered, made, active = (whole.facts[name] for name in ("registered", "made", "active"))
    return [
        Tile(_("Planned holders"), whole.planned),
        Tile(_("Registered"), registered, note=percent(registered, whole.planned)),
        Tile(_("Cards made"), made, note=percent(made, whole.planned)),
        Tile(_("Cards in use"), active, note=percent(active, whole.planned), tone="good"),
    ]


def _budget_row(line: BudgetLine, chinese: bool) -> tuple[Text, str, str, str]:
    return (line.name if chinese else line.name_en, f"{line.quantity:,} {line.unit}", f"{line.price_fen / 100:,.2f}",
            ten_thousands(line.fen))


def _whole(lines: Iterable[Line]) -> Standing:
    return _sum(_("All units"), [Standing("", line.planned, line.facts) for line in lines])


def _sum(label: Text, parts: Iterable[Standing]) -> Standing:
    rows = list(parts)
    return Standing(label, sum(row.planned for row in rows),
                    {name: sum(row.facts[name] for row in rows) for name in FIGURES})


def _by_state(model: type[Model], actor: Actor) -> dict[int, dict[str, int]]:
    """Area → state → number of rows of a stateful model in the officer's area."""
    rows = model._default_manager.filter(area__range=(actor.lo, actor.hi)).values_list("area", "state")
    found: dict[int, dict[str, int]] = {}
    for area, state, number in rows.annotate(n=Count("pk")).order_by("area", "state"):
        found.setdefault(area, {})[state] = number
    return found


def _added(counts: Mapping[int, Mapping[str, int]], states: Sequence[str]) -> dict[int, int]:
    return {area: sum(by_state.get(state, 0) for state in states) for area, by_state in counts.items()}


urls = [path("plan/", index, name="plan")]
