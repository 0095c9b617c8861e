"""Calendars of working days (工作日历). Pure: days come in, days come out.

A day is worked from Monday to Friday, but for what the State Council and, within its area, a region announce each year
(放假、调休). Where a year's list is not here, the rule of the weekday is used, and every answer names that year.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from zhengka.core.dated import FileRefused, Table, read
from zhengka.core.errors import Refusal

_REACH = timedelta(days=7)
"""A year's list speaks of the last week of the year before, too: 2019's made 29 December 2018 a working day."""
_LONGEST = timedelta(days=30)


class Due(NamedTuple):
    """The last day of a limit; `assumed` are the years whose published list was missing when it was reckoned."""

    day: date
    assumed: tuple[int, ...] = ()


class Span(NamedTuple):
    """A number of working days; `assumed` as in `Due`."""

    days: int
    assumed: tuple[int, ...] = ()


class Layer(NamedTuple):
    """What one file says of the areas from `lo` to `hi`: days → worked or not, and the years whose list is here.

    Years before `since` need no list: the region made no days of its own then.
    """

    code: str
    lo: int
    hi: int
    since: int
    years: frozenset[int]
    days: Mapping[date, bool]


@dataclass(frozen=True)
class Calendar:
    """The working days of one area: layers from the widest to the narrowest, the narrower saying it last."""

    layers: tuple[Layer, ...]
    _days: dict[date, bool] = field(init=False, repr=False, compare=False)
    _changed: list[int] = field(init=False, repr=False, compare=False)
    _more: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the days that differ from the rule of the weekday, with how many working days they add up to."""
        days = {day: worked for layer in self.layers for day, worked in layer.days.items()}
        changed = sorted(day for day, worked in days.items() if worked != _by_weekday(day))
        object.__setattr__(self, "_days", days)
        object.__setattr__(self, "_changed", [day.toordinal() for day in changed])
        object.__setattr__(self, "_more", list(accumulate((1 if days[day] else -1 for day in changed), initial=0)))

    def is_working_day(self, day: date) -> bool:
        """True where offices work on this day; by the rule of the weekday in a year of `assumed`."""
        return self._days.get(day, _by_weekday(day))

    def assumed(self, first: date, last: date) -> tuple[int, ...]:
        """The years without a published list on which the days from `first` to `last` depend, in order."""
        return tuple(year for year in range(first.year, (last + _REACH).year + 1)
                     if not self.layers or any(layer.since <= year not in layer.years for layer in self.layers))

    def add_working_days(self, event: date, n: int) -> Due:
        """The last of the `n` ≥ 1 working days that follow an event; its own day does not count (民法典 art. 201)."""
        if n < 1:
            raise ValueError("a limit has at least one working day")
        start = event.toordinal()
        wanted, furthest = self._count(start) + n, start + 2 * (n + len(self._changed)) + 14
        day = date.fromordinal(bisect_left(range(furthest), wanted, lo=start + 1, key=self._count))
        return Due(day, self.assumed(event + timedelta(1), day))

    def working_days_between(self, a: date, b: date) -> Span:
        """How many working days follow `a`, up to and including `b`, which is not before `a`."""
        if b < a:
            raise ValueError("the second day lies before the first")
        days = self._count(b.toordinal()) - self._count(a.toordinal())
        return Span(days, self.assumed(a + timedelta(1), b) if a < b else ())

    def last_day(self, event: date, *, days: int = 0, months: int = 0) -> Due:
        """The last day of a limit of calendar days or months that begins on the day after an event.

        The event's day does not count (民法典 art. 201), months end on the same day or on that month's last (art. 202),
        and where the last day is no working day the next one takes its place (art. 203).
        """
        if days + months < 1 or min(days, months) < 0:
            raise ValueError("a limit has at least one day")
        nominal = add_months(event, months) + timedelta(days)
        last = nominal
        while not self.is_working_day(last):
            last += timedelta(1)
        return Due(last, self.assumed(nominal, last))

    def _count(self, number: int) -> int:
        """Working days from 1 January of the year 1, a Monday, up to and including the day of this ordinal number."""
        weeks, rest = divmod(number, 7)
        return 5 * weeks + min(rest, 5) + self._more[bisect_right(self._changed, number)]


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or that month's last where it has none (民法典 art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def age_on(born: date, on: date) -> int:
    """Age in full years (周岁) on a day: each is full from the day after the birthday, for the day of the birth does
    not count and the last day counts to its end (民法典 art. 201, 202; 最高法: 从周岁生日的第二天起).

    Of a leap day's child the last day is 28 February where the year has no 29th. PostgreSQL says the same by
    `born + interval 'n years' < on`. `Refusal("born-later")`.
    """
    if born > on:
        raise Refusal("born-later")
    years = on.year - born.year
    return max(years - (add_months(born, 12 * years) >= on), 0)


