"""Plan and fact (计划与完成), unit by unit."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from zhengka.areas.models import Area
from zhengka.areas.queries import issuing_units
from zhengka.core.actors import Actor
from zhengka.programme.models import Programme, Target

FIRST = 1
"""The phase of a unit that no plan names."""


@dataclass(frozen=True)
class Line:
    """One issuing unit: what was planned, and the facts counted in the rooms below, by name."""

    unit: Area
    phase: int
    planned: int
    facts: Mapping[str, int]


@dataclass(frozen=True)
class BudgetLine:
    """One line of a programme's budget (经费预算). Money is integer fen; `fen` = `quantity` × `price_fen`."""

    number: int
    name: str
    name_en: str
    quantity: int
    unit: str
    price_fen: int
    fen: int


def budget(programme: str) -> list[BudgetLine]:
    """The budget of a programme (its code), line by line, as its dated file says; none where there is no such file."""
    return list(_budget(Path(settings.DATA) / "programmes" / f"{programme}.toml"))


def programmes() -> list[Programme]:
    """Every programme, by its code."""
    return list(Programme.objects.order_by("code"))


def targets(programme: str, *, phase: int | None = None) -> list[Target]:
    """The plan of a programme (its code), in the order of the units' codes; of one phase where that is given."""
    rows = Target.objects.filter(programme_id=programme).select_related("area").order_by("area_id")
    return list(rows if phase is None else rows.filter(phase=phase))


def phases(*, actor: Actor) -> dict[Area, int]:
    """The issuing units of the actor's range, by code, each with its phase in the plan; without one it is the first."""
    planned = dict(Target.objects.order_by("programme_id").values_list("area_id", "phase"))
    return {unit: planned.get(unit.code, FIRST) for unit in issuing_units(actor.lo, actor.hi)}


def plan_and_fact(programme: str, counts: Mapping[str, Mapping[int, int]], *, actor: Actor) -> list[Line]:
    """The units of a programme within the actor's range.

    `counts`: name of a figure → area code → number, as the queries of the lower rooms give them (holders, cases,
    cards); a unit that a figure does not name counts zero.
    """
    return [Line(target.area, target.phase, target.holders,
                 {name: by_area.get(target.area_id, 0) for name, by_area in counts.items()})
            for target in targets(programme) if actor.sees(target.area_id)]


@lru_cache(maxsize=8)
def _budget(path: Path) -> tuple[BudgetLine, ...]:
    if not path.is_file():
        return ()
    return tuple(BudgetLine(line["number"], line["name"], line["name_en"], line["quantity"], line["quantity_unit"],
                            line["price_fen"], line["amount_fen"])
                 for line in tomllib.loads(path.read_text("utf-8"))["budget"])
