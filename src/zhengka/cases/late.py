"""What is late (逾期): office by office from the counts, for who answers for an area, and the cases themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
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

WEEK: Final = timedelta(days=7)
"""How far ahead an office's next days are counted."""
BY_OFFICE: Final = f"""
SELECT area, sum(n), coalesce(sum(n) FILTER (WHERE day < %(today)s), 0),
       coalesce(sum(n) FILTER (WHERE day BETWEEN %(today)s AND %(week)s), 0), min(day)
FROM (SELECT area, day, sum(number) AS n FROM cases_tally
      WHERE NOT ended AND area BETWEEN %(lo)s AND %(hi)s AND day < %(never)s
      GROUP BY area, day HAVING sum(number) > 0
      UNION ALL ({queries.QUEUES})) queue
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
            "front": sorted(book.fronted("", actor.lo, actor.hi))}
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
    wanted = Wanted(STATES, front=book.fronted("", actor.lo, actor.hi))
    cases = queries.worklist(actor, wanted, after=after, limit=limit)
    return list(takewhile(lambda case: case.due_on is not None and case.due_on < on, cases))
