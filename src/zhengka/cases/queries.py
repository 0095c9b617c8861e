"""What may be read about cases: what waits for whom, how many, and what may be done with one."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import attrgetter, or_
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from zhengka.accounts import queries as accounts
from zhengka.areas.models import Area
from zhengka.cases import book, rules
from zhengka.cases.models import Case, seen_by
from zhengka.cases.services.opening import told
from zhengka.cases.workflow import DUTIES, STATES
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step
from zhengka.formats.verdict import CHINA
from zhengka.papers import queries as papers
from zhengka.papers.rules import CaseOf, Need
from zhengka.registry.models import Certificate


@dataclass(frozen=True)
class Choice:
    """A step out of a case's state, as seen by one officer: open, or closed for the reason `code`."""

    step: Step
    code: str = ""

    @property
    def is_open(self) -> bool:
        """True where the officer may take the step now."""
        return not self.code


def get(case_id: int, *, actor: Actor) -> Case:
    """A case of the actor's area, or received there, with holder, certificate, card and offices; of a case that was
    received elsewhere the front office gets no holder, certificate or card. `Refusal("not-found")`.
    """
    for case in _whole().filter(seen_by(actor), pk=case_id):
        return case
    raise Refusal("not-found")


def choices(case: Case, *, actor: Actor) -> list[Choice]:
    """Every step out of the case's state, with the reason where it is closed to this officer."""
    return [Choice(step, _closed(case, step, actor)) for step in case.table.steps if step.source == case.state]


@dataclass(frozen=True)
class Wanted:
    """Which open cases a list shows: those in these states, of this kind (empty: of every one); of those that the
    actor's office received for another, only such in the states `front` (None: the same).
    """

    states: frozenset[str]
    kind: str = ""
    front: frozenset[str] | None = None


def waiting_for(step: str, actor: Actor, kind: str = "") -> Wanted:
    """The cases that wait for a step, by the policies of the actor's area; of those received for another office, only
    where the front office takes it.
    """
    return Wanted(book.sources(step, actor.lo, actor.hi), kind, book.fronted(step, actor.lo, actor.hi))


@dataclass(frozen=True)
class Place:
    """Where a page of a worklist begins: behind the case of this day and id."""

    due: date = date.min
    pk: int = 0


OWN = "(a.issuing OR a.code = %(lo)s) AND a.code BETWEEN %(lo)s AND %(hi)s"
"""The offices of an actor that may be a case's area or its front: issuing units, and the street that the actor is of.
Streets below an issuing unit need not be asked: what they receive is that unit's own."""
OF_OFFICE = """
    (SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.{office} = a.code AND c.ended_at IS NULL AND c.state = ANY(%({states})s)
      AND (coalesce(c.due_on, '9999-12-31'), c.id) > (%(due)s, %(pk)s) AND (%(kind)s = '' OR c.kind_of_case = %(kind)s)
    ORDER BY coalesce(c.due_on, '9999-12-31'), c.id LIMIT %(limit)s)"""
SOONEST = f"""
SELECT DISTINCT c.due, c.id FROM areas_area a, LATERAL ({OF_OFFICE.format(office="area", states="states")}
    UNION ALL {OF_OFFICE.format(office="shared_with", states="front")}) c
WHERE {OWN} ORDER BY c.due, c.id LIMIT %(limit)s
"""
"""Office by office from two indexes, then the soonest of all: a page costs offices, not cases."""


