"""What is late (逾期): office by office from the counts, for who answers for an area, and the cases themselves."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from django.db import connection

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.cases import book, queries
from zhengka.cases.models import NO_LIMIT, Case
from zhengka.cases.queries import Place, Wanted
from zhengka.cases.workflow import STATES
from zhengka.core.actors import Actor
from zhengka.formats.verdict import CHINA

WEEK: Final = timedelta(days=7)
"""How far ahead an office's next days are counted."""


@dataclass(frozen=True)
class Forecast:
    """An office's own pace against its days: open cases with a limit, those late now, those that will be late if the
    office goes on as in the last four weeks, and how many it ended a day.
    """

    limited: int
    late: int
    will_be_late: int
    pace: float


QUEUES = f"""
SELECT c.shared_with, c.due_on, count(*) FROM {queries.RECEIVED} AND c.ended_at IS NULL
    AND coalesce(c.due_on, '9999-12-31') < '9999-12-31' AND {queries.LINE_OF} = ANY(%(front)s) GROUP BY 1, 2
"""
PACES = f"SELECT c.shared_with, count(*) FROM {queries.RECEIVED} AND c.ended_at >= %(since)s GROUP BY 1"
"""Of cases received for others; the area's own are in the tally."""
WEEKS = timedelta(days=28)


def forecast(actor: Actor, *, at: datetime) -> Forecast:
    """How many cases will be late at the pace at which each office of the area has ended cases in four weeks."""
    today = at.astimezone(CHINA).date()
    told: dict[str, Any] = {"lo": actor.lo, "hi": actor.hi, "since": at - WEEKS,
                            "front": queries.written(book.waiting("", actor.lo, actor.hi).received)}
    pace: defaultdict[int, float] = defaultdict(float)
    with connection.cursor() as cursor:
        cursor.execute(PACES, told)
        lately = [*queries.tallied("area", actor, ended=True, day__gt=today - WEEKS), *cursor.fetchall()]
        cursor.execute(QUEUES, told)
        queues = [*queries.tallied("area day", actor, ended=False, day__lt=NO_LIMIT), *cursor.fetchall()]
    for area, number in lately:
        pace[area] += number / WEEKS.days
    ahead: Counter[int] = Counter()
    late = slow = 0
    for area, due, number in sorted(queues):
        done_by_then = pace[area] * ((due - today).days + 1)
        late += number if due < today else 0
        slow += number if due < today else min(number, max(0, int(ahead[area] + number - done_by_then)))
        ahead[area] += number
    return Forecast(sum(ahead.values()), late, slow, sum(pace.values()))


BY_OFFICE: Final = f"""
SELECT area, sum(n), coalesce(sum(n) FILTER (WHERE day < %(today)s), 0),
       coalesce(sum(n) FILTER (WHERE day BETWEEN %(today)s AND %(week)s), 0), min(day)
FROM (SELECT area, day, sum(number) AS n FROM cases_tally
      WHERE NOT ended AND area BETWEEN %(lo)s AND %(hi)s AND day < %(never)s
      GROUP BY area, day HAVING sum(number) > 0
      UNION ALL ({QUEUES})) queue
GROUP BY area ORDER BY 3 DESC, 5, area
"""
"""By office and day from the tally, so it costs days, not cases; what was received for others beside it."""


@dataclass(frozen=True)
class Standing:
    """An office against its days: open cases with a limit, those late, those whose last day is in the coming week, and
    by how many days the one that is latest is late (0: none is).
    """

    office: Area
    limited: int
    late: int
    soon: int
    longest: int


def by_office(actor: Actor, on: date) -> list[Standing]:
    """The offices of the actor's area that have open cases with a limit, those with the most late ones first."""
    told: dict[str, Any] = {"lo": actor.lo, "hi": actor.hi, "today": on, "week": on + WEEK, "never": NO_LIMIT,
            "front": queries.written(book.waiting("", actor.lo, actor.hi).received)}
    with connection.cursor() as cursor:
        cursor.execute(BY_OFFICE, told)
        rows: Sequence[tuple[int, int, int, int, date]] = cursor.fetchall()
    offices = Area.objects.in_bulk([row[0] for row in rows])
    return [Standing(offices[code], int(limited), int(late), int(soon), max((on - first).days, 0))
            for code, limited, late, soon, first in rows]


def listed(actor: Actor, on: date, *, office: int = 0, after: Place = Place(), limit: int = 50) -> list[Case]:
    """The late cases of the actor's area, or of one `office` in it (12-digit code), those first that are late longest.

    `Refusal("not-found")` for an office beyond the area.
    """
    if office:
        found = areas.area(office, actor=actor)
        actor = replace(actor, lo=found.code, hi=found.last)
    wanted = Wanted(STATES, received=book.waiting("", actor.lo, actor.hi).received)
    cases = queries.worklist(actor, wanted, after=after, limit=limit)
    return list(takewhile(lambda case: case.due_on is not None and case.due_on < on, cases))
