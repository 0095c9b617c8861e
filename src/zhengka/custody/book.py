"""The limits of custody and the calendars of this installation (`data/custody`, `data/calendars`), read once."""

from datetime import date
from functools import cache

from django.conf import settings

from zhengka.areas import calendars
from zhengka.areas.calendars import Calendar, Layer
from zhengka.core.dated import FileRefused, read
from zhengka.custody import rules
from zhengka.custody.rules import Policy


@cache
def shipped() -> tuple[Policy, ...]:
    """Every policy of custody, proved. Raises `FileRefused`, also where two say what holds from one day on."""
    found: dict[tuple[int, int, date], Policy] = {}
    for path in sorted((settings.DATA / "custody").glob("*.toml")):
        policy = rules.load(read(path))
        if (key := (policy.lo, policy.hi, policy.valid_from)) in found:
            raise FileRefused("dates-overlap", path.name, policy.code)
        found[key] = policy
    return tuple(found.values())


def policy(area: int, on: date) -> Policy:
    """What holds for an office (12-digit code) on a day; `Refusal("policy-missing")`."""
    return rules.policy_of(shipped(), area, on)


def due(area: int, place: str, on: date) -> date:
    """The last day of a stay at a place (`rules.PLACES`) that begins on a day, by the office's working days."""
    return calendar(area).add_working_days(on, policy(area, on).days[place]).day


@cache
def calendar(area: int) -> Calendar:
    """The working days of an area (12-digit code)."""
    return calendars.calendar_of(_layers(), area)


@cache
def _layers() -> tuple[Layer, ...]:
    return calendars.load(settings.DATA / "calendars")
