"""The notice board (公示栏): which public notices hang at an office on a day, and what each may show.

Nothing takes a notice down but its own last day: what does not hang on the day that is asked for is not found, whatever
became of the case, and a minor's case has no days (办法 art. 9(3)).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Count, Q, QuerySet

from zhengka.areas.calendars import Calendar
from zhengka.cases import assumed, book
from zhengka.cases.models import Case

HANGING = ("publicised", "objected")
"""States of a case whose notice hangs: an objection is answered while it stays up."""


@dataclass(frozen=True)
class Posted:
    """A notice: its case's key, its first and last day, and of the person what the policy lets it show.

    `name`, `category` (1 … 7) and `grade` (1 … 4) are empty or 0 where the policy does not show them; `assumed`: years
    whose holidays are not published yet, and without which the last day was counted.
    """

    pk: int
    first: date
    last: date
    name: str
    category: int
    grade: int
    assumed: tuple[int, ...] = ()


def posted(area: int, *, on: date, after: int = 0, limit: int = 50) -> list[Posted]:
    """The notices that hang at an issuing unit (12-digit code) on a day, by the keys of their cases from `after` on.

    Of an application away from home (跨省通办) it hangs where the person lives, not at the office that decides.
    """
    here = Q(front=area) | Q(area=area) & (Q(front__isnull=True) | Q(front__issuing=False))
    cases = _hanging(on).filter(here, pk__gt=after).order_by("pk")[:limit]
    calendars = {code: book.calendar(code) for code in {case.area_id for case in cases}}
    return [_posted(case, calendars[case.area_id]) for case in cases]


def offices(*, on: date) -> Mapping[int, int]:
    """How many notices hang on a day at each issuing unit (12-digit code) that has any."""
    where = models.Case(models.When(front__issuing=True, then="front"), default="area")
    hanging = _hanging(on).annotate(where=where).values_list("where")
    return dict(hanging.annotate(number=Count("pk")).order_by("where"))


def _hanging(on: date) -> "QuerySet[Case]":
    return Case.objects.filter(state__in=HANGING, ended_at__isnull=True, minor=False, notice_from__lte=on,
                               notice_ends__gte=on)


def _posted(case: Case, calendar: Calendar) -> Posted:
    notice = book.pinned(case.policy, case.kind_of_case).notice
    shown, found = notice.fields if notice else (), case.found or {}
    return Posted(case.pk, case.notice_from or date.min, case.notice_ends or date.min,
                  case.name if "name" in shown else "", found.get("category", 0) if "category" in shown else 0,
                  found.get("grade", 0) if "grade" in shown else 0,
                  assumed.of_span(calendar, case.notice_from, case.notice_ends))
