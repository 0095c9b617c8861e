"""What may be read about cases: what waits for whom, how many, and what may be done with one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from zhengka.accounts import queries as accounts
from zhengka.areas.models import Area
from zhengka.cases import book
from zhengka.cases.models import NO_LIMIT, Case, Tally, seen_by
from zhengka.cases.workflow import DUTIES, STATES
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step
from zhengka.formats.verdict import CHINA
from zhengka.letters.models import Unwritten
from zhengka.letters.rules import INVITATION
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
NEXT = "(coalesce(c.due_on, '9999-12-31'), c.id) > (%(due)s, %(pk)s) ORDER BY coalesce(c.due_on, '9999-12-31'), c.id"
OF_QUEUE = f"""
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.area = {{queue}}.area AND c.state = {{queue}}.state AND c.kind_of_case = {{queue}}.kind_of_case
      AND c.ended_at IS NULL AND {NEXT} LIMIT {{limit}}"""
SOONEST = f"""
WITH queue AS (
    SELECT area, state, kind_of_case FROM cases_tally
    WHERE NOT ended AND area BETWEEN %(lo)s AND %(hi)s AND state = ANY(%(states)s)
      AND (%(kind)s = '' OR kind_of_case = %(kind)s)
    GROUP BY area, state, kind_of_case HAVING sum(number) > 0
), soon AS (
    SELECT queue.*, row_number() OVER (ORDER BY c.due, c.id) AS place
    FROM queue, LATERAL ({OF_QUEUE.format(queue="queue", limit=1)}) c ORDER BY place LIMIT %(limit)s
)
SELECT c.id, c.due FROM soon, LATERAL ({OF_QUEUE.format(queue="soon", limit="1 + %(limit)s - soon.place")}) c
UNION SELECT c.id, c.due FROM areas_area a, LATERAL (
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.shared_with = a.code AND c.ended_at IS NULL AND c.state = ANY(%(front)s)
      AND (%(kind)s = '' OR c.kind_of_case = %(kind)s) AND {NEXT} LIMIT %(limit)s) c
WHERE {OWN} ORDER BY due, id LIMIT %(limit)s
"""
"""A queue is what waits in one state at one office, of one kind. All of a page lies in the queues whose first cases
come soonest, no more of them than the page has lines: the first may fill it, the second all but one line of it, and so
on. They are read from the index, so a page costs queues, not cases. What was received for others is read by office."""


def worklist(actor: Actor, wanted: Wanted, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """Open cases of the actor's area, or received there, those first that will be late first, then the oldest."""
    front = wanted.states if wanted.front is None else wanted.front
    return _in_order(SOONEST, {"states": sorted(wanted.states), "front": sorted(front), "kind": wanted.kind,
                               "due": after.due, "pk": after.pk, "lo": actor.lo, "hi": actor.hi, "limit": limit})


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


