"""Plan and fact (计划与完成), unit by unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.programme.models import Programme, Target


@dataclass(frozen=True)
class Line:
    """One issuing unit: what was planned, and the facts counted in the rooms below, by name."""

    unit: Area
    phase: int
    planned: int
    facts: Mapping[str, int]


def programmes() -> list[Programme]:
    """Every programme, by its code."""
    return list(Programme.objects.order_by("code"))


def targets(programme: str, *, phase: int | None = None) -> list[Target]:
    """The plan of a programme (its code), in the order of the units' codes; of one phase where that is given."""
    rows = Target.objects.filter(programme_id=programme).select_related("area").order_by("area_id")
    return list(rows if phase is None else rows.filter(phase=phase))


def plan_and_fact(programme: str, counts: Mapping[str, Mapping[int, int]], *, actor: Actor) -> list[Line]:
    """The units of a programme within the actor's range.

    `counts`: name of a figure → area code → number, as the queries of the lower rooms give them (holders, cases,
    cards); a unit that a figure does not name counts zero.
    """
    return [Line(target.area, target.phase, target.holders,
                 {name: by_area.get(target.area_id, 0) for name, by_area in counts.items()})
            for target in targets(programme) if actor.sees(target.area_id)]