def worklist(actor: Actor, wanted: Wanted, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """Open cases of the actor's area, or received there, those first that will be late first, then the oldest."""
    front = wanted.states if wanted.front is None else wanted.front
    with connection.cursor() as cursor:
        cursor.execute(SOONEST, {"states": sorted(wanted.states), "front": sorted(front), "kind": wanted.kind,
                                 "due": after.due, "pk": after.pk, "lo": actor.lo, "hi": actor.hi, "limit": limit})
        ids = [row[1] for row in cursor.fetchall()]
    return _in_order(ids)


@dataclass(frozen=True)
class Desk:
    """Open cases of these officers (row ids) that are in these states."""

    officers: tuple[int, ...]
    states: frozenset[str]


def mine(actor: Actor, on: date) -> Desk:
    """What lies on the actor's desk: cases of theirs, and of those for whom they stand in on a day (代班), for which a
    step of the actor's is the next.
    """
    return Desk((actor.id or 0, *accounts.covered(actor, on)), _own_states(actor))


def with_others(actor: Actor) -> Desk:
    """The actor's own cases that wait for somebody else: for another role, a doctor, or the end of a notice."""
    return Desk((actor.id or 0,), STATES - _own_states(actor))


def _own_states(actor: Actor) -> frozenset[str]:
    """States for which a case waits for a step that the actor's permissions include."""
    return frozenset().union(*(book.sources(action, actor.lo, actor.hi) for action, permission in DUTIES.items()
                               if actor.may(permission)))


ON_DESKS = """
SELECT c.id FROM unnest(%(officers)s::bigint[]) o (id), unnest(%(states)s::text[]) s (state), LATERAL (
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.assignee_id = o.id AND c.state = s.state AND c.ended_at IS NULL
      AND (c.area BETWEEN %(lo)s AND %(hi)s OR c.shared_with BETWEEN %(lo)s AND %(hi)s)
      AND (coalesce(c.due_on, '9999-12-31'), c.id) > (%(due)s, %(pk)s)
    ORDER BY coalesce(c.due_on, '9999-12-31'), c.id LIMIT %(limit)s) c
ORDER BY c.due, c.id LIMIT %(limit)s
"""
"""Officer by officer and state by state from the index, then the soonest of all: a full desk costs no more."""
HOW_MANY = """
SELECT count(*) FROM (
    SELECT FROM cases_case c WHERE c.assignee_id = ANY(%(officers)s) AND c.state = ANY(%(states)s)
       AND c.ended_at IS NULL
       AND (c.area BETWEEN %(lo)s AND %(hi)s OR c.shared_with BETWEEN %(lo)s AND %(hi)s) LIMIT %(limit)s) one
"""


def on_desks(actor: Actor, desk: Desk, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """The cases of a desk, those first that will be late first, then the oldest."""
    with connection.cursor() as cursor:
        cursor.execute(ON_DESKS, _desk(actor, desk, limit) | {"due": after.due, "pk": after.pk})
        return _in_order([row[0] for row in cursor.fetchall()])


def number_on_desks(actor: Actor, desk: Desk) -> int:
    """How many cases lie on a desk, `MANY` standing for more."""
    with connection.cursor() as cursor:
        cursor.execute(HOW_MANY, _desk(actor, desk, MANY))
        return int(cursor.fetchone()[0])


def _desk(actor: Actor, desk: Desk, limit: int) -> dict[str, Any]:
    return {"officers": list(desk.officers), "states": sorted(desk.states), "lo": actor.lo, "hi": actor.hi,
            "limit": limit}


def _in_order(ids: list[int]) -> list[Case]:
    found = {case.pk: case for case in _whole().filter(pk__in=ids)}
    return [found[pk] for pk in ids if pk in found]


def ended(actor: Actor, *, limit: int = 50) -> list[Case]:
    """The cases of the actor's area, or received there, that ended last."""
    with connection.cursor() as cursor:
        cursor.execute(FRONT_ENDED, {"lo": actor.lo, "hi": actor.hi, "limit": limit})
        received = _whole().filter(pk__in=[row[0] for row in cursor.fetchall()])
    own = _whole().filter(ended_at__isnull=False, area__code__range=(actor.lo, actor.hi)).order_by("-ended_at")[:limit]
    found = {case.pk: case for case in (*own, *received)}
    return sorted(found.values(), key=attrgetter("ended_at"), reverse=True)[:limit]


FRONT_ENDED = f"""
SELECT c.id FROM areas_area a, LATERAL (
    SELECT c.id, c.ended_at FROM cases_case c WHERE c.shared_with = a.code AND c.ended_at IS NOT NULL
    ORDER BY c.ended_at DESC LIMIT %(limit)s) c
WHERE {OWN} ORDER BY c.ended_at DESC LIMIT %(limit)s
"""


MANY = 10_000
"""Open cases of a state are counted up to so many: nobody reads on from there, and a page costs no more."""
RECEIVED = f"""areas_area a JOIN cases_case c ON c.shared_with = a.code AND c.area NOT BETWEEN %(lo)s AND %(hi)s
WHERE %(lo)s > 0 AND {OWN}"""
"""Cases that the actor's offices received for others: few, and none of the nation's own office, which has them all."""
OPEN = f"""
SELECT false, s.state, (SELECT count(*) FROM (
    SELECT FROM cases_case c WHERE c.state = s.state AND c.ended_at IS NULL AND c.area BETWEEN %(lo)s AND %(hi)s
    LIMIT %(many)s) one)
FROM unnest(%(states)s::text[]) s (state)
UNION ALL SELECT true, state, count(*) FROM (
    SELECT c.state FROM {RECEIVED} AND c.ended_at IS NULL LIMIT %(many)s) one GROUP BY state
"""


def open_counts(actor: Actor) -> dict[str, int]:
    """How many open cases of the actor's area, or received there, are in each state where there are any, `MANY`
    standing for more.
    """
    own, received = _open_counts(actor)
    return dict(own + received)


def _open_counts(actor: Actor) -> tuple[Counter[str], Counter[str]]:
    """State → number, of the area's own cases and of those received for others."""
    found: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"lo": actor.lo, "hi": actor.hi, "many": MANY, "states": sorted(STATES)})
        for received, state, number in cursor.fetchall():
            found[received][state] = number
    return found


