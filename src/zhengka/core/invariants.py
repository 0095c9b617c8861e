"""What must never break (不变量), each as one statement that finds the rows in which it is broken.

The database holds most of it by constraints, which is why these statements find nothing; they are asked after a
restored backup, a fault, or a change by hand, when nobody knows any more what held at every moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection

from zhengka.core.models import Stateful

MOST: Final = 20
"""So many rows of one check are named."""


@dataclass(frozen=True)
class Check:
    """One promise: `number` of the invariant (I1 …), `name`, what holds, in both languages, and the statement that
    answers with one text for each row that breaks it.
    """

    number: str
    name: str
    holds: str
    holds_zh: str
    sql: str


@dataclass(frozen=True)
class Found:
    """What a check found: how many rows break it, and the first `MOST` of them in words."""

    check: Check
    broken: int
    rows: list[str]


def run(check: Check) -> Found:
    """Ask the database, within what the present scope sees."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) OVER (), what FROM ({check.sql}) found (what) ORDER BY what LIMIT {MOST}")
        rows = cursor.fetchall()
    return Found(check, int(rows[0][0]) if rows else 0, [str(what) for _, what in rows])


def of_rows() -> Sequence[Check]:
    """For each kind of row that moves by a workflow: its state is what its last event says."""
    return [_as_told(model) for model in apps.get_models() if issubclass(model, Stateful)]


def _as_told(model: type[Stateful]) -> Check:
    table, kind = model._meta.db_table, model.kind()
    return Check("I16", f"{kind}-as-told", f"The state of each {kind} is what its last event says",
                 f"{kind} 的状态与最后一条事件一致", f"""
        SELECT '{kind} ' || r.id || ': ' || r.state || ', told: ' || coalesce(e.target, 'nothing')
        FROM {table} r LEFT JOIN core_event e ON e.subject = '{kind}' AND e.subject_id = r.id AND e.version = r.version
        WHERE e.id IS NULL OR e.target <> r.state
        UNION ALL
        SELECT '{kind} ' || r.id || ': told more than ' || r.version FROM {table} r
        WHERE EXISTS (SELECT FROM core_event e WHERE e.subject = '{kind}' AND e.subject_id = r.id
                      AND e.version > r.version)""")


CHECKS: Final[tuple[Check, ...]] = (
    Check("I16", "events-in-a-chain", "Each event follows the one before it, none is missing, none is there twice",
          "事件前后相接，无缺无重", """
        SELECT subject || ' ' || subject_id || ': event ' || version || ' from ' || quote_literal(source) || ' after '
               || coalesce(quote_literal(before), 'nothing')
        FROM (SELECT subject, subject_id, version, source, lag(target) OVER each AS before,
                     lag(version) OVER each AS number
              FROM core_event WINDOW each AS (PARTITION BY subject, subject_id ORDER BY version)) told
        WHERE number IS NULL AND (version <> 1 OR source <> '') OR version <> number + 1 OR source <> before"""),
    Check("I17", "requests-once", "A request was carried out once", "同一请求只执行一次", """
        SELECT 'request ' || request_id FROM core_event WHERE request_id IS NOT NULL
        GROUP BY request_id HAVING count(*) > 1"""),
)