def on_desks(actor: Actor, desk: Desk, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """The cases of a desk, those first that will be late first, then the oldest."""
    return _in_order(ON_DESKS, {"officers": list(desk.officers), "states": sorted(desk.states), "lo": actor.lo,
                                "hi": actor.hi, "due": after.due, "pk": after.pk, "limit": limit})


def number_on_desks(actor: Actor, desk: Desk) -> int:
    """How many cases lie on a desk."""
    return Case.objects.filter(seen_by(actor), assignee_id__in=desk.officers, state__in=desk.states,
                               ended_at__isnull=True).count()


LATEST = f"""
SELECT DISTINCT c.id, c.ended_at FROM areas_area a, LATERAL (
    (SELECT id, ended_at FROM cases_case WHERE area = a.code AND ended_at IS NOT NULL
     ORDER BY ended_at DESC LIMIT %(limit)s)
    UNION ALL (SELECT id, ended_at FROM cases_case WHERE shared_with = a.code AND ended_at IS NOT NULL
     ORDER BY ended_at DESC LIMIT %(limit)s)) c
WHERE {OWN} ORDER BY c.ended_at DESC, c.id DESC LIMIT %(limit)s
"""


def ended(actor: Actor, *, limit: int = 50) -> list[Case]:
    """The cases of the actor's area, or received there, that ended last."""
    return _in_order(LATEST, {"lo": actor.lo, "hi": actor.hi, "limit": limit})


RECEIVED = f"""areas_area a JOIN cases_case c ON c.shared_with = a.code AND c.area NOT BETWEEN %(lo)s AND %(hi)s
WHERE %(lo)s > 0 AND {OWN}"""
"""Cases that the actor's offices received for others: few, and none of the nation's own office, which has them all."""


def open_counts(actor: Actor) -> dict[str, int]:
    """How many open cases of the actor's area, or received there, are in each state where there are any."""
    own, received = _open_counts(actor)
    return dict(own + received)


def _open_counts(actor: Actor) -> tuple[Counter[str], Counter[str]]:
    """State → number, of the area's own cases and of those received for others."""
    own = Counter(dict(_tallied("state", actor, ended=False)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.state, count(*) FROM {RECEIVED} AND c.ended_at IS NULL GROUP BY 1",
                       {"lo": actor.lo, "hi": actor.hi})
        return own, Counter(dict(cursor.fetchall()))


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
SELECT c.shared_with, c.due_on, count(*) FROM {RECEIVED} AND c.ended_at IS NULL
    AND coalesce(c.due_on, '9999-12-31') < '9999-12-31' AND c.state = ANY(%(front)s) GROUP BY 1, 2
"""
PACES = f"SELECT c.shared_with, count(*) FROM {RECEIVED} AND c.ended_at >= %(since)s GROUP BY 1"
"""Of cases received for others; the area's own are in the tally."""
WEEKS = timedelta(days=28)


def forecast(actor: Actor, *, at: datetime) -> Forecast:
    """How many cases will be late at the pace at which each office of the area has ended cases in four weeks."""
    today = at.astimezone(CHINA).date()
    told: dict[str, Any] = {"lo": actor.lo, "hi": actor.hi, "since": at - WEEKS,
                            "front": sorted(book.fronted("", actor.lo, actor.hi))}
    pace: defaultdict[int, float] = defaultdict(float)
    with connection.cursor() as cursor:
        cursor.execute(PACES, told)
        lately = [*_tallied("area", actor, ended=True, day__gt=today - WEEKS), *cursor.fetchall()]
        cursor.execute(QUEUES, told)
        queues = [*_tallied("area day", actor, ended=False, day__lt=NO_LIMIT), *cursor.fetchall()]
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
    running = Case.objects.filter(Q(ended_at__isnull=True) | Q(state="ordered"), holder=OuterRef("holder"),
                                  kind_of_case="exchange")
    new = Certificate.objects.filter(holder=OuterRef("holder"), generation=3, state="valid")
    return Certificate.objects.filter(
        within, generation=2, state="valid", holder__state="registered", area__code__range=(actor.lo, actor.hi),
    ).filter(~Exists(running), ~Exists(new)).count()


def waiting_to_come(cases: Sequence[int]) -> list[int]:
    """Those of these exchanges whose holder has not come yet, in the order of their keys."""
    found = Case.objects.filter(pk__in=cases, kind_of_case="exchange", state="notified", ended_at=None)
    return list(found.order_by("pk").values_list("pk", flat=True))


def uninvited(areas: Iterable[Area], *, actor: Actor, most: int | None = None) -> int:
    """How many holders of the areas wait for the exchange and were not asked to come: no phone, no address, a name
    that no letter can say, or opened without letters. What is missing is noted when it is opened, so that only these
    are counted, and not all that wait; `most`: no more are looked at than so many.
    """
    within = reduce(or_, (Q(area__range=(area.code, area.last)) for area in areas), Q(pk__in=[]))
    found = Unwritten.objects.filter(within, template=INVITATION, settled_at=None, area__range=(actor.lo, actor.hi))
    if most is not None:
        return len(set(found.values_list("subject_id", flat=True)[:most]))
    return found.values("subject_id").distinct().count()


def _tallied(names: str, actor: Actor, **where: Any) -> list[tuple[Any, ...]]:
    """How many cases of the actor's area there are with each value of these columns of the tally, where there are any:
    the values, then the number.
    """
    found = Tally.objects.filter(area__range=(actor.lo, actor.hi), **where).values_list(*names.split())
    return list(found.annotate(n=Sum("number")).filter(n__gt=0).order_by(*names.split()))


def _in_order(statement: str, told: dict[str, Any]) -> list[Case]:
    """The cases whose ids a statement finds, in its order, with what a line of a list shows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, told)
        ids = [row[0] for row in cursor.fetchall()]
    found = Case.objects.select_related("certificate", "area", "front", "assignee").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


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