def duties(actor: Actor) -> dict[str, int]:
    """What waits for this officer: step → number of open cases, in the order of the line."""
    own, received = _open_counts(actor)
    return {action: sum(own[state] for state in book.sources(action, actor.lo, actor.hi))
            + sum(received[state] for state in book.fronted(action, actor.lo, actor.hi))
            for action, permission in DUTIES.items() if actor.may(permission)}


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
SELECT area, due_on, count(*) FROM cases_case
WHERE ended_at IS NULL AND coalesce(due_on, '9999-12-31') < '9999-12-31' AND area BETWEEN %(lo)s AND %(hi)s
GROUP BY area, due_on
UNION ALL SELECT c.shared_with, c.due_on, count(*) FROM {RECEIVED} AND c.ended_at IS NULL
    AND coalesce(c.due_on, '9999-12-31') < '9999-12-31' AND c.state = ANY(%(front)s) GROUP BY 1, 2
ORDER BY 1, 2
"""
PACES = f"""
SELECT area, count(*) FROM cases_case WHERE ended_at >= %(since)s AND area BETWEEN %(lo)s AND %(hi)s GROUP BY area
UNION ALL SELECT c.shared_with, count(*) FROM {RECEIVED} AND c.ended_at >= %(since)s GROUP BY 1
"""
WEEKS = timedelta(days=28)


def forecast(actor: Actor, *, at: datetime) -> Forecast:
    """How many cases will be late at the pace at which each office of the area has ended cases in four weeks."""
    today = at.astimezone(CHINA).date()
    told: dict[str, Any] = {"lo": actor.lo, "hi": actor.hi, "since": at - WEEKS,
                            "front": sorted(book.fronted("", actor.lo, actor.hi))}
    pace: defaultdict[int, float] = defaultdict(float)
    with connection.cursor() as cursor:
        cursor.execute(PACES, told)
        for area, number in cursor.fetchall():
            pace[area] += number / WEEKS.days
        cursor.execute(QUEUES, told)
        queues = cursor.fetchall()
    ahead: Counter[int] = Counter()
    late = slow = 0
    for area, due, number in queues:
        done_by_then = pace[area] * ((due - today).days + 1)
        late += number if due < today else 0
        slow += number if due < today else min(number, max(0, int(ahead[area] + number - done_by_then)))
        ahead[area] += number
    return Forecast(sum(ahead.values()), late, slow, sum(pace.values()))


def papers_needed(case: Case) -> list[Need]:
    """The papers that a case's kind needs where it is; none where no file speaks of the kind."""
    categories = {case.certificate.category, *(part[0] for part in case.certificate.components)} if (
        case.certificate) else {wanted} if (wanted := told(case).get("wanted")) else set()
    try:
        return papers.required(CaseOf(case.kind_of_case, case.area_id, timezone.localdate(case.opened_at),
                                      minor=case.minor, categories=frozenset(categories), reason=case.reason,
                                      route=rules.route_of(case.area_id, case.front_id)))
    except Refusal:
        return []


