"""Renewal waves (到期高峰): what ends when, and whom each office invites in which month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from zhengka.cases import book
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.programme import waves
from zhengka.programme.waves import TERM, Smoothed, Window, month_of
from zhengka.registry import queries as registry
from zhengka.registry.queries import ToRenew

YEARS: Final = 9
"""Years after which a certificate may be renewed where no policy says it (practice of 跨省通办, Wuxi 2021)."""


@dataclass(frozen=True)
class Forecast:
    """Offices by their 12-digit codes: when their certificates end, and when their holders are invited."""

    first: int
    ending: Mapping[int, Mapping[int, int]]
    invited: Mapping[int, Smoothed]
    windows: Mapping[int, Window]

    def ends(self) -> dict[int, int]:
        """What ends in each month, in all."""
        return _added(self.ending.values())

    def invitations(self) -> dict[int, int]:
        """Invitations of each month, in all."""
        return _added(each.by_month() for each in self.invited.values())

    def next_wave(self) -> tuple[int, int]:
        """The highest month of the next round, ten years on: if everybody came in the month of the end, and as planned.
        What has ended before the plan begins comes in its first month.
        """
        as_it_ends: dict[int, int] = {}
        for month, number in self.ends().items():
            at = max(month, self.first) + TERM
            as_it_ends[at] = as_it_ends.get(at, 0) + number
        planned = _added(waves.again(each, self.windows[unit]) for unit, each in self.invited.items())
        return max(as_it_ends.values(), default=0), max(planned.values(), default=0)


def window(area: int, on: date) -> Window:
    """When certificates of an area may be renewed, as its policy of a day says it."""
    try:
        _, procedure = book.procedure_for("renewal", area, on)
    except Refusal:  # no policy offers it here: as the practice of others is
        return Window(TERM - 12 * YEARS)
    return Window(TERM - 12 * procedure.times["opens_years"])


def forecast(on: date, exchange: Mapping[int, date] | None = None, *, actor: Actor) -> Forecast:
    """What ends when in the actor's area, and how the invitations are spread, office by office, from this month on.

    `exchange`: 12-digit code of an office → the day until which its holders have exchanged their certificates on paper
    for cards, evenly from now on; none: each certificate ends as it is.
    """
    first = month_of(on)
    ending = registry.ending(actor=actor) if exchange is None else _exchanged(first, exchange, actor)
    windows = {unit: window(unit, on) for unit in ending}
    return Forecast(first, ending, {unit: waves.smooth(months, first, windows[unit])
                                    for unit, months in ending.items()}, windows)


def _exchanged(first: int, exchange: Mapping[int, date], actor: Actor) -> dict[int, dict[int, int]]:
    """What ends when, once those who have a certificate on paper have exchanged it."""
    ending = registry.ending(generations=(3,), actor=actor)
    for unit, months in registry.ending(generations=(2,), actor=actor).items():
        new = months if unit not in exchange else waves.exchanged(
            sum(months.values()), first, month_of(exchange[unit]))
        ending[unit] = _added([ending.get(unit, {}), new])
    return ending


def invited_in(area: int, month: int, on: date, *, actor: Actor) -> list[ToRenew]:
    """Whom an office invites in a month, street by street. `Refusal("not-found")` for another's office."""
    ending = registry.ending(area, actor=actor).get(area, {})
    plan = waves.smooth(ending, month_of(on), window(area, on)).invited
    parts = {}
    for end, number in plan.get(month, {}).items():
        before = sum(ends.get(end, 0) for earlier, ends in plan.items() if earlier < month)
        parts[end] = (before, before + number)
    return registry.to_renew(area, parts, actor=actor)


def _added(each: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Months of many, added up, in order."""
    total: dict[int, int] = {}
    for months in each:
        for month, number in months.items():
            total[month] = total.get(month, 0) + number
    return dict(sorted(total.items()))
