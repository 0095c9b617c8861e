"""The capacity plan of a programme (产能计划): its file, what is still to be made, and on which days."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

from django.conf import settings

from zhengka.areas import calendars
from zhengka.areas.calendars import Layer
from zhengka.core.actors import Actor
from zhengka.programme import capacity, queries
from zhengka.programme.capacity import HORIZON, Capacity, Need

MADE: Final = ("arrived", "ready", "issued", "active", "suspended", "frozen")
"""States of a card that is made and holds."""
WAIT: Final = ("ordered", "batched", "held", "prepared", "sent")
"""States of a card that is still to be made."""
FEW_RUNS: Final = 200
"""So many runs tell the middle of some weeks; a page that asks for no more must not wait for the whole plan."""


@cache
def plans() -> tuple[Capacity, ...]:
    """Every capacity plan under `data/capacity`. Raises `core.dated.FileRefused` for one that is wrong."""
    return capacity.load(settings.DATA / "capacity")


def plan_of(programme: str) -> Capacity | None:
    """The plan of a programme (its code), if there is one."""
    return next((plan for plan in plans() if plan.code == programme), None)


def needs(programme: str, counts: Mapping[int, Mapping[str, int]], made: Iterable[str], wait: Iterable[str], *,
          actor: Actor) -> list[Need]:
    """How many cards each unit of the actor's area still needs: what is planned and not made yet, or what waits already
    where that is more. `counts`: 12-digit code → state of cards → number; `made` and `wait` are names of states.
    """
    made, wait = tuple(made), tuple(wait)

    def of(unit: int, states: tuple[str, ...]) -> int:
        return sum(counts.get(unit, {}).get(state, 0) for state in states)

    return [Need(target.area_id, max(target.holders - of(target.area_id, made), of(target.area_id, wait)), target.phase)
            for target in queries.targets(programme) if actor.sees(target.area_id)]


def made_within(days: int, counts: Mapping[int, Mapping[str, int]], *, today: date, actor: Actor) -> int:
    """Cards that the plans have made for the units of the actor's area within so many days from `today`, spoiled ones
    not counted: in the middle of the runs, of every programme that has a plan. `counts` as in `needs`. Raises
    `core.dated.FileRefused` for a plan that is wrong.
    """
    made, until = 0, today + timedelta(days)
    for programme in queries.programmes():
        if plan := plan_of(programme.code):
            wanted = needs(programme.code, counts, MADE, WAIT, actor=actor)
            work = [day for day in working_days(plan.lo, max(plan.begins, today))[0] if day < until]
            whole = capacity.spread(plan, [need.unit for need in wanted])
            made += sum(week.middle for week in capacity.simulate(whole, wanted, work, runs=FEW_RUNS).weeks)
    return made


def working_days(area: int, first: date) -> tuple[list[date], tuple[int, ...]]:
    """The working days of an area (12-digit code) from a day on, as many as are ever played; and the years among the
    first of them whose published list is missing.
    """
    calendar = calendars.calendar_of(_layers(), area)
    days, day = list[date](), first
    while len(days) < HORIZON:
        if calendar.is_working_day(day):
            days.append(day)
        day += timedelta(1)
    return days, calendar.assumed(first, first + timedelta(366))


@cache
def _layers() -> tuple[Layer, ...]:
    return calendars.load(settings.DATA / "calendars")