def of_holder(holder_id: int) -> QuerySet[Case]:
    """All cases of a holder, the newest first."""
    return Case.objects.filter(holder_id=holder_id).order_by("-opened_at", "-pk")


def counts(actor: Actor, kind: str = "exchange") -> dict[str, int]:
    """How many cases of a kind, open and ended, are in each state in the actor's area."""
    found = Case.objects.filter(kind_of_case=kind, area__code__range=(actor.lo, actor.hi)).values_list("state")
    return dict(found.annotate(n=Count("pk")).order_by("state"))


def counts_by_area(actor: Actor) -> dict[int, dict[str, int]]:
    """The exchanges of each issuing office of the area: 12-digit code → state → number."""
    found = Case.objects.filter(kind_of_case="exchange", area__code__range=(actor.lo, actor.hi)).values_list(
        "area", "state")
    result: dict[int, dict[str, int]] = {}
    for area, state, number in found.annotate(n=Count("pk")).order_by("area", "state"):
        result.setdefault(area, {})[state] = number
    return result


ENDED = "ended"


def of_life(actor: Actor) -> Counter[str]:
    """Cases of every kind but the exchange: how many have ended, and how many of the open ones are in each state."""
    found = Case.objects.exclude(kind_of_case="exchange").filter(area__code__range=(actor.lo, actor.hi))
    told: Counter[str] = Counter()
    for state, ended_, number in found.annotate(e=Q(ended_at__isnull=False)).values_list("state", "e").annotate(
            n=Count("pk")).order_by("state"):
        told[ENDED if ended_ else state] += number
    return told


INSTEAD = """
SELECT kind, count(*) FROM (
    SELECT DISTINCT ON (h.id) h.id, c.kind_of_case AS kind FROM cases_case c
    JOIN registry_holder h ON h.id = c.holder_id AND h.source_id IS NOT NULL AND h.area BETWEEN %s AND %s
    WHERE c.kind_of_case <> 'exchange' AND NOT EXISTS (
        SELECT FROM cases_case x WHERE x.holder_id = h.id AND x.kind_of_case = 'exchange')
    ORDER BY h.id, c.id) instead
GROUP BY kind ORDER BY kind
"""


def instead_of_exchange(actor: Actor) -> Counter[str]:
    """Imported persons who need no exchange because of a case of another kind, by that kind."""
    with connection.cursor() as cursor:
        cursor.execute(INSTEAD, [actor.lo, actor.hi])
        return Counter(dict(cursor.fetchall()))


def candidates(areas: Iterable[Area], *, actor: Actor) -> int:
    """For how many holders of the areas `services.open_exchange` would open a case now."""
    within = reduce(or_, (Q(area__code__range=(area.code, area.last)) for area in areas), Q(pk__in=[]))
    running = Case.objects.filter(holder=OuterRef("holder"), kind_of_case="exchange").exclude(state="closed")
    new = Certificate.objects.filter(holder=OuterRef("holder"), generation=3, state="valid")
    return Certificate.objects.filter(
        within, generation=2, state="valid", holder__state="registered", area__code__range=(actor.lo, actor.hi),
    ).filter(~Exists(running), ~Exists(new)).count()


def _whole() -> QuerySet[Case]:
    return Case.objects.select_related("holder", "certificate", "card", "area", "front", "assignee",
                                       "counterpart__area", "counterpart_of__area")


def _closed(case: Case, step: Step, actor: Actor) -> str:
    if not actor.may(step.permission):
        return "not-permitted"
    try:
        for guard in step.guards:
            guard(case, {"by": actor, "on": timezone.now().astimezone(CHINA).date().isoformat()})
    except Refusal as refused:
        return refused.code
    return ""
