"""The terms with card makers (`data/production`) and the calendars of this installation, read once."""

from datetime import date, datetime, timedelta
from functools import cache

from django.conf import settings

from zhengka.areas import calendars
from zhengka.areas.calendars import Layer
from zhengka.core.errors import Refusal
from zhengka.formats.verdict import CHINA
from zhengka.production import rules
from zhengka.production.rules import Terms


def of(area: int, *, at: datetime) -> Terms:
    """What holds for an office (12-digit code) now; `Refusal("terms-missing")` where no file says anything."""
    found = rules.terms(_shipped(), area, today(at))
    if found is None:
        raise Refusal("terms-missing", area=area)
    return found


def acknowledge_by(area: int, *, at: datetime) -> date:
    """The last day on which a package that is sent now is acknowledged in time."""
    return calendars.calendar_of(_layers(), area).add_working_days(today(at), of(area, at=at).acknowledge_days).day


def erase_on(area: int, *, at: datetime) -> date:
    """The day on which what was made for a batch is erased whose results are taken now, or that is closed now."""
    return today(at) + timedelta(days=of(area, at=at).keep_days)


def today(at: datetime) -> date:
    """The day in China: what was made for a batch that is given up now serves for nothing any more."""
    return at.astimezone(CHINA).date()


@cache
def _shipped() -> tuple[Terms, ...]:
    return rules.load(settings.DATA / "production")


@cache
def _layers() -> tuple[Layer, ...]:
    return calendars.load(settings.DATA / "calendars")
