"""When all cards will be made (产能计划): machines, shifts and operators played through many times. Pure.

A *line* (生产线) is a set of like machines. One that is a unit's own (a desk's printer, `pooled` false) makes cards
of that unit alone; one that is pooled (an outside maker) makes those of its units, the earlier phase first. Each
working day every machine makes what its speed, its shifts and its operators allow, at a pace that differs from day to
day, less what is spoiled; on days of maintenance, or while it is broken, nothing. It is played `RUNS` times with one
seed: the days between the 10th and the 90th of a hundred runs are the answer, never one day alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhengka.core.dated import FileRefused, Table, read

RUNS: Final = 2_000
HORIZON: Final = 1_250
"""Working days that are played at most: five years."""
UNIT: Final = 10**6
Floats = NDArray[Any]


@dataclass(frozen=True)
class Line:
    """Like machines. `units`: 12-digit codes; none: every unit. `machines` and `operators` are those of each unit, or
    where the line is pooled those of all; a machine needs `crew` operators for a shift. Speeds are cards an hour,
    `spoiled` and `fails` (on a working day) shares of one, `pace` the lowest and highest share of the speed.
    """

    name: str
    name_en: str
    pooled: bool
    units: tuple[int, ...]
    machines: int
    speed: int
    minutes: int
    shifts: int
    operators: int
    crew: int
    spoiled: float
    fails: float
    repair: tuple[int, int]
    maintenance: int
    pace: tuple[float, float]

    @property
    def slots(self) -> int:
        """Machine-shifts of a day that have their operators."""
        return min(self.machines * self.shifts, self.operators // self.crew)

    @property
    def short_of(self) -> str:
        """What holds the line back: `operators` or `machines`."""
        return "operators" if self.operators // self.crew < self.machines * self.shifts else "machines"

    @property
    def cards(self) -> int:
        """Cards of one machine in one shift, at full speed."""
        return self.speed * self.minutes // 60

    def serves(self, unit: int) -> bool:
        """True where it makes cards of this unit."""
        return not self.units or unit in self.units


@dataclass(frozen=True)
class Capacity:
    """What one file says: an area, from which day on cards are made, and the lines."""

    code: str
    lo: int
    hi: int
    begins: date
    source: str
    lines: tuple[Line, ...]


class Need(NamedTuple):
    """So many cards of a unit (12-digit code) are wanted; those of a lower phase first."""

    unit: int
    cards: int
    phase: int = 1


class Range(NamedTuple):
    """Of a hundred runs the 10th, the middle and the 90th; None: not within the horizon."""

    early: date | None
    middle: date | None
    late: date | None


class Week(NamedTuple):
    """Cards made in a week that begins on a Monday: the 10th, the middle and the 90th of a hundred runs."""

    begins: date
    low: int
    middle: int
    high: int


@dataclass(frozen=True)
class Outlook:
    """What the runs say: of all, of each unit with need, week by week, and which unit is last in what share of runs."""

    whole: Range
    units: Mapping[int, Range]
    weeks: tuple[Week, ...]
    last: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Change:
    """What if: so many shifts and machines more (or less) of a line, by its place; of a line that is not pooled for
    one unit alone where that is named.
    """

    line: int
    shifts: int = 0
    machines: int = 0
    unit: int = 0


def changed(plan: Capacity, change: Change) -> Capacity:
    """The plan as it would be: operators come and go with machines and shifts. A line never has less than none."""
    lines = list(plan.lines)
    line = lines[change.line]
    machines, shifts = max(line.machines + change.machines, 0), max(line.shifts + change.shifts, 0)
    other = replace(line, machines=machines, shifts=shifts,
                    operators=max(line.operators, 0) if (machines, shifts) == (line.machines, line.shifts)
                    else max(line.operators + line.crew * (machines * shifts - line.machines * line.shifts), 0))
    if change.unit and not line.pooled:
        return replace(plan, lines=(*lines[:change.line], replace(line, units=_without(line, change.unit)),
                                    replace(other, units=(change.unit,)), *lines[change.line + 1:]))
    lines[change.line] = other
    return replace(plan, lines=tuple(lines))


def _without(line: Line, unit: int) -> tuple[int, ...]:
    """The units of a line but for one; `spread` has told a line of every unit which those are."""
    left = tuple(one for one in line.units if one != unit)
    return left or (-1,)  # nobody's


def spread(plan: Capacity, units: Sequence[int]) -> Capacity:
    """The plan with every line's units named: of `units`, those that it serves."""
    return replace(plan, lines=tuple(replace(line, units=tuple(unit for unit in units if line.serves(unit)))
                                     for line in plan.lines))


