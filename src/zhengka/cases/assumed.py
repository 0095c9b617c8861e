"""Days that were counted before the holidays of their year were published (节假日安排未公布): which years these are."""

from collections.abc import Mapping
from datetime import date, timedelta

from zhengka.areas.calendars import Calendar, Due
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.formats.verdict import CHINA


def fact(*days: Due) -> dict[str, list[int]]:
    """The fact of an event in which such days were counted; nothing where all lists are there."""
    years = sorted({year for one in days for year in one.assumed})
    return {"assumed": years} if years else {}


def of_case(case: Case) -> Mapping[str, tuple[int, ...]]:
    """Field of a case → the years whose list its day still waits for: `due_on`, `notice_ends`, `freezes_on`,
    `lapses_on`. Empty where a list is there by now.
    """
    calendar = book.calendar(case.area_id)
    counted = {"due_on": (case.moved_at.astimezone(CHINA).date(), case.due_on),
               "notice_ends": (case.notice_from, case.notice_ends)}
    return {field: of_span(calendar, *span) for field, span in counted.items()} | {
        field: calendar.assumed(last, last) if last else ()  # months: only where they end are holidays looked at
        for field, last in (("freezes_on", case.freezes_on), ("lapses_on", case.lapses_on))}


def of_span(calendar: Calendar, event: date | None, last: date | None) -> tuple[int, ...]:
    """The years without a list on which working days after an event depend; none where there is no such limit."""
    return calendar.assumed(event + timedelta(1), last) if event and last else ()
