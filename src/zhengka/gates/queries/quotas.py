"""Quotas and the gates that give by them: who shares one, by how much it could be exceeded, and where it was."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from zhengka.core.actors import Actor
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Device
from zhengka.formats.ring import Member
from zhengka.formats.rulebook import Rule
from zhengka.formats.verdict import CHINA
from zhengka.gates import quota
from zhengka.gates.models import Post
from zhengka.gates.queries.places import operators

DAY, MONTH = "day", "month"
MOST: Final = 100
"""So many overruns are told at a time, the largest first."""
_AT_WORK: Final = {"state": "standing", "gate__state": "active", "gate__sort": "gate", "gate__public__isnull": False}
_FOUND: Final = """
WITH quotas AS (
    SELECT * FROM unnest(%(operators)s::text[], %(rules)s::text[], %(days)s::int[], %(months)s::int[])
        AS q (operator, rule, of_day, of_month)),
given AS (
    SELECT DISTINCT q.*, v.subject, v.digest, v.gate_id, v.area,
           (v.at AT TIME ZONE 'Asia/Shanghai')::date AS day
    FROM quotas q JOIN gates_visit v ON v.operator = q.operator AND v.rule = q.rule
    WHERE v.statement_id IS NULL AND v.at >= %(since)s AND v.subject <> '' AND v.kind IN ('visit', 'issue')
      AND NOT EXISTS (SELECT FROM gates_voucher c
                      WHERE v.kind = 'issue' AND c.code = v.voucher AND c.state = 'cancelled')),
found AS (
    SELECT operator, rule, day, 'day' AS period, of_day AS quota, count(DISTINCT digest) AS uses,
           array_agg(DISTINCT gate_id) AS gates, bool_or(area BETWEEN %(lo)s AND %(hi)s) AS mine
    FROM given WHERE of_day > 0 GROUP BY operator, rule, subject, day, of_day
    UNION ALL
    SELECT operator, rule, max(day), 'month', of_month, count(DISTINCT digest), array_agg(DISTINCT gate_id),
           bool_or(area BETWEEN %(lo)s AND %(hi)s)
    FROM given WHERE of_month > 0 GROUP BY operator, rule, subject, of_month)
SELECT operator, rule, day, period, quota, uses, gates FROM found WHERE uses > quota AND mine
ORDER BY uses - quota DESC, day DESC, operator, rule, gates LIMIT %(most)s
"""
"""Uses counted as `used` counts them, of events that no statement has yet: those of a month that is not over."""


class QuotaBound(NamedTuple):
    """How often one person could be served beyond a rule's quota by the gates as they stand: `period` day or month,
    `limit` the quota, `gates` that serve the rule, of them `connected`, and at most `most` uses too many.
    """

    operator: str
    rule: str
    period: str
    limit: int
    gates: int
    connected: int
    most: int


@dataclass(frozen=True)
class Overrun:
    """A quota that was exceeded (超出限额), as the logs show it: on which day, or up to which in its month; how many
    uses of how many; at which gates. Whose uses they are is nobody's business here.
    """

    operator: str
    rule: str
    day: date
    period: str
    limit: int
    uses: int
    gates: tuple[str, ...]

    @property
    def too_many(self) -> int:
        """By how many uses."""
        return self.uses - self.limit


def gate_ring(operator: str) -> list[Member]:
    """The gates of an operator that are at work, among which its quotas are split."""
    rows = Post.objects.filter(operator=operator, **_AT_WORK).order_by("gate").values_list("gate", "venue", "services")
    return [Member(gate, venue, tuple(services)) for gate, venue, services in rows]


def quota_bounds(*, actor: Actor, at: datetime, connected_since: datetime) -> list[QuotaBound]:
    """For each rule with a quota of an operator in the actor's area: by how much it could be exceeded. Counted over all
    gates that serve it, those of other offices among them.
    """
    found, rings = [], _rings(actor)
    for operator, rule in _limited(list(rings), at):
        spoke = [seen is not None and seen >= connected_since
                 for member, seen in rings[operator] if member.serves(rule)]
        for period, limit in ((DAY, rule.day), (MONTH, rule.month)):
            if limit:
                most = quota.too_many(limit, len(spoke), len(spoke) - sum(spoke))
                found.append(QuotaBound(operator, rule.id, period, limit, len(spoke), sum(spoke), most))
    return found


def overruns(*, actor: Actor, at: datetime) -> list[Overrun]:
    """Quotas of this month that were exceeded, at gates of the actor's area at least in part; the largest first, at
    most `MOST`. They are seen as soon as the gates' logs are there.
    """
    limited = _limited(list(operators()), at)
    first = datetime.combine(at.astimezone(CHINA).date().replace(day=1), time(), CHINA)
    with transaction.atomic(), seeing_all(connection), connection.cursor() as cursor:
        cursor.execute(_FOUND, {
            "operators": [operator for operator, _ in limited], "rules": [rule.id for _, rule in limited],
            "days": [rule.day for _, rule in limited], "months": [rule.month for _, rule in limited],
            "since": first, "lo": actor.lo, "hi": actor.hi, "most": MOST})
        rows = cursor.fetchall()
        names = dict(Device.objects.filter(pk__in={gate for row in rows for gate in row[-1]}).values_list("pk", "name"))
    return [Overrun(operator, rule, day, period, limit, uses, tuple(names[gate] for gate in gates))
            for operator, rule, day, period, limit, uses, gates in rows]


def _rings(actor: Actor) -> dict[str, list[tuple[Member, datetime | None]]]:
    """Operator in the actor's area → its gates at work, with when each was last heard of."""
    mine = set(Post.objects.filter(state="standing", area__code__range=(actor.lo, actor.hi)).values_list(
        "operator", flat=True))
    found: defaultdict[str, list[tuple[Member, Any]]] = defaultdict(list)
    with transaction.atomic(), seeing_all(connection):
        for operator, gate, venue, services, seen in Post.objects.filter(operator__in=mine, **_AT_WORK).order_by(
                "operator", "gate").values_list("operator", "gate", "venue", "services", "gate__seen_at"):
            found[operator].append((Member(gate, venue, tuple(services)), seen))
    return dict(found)


def _limited(codes: Sequence[str], at: datetime) -> list[tuple[str, Rule]]:
    """The rules with a quota of these operators that are in force."""
    return list(_open(codes, at.astimezone(CHINA).date()))


def _open(codes: Sequence[str], day: date) -> Iterator[tuple[str, Rule]]:
    for code in codes:
        if code in operators():
            for rule in operators()[code].book.rules:
                if (rule.day or rule.month) and rule.first <= day and (rule.last is None or day <= rule.last):
                    yield code, rule
