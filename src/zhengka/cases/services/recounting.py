"""Days are counted again once the calendar says something else (期限重算): the holidays of a year were published, or
changed, after a case's last day was counted.
"""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import connection, transaction

from zhengka.areas.calendars import Due
from zhengka.cases import assumed, book
from zhengka.cases.models import Case
from zhengka.cases.workflow import recounted
from zhengka.core.actors import SYSTEM
from zhengka.core.events import Many, perform_many

PLATFORM = UUID("3f0c53a2-5c2d-4d0a-9a53-0a7d7c3b9f44")
"""Name space of the platform's own requests."""
OPEN = """
FROM (SELECT c.id, c.area, c.policy, c.kind_of_case, c.minor, c.state, c.due_on,
             (coalesce(began.at, c.moved_at) AT TIME ZONE 'Asia/Shanghai')::date AS since
      FROM cases_case c
      LEFT JOIN unnest(%(policies)s::text[], %(kinds)s::text[], %(minors)s::boolean[], %(states)s::text[],
                       %(firsts)s::text[]) AS span (policy, kind, minor, state, first)
          ON (span.policy, span.kind, span.minor, span.state) = (c.policy, c.kind_of_case, c.minor, c.state)
      LEFT JOIN LATERAL (
          SELECT max(e.at) AS at FROM core_event e WHERE span.first IS NOT NULL
              AND e.subject = 'case' AND e.subject_id = c.id AND e.target = span.first AND e.source <> e.target
      ) began ON true
      WHERE c.ended_at IS NULL AND c.due_on IS NOT NULL) open
"""
"""Open cases with a last day, each since when it is counted: of a span since that began."""
ALIKE = f"SELECT DISTINCT area, policy, kind_of_case, minor, state, since, due_on {OPEN}"
THOSE = f"""
SELECT id {OPEN} WHERE area = %(area)s AND policy = %(policy)s AND kind_of_case = %(kind)s AND minor = %(minor)s
    AND state = %(state)s AND since = %(since)s AND due_on = %(due_on)s ORDER BY id
"""
CHUNK = 2000
"""Cases that are counted again in one transaction."""


class Alike(NamedTuple):
    """What open cases have in common whose last day is the same: office, policy, kind, state, and since when."""

    area: int
    policy: str
    kind: str
    minor: bool
    state: str
    since: date
    due_on: date

    @property
    def counted(self) -> Due | None:
        """The last day by the calendar as it is now; None where the policy sets no limit any more."""
        rule = book.limits(self.policy, self.kind, minor=self.minor).get(self.state)
        return rule.due(self.since, book.calendar(self.area)) if rule else None


def count_again(*, at: datetime) -> int:
    """Count the days of all open cases by the calendar as it is now; how many have another last day.

    The event names both days. A day may come earlier, too: where a weekend is worked, the limit of working days ends
    sooner for everybody. Costs offices and days, not cases; where the calendar says what it said, nothing is written.
    """
    with connection.cursor() as cursor:
        cursor.execute(ALIKE, _spans())
        every = [Alike(*row) for row in cursor.fetchall()]
    changed = [(alike, now) for alike in sorted(every) if (now := alike.counted) and now.day != alike.due_on]
    return sum(_count(alike, now, at) for alike, now in changed)


def _spans() -> dict[str, Any]:
    rows = [(*state, first) for state, first in book.spans().items()]
    names = ("policies", "kinds", "minors", "states", "firsts")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in names}


def _count(alike: Alike, now: Due, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(THOSE, _spans() | alike._asdict())
        ids = [row[0] for row in cursor.fetchall()]
    facts: dict[str, Any] = {"due": now.day.isoformat(), "due_before": alike.due_on.isoformat(), **assumed.fact(now)}
    done = 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            done += len(perform_many(
                Many(Case, ids[start:start + CHUNK], alike.state, facts, also=", due_on = %(due_on)s",
                     values={"due_on": now.day}, table=recounted(alike.state)),
                "count_again", by=SYSTEM, request_id=uuid5(PLATFORM, f"count again {at.isoformat()}"), at=at))
    return done