def simulate(plan: Capacity, needs: Sequence[Need], days: Sequence[date], *, seed: int = 1,
             runs: int = RUNS) -> Outlook:
    """Play the plan `runs` times over the working `days`, in order; the same seed gives the same answer."""
    wanted = sorted((need for need in needs if need.cards > 0), key=lambda need: (need.phase, need.unit))
    if not wanted or not days:
        day = days[0] if days and not wanted else None
        return Outlook(Range(day, day, day), {need.unit: Range(None, None, None) for need in wanted}, (), ())
    play = _Play(plan, wanted, np.random.default_rng(seed), runs)
    for number in range(min(len(days), HORIZON)):
        play.day(number)
        if not play.left.any():
            break
    return _told(play, wanted, days)


class _Play:
    """The state of all runs at once: what is left of each unit, how long each machine is still broken, who is done."""

    def __init__(self, plan: Capacity, wanted: Sequence[Need], dice: np.random.Generator, runs: int) -> None:
        units = [need.unit for need in wanted]
        self.dice, self.runs = dice, runs
        self.left = np.tile(np.array([need.cards for need in wanted], dtype=np.float32), (runs, 1))
        self.done = np.full((runs, len(units)), -1, dtype=np.int64)
        self.made: list[Floats] = []
        rows = [(line, unit, cards) for line in plan.lines
                for unit in ([None] if line.pooled else [unit for unit in units if line.serves(unit)])
                for cards in _by_machine(line)]
        self.lines = [line for line, _, _ in rows]
        self.own = np.array([[unit == one for one in units] for _, unit, _ in rows], dtype=np.float32)
        self.own = self.own.reshape(len(rows), len(units))
        self.broken = np.zeros((runs, len(rows)), dtype=np.float32)
        self.pools = [(line, np.array([line.serves(unit) for unit in units])) for line in plan.lines if line.pooled]
        self.told = _columns(rows)

    def day(self, number: int) -> None:
        """One working day of every run."""
        good = self._good(number)
        before = self.left.copy()
        self.left -= np.minimum(self.left, good @ self.own)
        for line, served in self.pools:
            self._pooled(good[:, [one is line for one in self.lines]].sum(axis=1), served)
        self.made.append((before - self.left).sum(axis=1, dtype=np.float64))
        over = self.left <= 0
        self.done[over & (self.done < 0)] = number
        self._put_away(np.all(over, axis=0, keepdims=True)[0])

    def _good(self, number: int) -> Floats:
        """Good cards of each machine on a day, run by run."""
        told, shape = self.told, self.broken.shape
        works = self.broken == 0
        if told["fails"].any():
            falls = works & (self._chance() < told["fails"])
            lasts = np.floor(told["short"] + self._chance() * (told["long"] - told["short"] + 1))
            self.broken[falls] = lasts[falls]
            works &= ~falls
            self.broken = np.maximum(self.broken - 1, 0)
        works &= (told["rests"] == 0) | ((number + 1) % np.maximum(told["rests"], 1) != 0)
        pace = told["slow"]
        if (told["slow"] < told["fast"]).any():
            pace = told["slow"] + (told["fast"] - told["slow"]) * self._chance()
        cards = np.floor(told["full"] * pace + np.float32(1e-3)) * works
        if not told["spoiled"].any():
            return np.asarray(cards)
        wide = np.sqrt(cards * told["spoiled"] * (1 - told["spoiled"]))
        waste = np.rint(cards * told["spoiled"] + wide * self.dice.standard_normal(shape, dtype=np.float32))
        return np.asarray(cards - np.clip(waste, 0, cards))

    def _chance(self) -> Floats:
        return self.dice.random(self.broken.shape, dtype=np.float32)

    def _put_away(self, over: NDArray[np.bool_]) -> None:
        """Machines of units that are done in every run need no more dice."""
        kept = ~(self.own @ over.astype(np.float32) > 0)
        if not kept.all():
            self.own, self.broken = self.own[kept], self.broken[:, kept]
            self.lines = [line for line, stays in zip(self.lines, kept, strict=True) if stays]
            self.told = {name: column[kept] for name, column in self.told.items()}

    def _pooled(self, cards: Floats, served: NDArray[np.bool_]) -> None:
        """What a pooled line makes goes to the units in their order, as far as it reaches."""
        wants = self.left * served
        before = np.cumsum(wants, axis=1) - wants
        self.left -= np.clip(cards[:, None] - before, 0, wants)


def _columns(rows: Sequence[tuple[Line, int | None, int]]) -> dict[str, Floats]:
    """What the lines say, one figure for each machine."""
    columns = {
        "full": [cards for _, _, cards in rows], "fails": [line.fails for line, _, _ in rows],
        "spoiled": [line.spoiled for line, _, _ in rows], "slow": [line.pace[0] for line, _, _ in rows],
        "fast": [line.pace[1] for line, _, _ in rows], "short": [line.repair[0] for line, _, _ in rows],
        "long": [line.repair[1] for line, _, _ in rows], "rests": [line.maintenance for line, _, _ in rows]}
    return {name: np.array(figures, dtype=np.float32) for name, figures in columns.items()}