def is_minor(born: date, on: date) -> bool:
    """True through the eighteenth birthday (民法典 art. 17): of age is who is 18 in full."""
    return age_on(born, on) < ADULT


ADULT = 18


def calendar_of(layers: Iterable[Layer], area: int) -> Calendar:
    """The calendar of an area (12-digit code): every layer that contains it."""
    return Calendar(tuple(sorted((layer for layer in layers if layer.lo <= area <= layer.hi),
                                 key=lambda layer: layer.lo - layer.hi)))


def load(folder: Path) -> tuple[Layer, ...]:
    """Every file of `data/calendars`, checked. Raises `FileRefused`."""
    layers = [layer_of(read(path)) for path in sorted(folder.glob("*.toml"))]
    for one, other in pairwise(sorted(layers, key=lambda layer: (layer.lo, layer.hi))):
        if (one.lo, one.hi) == (other.lo, other.hi):
            raise FileRefused("dates-overlap", f"{other.code}.toml", one.code)
    return tuple(layers)


def layer_of(table: Table) -> Layer:
    """What one file says. A later notice replaces the days of an earlier one of the same year and festival."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("since", int, 0)
    notices = sorted(((notice.take("issued", date), notice) for notice in table.tables("notice")),
                     key=lambda pair: pair[0])
    table.end()
    festivals: dict[tuple[int, str], dict[date, bool]] = {}
    for _, notice in notices:
        year = notice.take("year", int)
        if not notice.take("number", str):
            raise FileRefused("source-missing", notice.place, "number")
        for festival in notice.tables("days"):
            name = festival.take("name", str)
            festivals[year, name] = _days(festival, year)
        notice.end()
    days: dict[date, bool] = {}
    for found in festivals.values():
        for day, worked in found.items():
            if days.setdefault(day, worked) != worked:
                raise FileRefused("day-twice", f"{code}.toml", day.isoformat())
    return Layer(code, lo, hi, since, frozenset(year for year, _ in festivals), days)


def _days(festival: Table, year: int) -> dict[date, bool]:
    """The days of one festival: off from the first to the last of `off`, and worked on each of `work`."""
    off, work = festival.take("off", list), festival.take("work", list, [])
    festival.end()
    if not 1 <= len(off) <= 2 or any(type(day) is not date for day in off + work):
        raise FileRefused("field-missing", festival.place, "off = [first, last], work = [days]")
    first, last = off[0], off[-1]
    if not first <= last <= first + _LONGEST:
        raise FileRefused("dates-reversed", festival.place, f"{first} – {last}")
    found = {first + timedelta(number): False for number in range((last - first).days + 1)}
    for day in work:
        if _by_weekday(day):
            raise FileRefused("day-no-change", festival.place, str(day))
        if day in found:
            raise FileRefused("day-twice", festival.place, str(day))
        found[day] = True
    for day in found:
        if year not in (day.year, (day + _REACH).year):
            raise FileRefused("day-outside-year", festival.place, str(day))
    return found


def _by_weekday(day: date) -> bool:
    return day.weekday() < 5