def _by_machine(line: Line) -> list[int]:
    """Cards of a day of each machine of a line at full speed: its shifts are shared out evenly."""
    if line.machines == 0:
        return []
    each, more = divmod(line.slots, line.machines)
    return [line.cards * (each + (number < more)) for number in range(line.machines)]


def _told(play: _Play, wanted: Sequence[Need], days: Sequence[date]) -> Outlook:
    never = len(days)
    done = np.where(play.done < 0, never, play.done)
    whole = done.max(axis=1)
    last = Counter(int(place) for place in done.argmax(axis=1))
    return Outlook(
        _range(whole, days), {need.unit: _range(done[:, place], days) for place, need in enumerate(wanted)},
        _weeks(np.array(play.made), days),
        tuple((wanted[place].unit, number / play.runs) for place, number in last.most_common(3)))


def _range(numbers: NDArray[np.int64], days: Sequence[date]) -> Range:
    at = np.quantile(numbers, [0.1, 0.5, 0.9], method="inverted_cdf")
    return Range(*(days[int(number)] if number < len(days) else None for number in at))


def _weeks(made: Floats, days: Sequence[date]) -> tuple[Week, ...]:
    mondays = [date.fromordinal(day.toordinal() - day.weekday()) for day in days[:len(made)]]
    found = []
    for monday in dict.fromkeys(mondays):
        sums = made[[day == monday for day in mondays]].sum(axis=0)
        low, middle, high = np.quantile(sums, [0.1, 0.5, 0.9], method="inverted_cdf")
        found.append(Week(monday, int(low), int(middle), int(high)))
    while found and not found[-1].high:
        found.pop()  # only in less than one of ten runs something is left to be made then
    return tuple(found)


# -- files under data/capacity ----------------------------------------------------------------------------------------

def load(folder: Path) -> tuple[Capacity, ...]:
    """Every file of `data/capacity`, checked. Raises `FileRefused`."""
    plans = [capacity_of(read(path)) for path in sorted(folder.glob("*.toml"))]
    for code, number in Counter(plan.code for plan in plans).items():
        if number > 1:
            raise FileRefused("code-twice", f"{code}.toml", code)
    return tuple(plans)


def capacity_of(table: Table) -> Capacity:
    """What one file says."""
    code, (lo, hi), begins, source = (table.take("code", str), table.area(), table.take("begins", date),
                                      table.take("source", str))
    if not source.strip():
        raise FileRefused("source-missing", table.place, "source")
    lines = tuple(_line(each, lo, hi) for each in table.tables("line"))
    table.end()
    if not lines:
        raise FileRefused("field-missing", table.place, "line")
    return Capacity(code, lo, hi, begins, source, lines)


def _line(table: Table, lo: int, hi: int) -> Line:
    kind = table.take("kind", str)
    if kind not in ("desk", "maker"):
        raise FileRefused("value-unknown", table.place, f"kind: {kind}")
    units = tuple(_unit(word, table.place, lo, hi) for word in table.take("units", list, []))
    line = Line(
        table.take("name", str), table.take("name_en", str), kind == "maker", units,
        _figure(table, "machines", 0, 10_000), _figure(table, "cards_per_hour", 1, 100_000),
        _figure(table, "minutes_per_shift", 1, 720), _figure(table, "shifts", 0, 3),
        _figure(table, "operators", 0, 100_000), _figure(table, "operators_per_machine", 1, 100),
        _figure(table, "spoiled_permille", 0, 500) / 1000, _figure(table, "breaks_permille", 0, 500) / 1000,
        _pair(table, "repair_days", 1, 250), _figure(table, "maintenance_every", 0, 250, 0),
        tuple(share / 100 for share in _pair(table, "pace_percent", 1, 100)))  # type: ignore[arg-type]
    if line.minutes * line.shifts > 24 * 60:
        raise FileRefused("value-out-of-range", table.place, "minutes_per_shift × shifts")
    if line.maintenance == 1:
        raise FileRefused("value-out-of-range", table.place, "maintenance_every")
    table.end()
    return line


def _unit(word: object, place: str, lo: int, hi: int) -> int:
    if not isinstance(word, str) or len(word) != 6 or not word.isascii() or not word.isdigit():
        raise FileRefused("area-unknown", place, f"units: {word}")
    unit = int(word) * UNIT
    if not lo <= unit <= hi:
        raise FileRefused("area-unknown", place, f"units: {word}")
    return unit


def _figure(table: Table, name: str, least: int, most: int, default: int | None = None) -> int:
    figure = table.take(name, int, default)
    if not least <= figure <= most:
        raise FileRefused("value-out-of-range", table.place, f"{name}: {figure}")
    return figure


def _pair(table: Table, name: str, least: int, most: int) -> tuple[int, int]:
    pair = table.take(name, list)
    if len(pair) != 2 or any(type(one) is not int for one in pair) or not least <= pair[0] <= pair[1] <= most:
        raise FileRefused("value-out-of-range", table.place, f"{name}: {pair}")
    return pair[0], pair[1]
