"""What may be read about cases: what waits for whom, how many, and what may be done with one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from zhengka.accounts import queries as accounts
from zhengka.areas.models import Area
from zhengka.cases import book
from zhengka.cases.book import Line, Waiting
from zhengka.cases.models import Case, Tally, seen_by
from zhengka.cases.workflow import DUTIES, KINDS, STATES
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
    """Which open cases a list shows: those in these states, of this kind (empty: of every one); on these lines (None:
    on any), of the area's own and of those that were received for another office.
    """

    states: frozenset[str]
    kind: str = ""
    own: frozenset[Line] | None = None
    received: frozenset[Line] | None = None


def waiting_for(step: str, actor: Actor, kind: str = "") -> Wanted:
    """The cases that wait for a step which the actor's office takes."""
    found = book.waiting(step, actor.lo, actor.hi)
    return Wanted(frozenset(line.state for line in found.own | found.received), kind, found.own, found.received)


@dataclass(frozen=True)
class Place:
    """Where a page of a worklist begins: behind the case of this day and id."""

    due: date = date.min
    pk: int = 0


OWN = "(a.issuing OR a.code = %(lo)s) AND a.code BETWEEN %(lo)s AND %(hi)s"
"""The offices of an actor that may be a case's area or its front: issuing units, and the street that the actor is of.
Streets below an issuing unit need not be asked: what they receive is that unit's own."""
NEXT = "(coalesce(c.due_on, '9999-12-31'), c.id) > (%(due)s, %(pk)s) ORDER BY coalesce(c.due_on, '9999-12-31'), c.id"
LINE_OF = ("c.policy || ' ' || c.kind_of_case || ' ' || c.minor::int || ' ' || (c.shared_with IS NOT NULL)::int "
           "|| ' ' || c.state")
"""The line of a case, as `book.Line` is written."""
QUEUE = "area, policy, kind_of_case, minor, fronted, state"
OF_QUEUE = f"""
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.area = {{queue}}.area AND c.state = {{queue}}.state AND c.kind_of_case = {{queue}}.kind_of_case
      AND c.policy = {{queue}}.policy AND c.minor = {{queue}}.minor
      AND (c.shared_with IS NOT NULL) = {{queue}}.fronted AND c.ended_at IS NULL AND {NEXT} LIMIT {{limit}}"""
SOONEST = f"""
WITH queue AS (
    SELECT {QUEUE} FROM cases_tally
    WHERE NOT ended AND area BETWEEN %(lo)s AND %(hi)s AND state = ANY(%(states)s)
      AND (%(kind)s = '' OR kind_of_case = %(kind)s)
      AND (%(own)s::text[] IS NULL OR policy || ' ' || kind_of_case || ' ' || minor::int || ' ' || fronted::int
           || ' ' || state = ANY(%(own)s::text[]))
    GROUP BY {QUEUE} HAVING sum(number) > 0
), soon AS (
    SELECT queue.*, row_number() OVER (ORDER BY c.due, c.id) AS place
    FROM queue, LATERAL ({OF_QUEUE.format(queue="queue", limit=1)}) c ORDER BY place LIMIT %(limit)s
)
SELECT c.id, c.due FROM soon, LATERAL ({OF_QUEUE.format(queue="soon", limit="1 + %(limit)s - soon.place")}) c
UNION SELECT c.id, c.due FROM areas_area a, LATERAL (
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.shared_with = a.code AND c.area NOT BETWEEN %(lo)s AND %(hi)s AND c.ended_at IS NULL
      AND c.state = ANY(%(states)s) AND (%(kind)s = '' OR c.kind_of_case = %(kind)s)
      AND (%(received)s::text[] IS NULL OR {LINE_OF} = ANY(%(received)s::text[])) AND {NEXT} LIMIT %(limit)s) c
WHERE %(lo)s > 0 AND {OWN} ORDER BY due, id LIMIT %(limit)s
"""
"""A queue is what waits on one line at one office. All of a page lies in the queues whose first cases
come soonest, no more of them than the page has lines: the first may fill it, the second all but one line of it, and so
on. They are read from the index, so a page costs queues, not cases. What was received for others is read by office."""


def worklist(actor: Actor, wanted: Wanted, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """Open cases of the actor's area, or received there, those first that will be late first, then the oldest."""
    return _in_order(SOONEST, {"states": sorted(wanted.states), "kind": wanted.kind, "own": written(wanted.own),
                               "received": written(wanted.received), "due": after.due, "pk": after.pk, "lo": actor.lo,
                               "hi": actor.hi, "limit": limit})


def written(lines: frozenset[Line] | None) -> list[str] | None:
    """Lines as a statement compares them."""
    return None if lines is None else sorted(map(str, lines))


@dataclass(frozen=True)
class Desk:
    """Open cases of these officers (row ids): on these lines, or (`but`) on any other; None: all of them."""

    officers: tuple[int, ...]
    lines: Waiting | None = None
    but: bool = False


def mine(actor: Actor, on: date) -> Desk:
    """What lies on the actor's desk: cases of theirs, and of those for whom they stand in on a day (代班), for which a
    step of the actor's is the next.
    """
    return Desk((actor.id or 0, *accounts.covered(actor, on)), _own_lines(actor))


def with_others(actor: Actor) -> Desk:
    """The actor's own cases that wait for somebody else: another role or office, a doctor, or the end of a notice."""
    return Desk((actor.id or 0,), _own_lines(actor), but=True)


def _own_lines(actor: Actor) -> Waiting:
    """Where a case waits for a step that the actor's permissions include, and the office takes."""
    return reduce(or_, (book.waiting(action, actor.lo, actor.hi) for action, permission in DUTIES.items()
                        if actor.may(permission)), Waiting(frozenset(), frozenset()))


LIES_THERE = f"""
    (%(own)s::text[] IS NULL OR ({LINE_OF} = ANY(CASE WHEN c.area BETWEEN %(lo)s AND %(hi)s THEN %(own)s::text[]
                                                      ELSE %(received)s::text[] END)) <> %(but)s)"""
ON_DESKS = f"""
SELECT c.id FROM unnest(%(officers)s::bigint[]) o (id), unnest(%(states)s::text[]) s (state), LATERAL (
    SELECT c.id, coalesce(c.due_on, '9999-12-31') AS due FROM cases_case c
    WHERE c.assignee_id = o.id AND c.state = s.state AND c.ended_at IS NULL AND {LIES_THERE}
      AND (c.area BETWEEN %(lo)s AND %(hi)s OR c.shared_with BETWEEN %(lo)s AND %(hi)s)
      AND (coalesce(c.due_on, '9999-12-31'), c.id) > (%(due)s, %(pk)s)
    ORDER BY coalesce(c.due_on, '9999-12-31'), c.id LIMIT %(limit)s) c
ORDER BY c.due, c.id LIMIT %(limit)s
"""
"""Officer by officer and state by state from the index, then the soonest of all: a full desk costs no more."""
HOW_MANY = f"""
SELECT count(*) FROM cases_case c WHERE c.assignee_id = ANY(%(officers)s) AND c.ended_at IS NULL AND {LIES_THERE}
  AND (c.area BETWEEN %(lo)s AND %(hi)s OR c.shared_with BETWEEN %(lo)s AND %(hi)s)
"""


def on_desks(actor: Actor, desk: Desk, *, after: Place = Place(), limit: int = 50) -> list[Case]:
    """The cases of a desk, those first that will be late first, then the oldest."""
    return _in_order(ON_DESKS, _of_desk(actor, desk) | {
        "states": _states_of(desk), "due": after.due, "pk": after.pk, "limit": limit})


def number_on_desks(actor: Actor, desk: Desk) -> int:
    """How many cases lie on a desk."""
    with connection.cursor() as cursor:
        cursor.execute(HOW_MANY, _of_desk(actor, desk))
        number: int = cursor.fetchone()[0]
    return number


def _of_desk(actor: Actor, desk: Desk) -> dict[str, Any]:
    lines = desk.lines
    return {"officers": list(desk.officers), "lo": actor.lo, "hi": actor.hi, "but": desk.but,
            "own": written(lines.own) if lines else None, "received": written(lines.received) if lines else None}


def _states_of(desk: Desk) -> list[str]:
    """The states in which a case may lie there."""
    if desk.lines is None or desk.but:
        return sorted(STATES)
    return sorted({line.state for line in desk.lines.own | desk.lines.received})


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
    found: Counter[str] = Counter()
    for line, number in (*own.items(), *received.items()):
        found[line.state] += number
    return dict(found)


LINES_RECEIVED = f"""
SELECT c.policy, c.kind_of_case, c.minor, true, c.state, count(*) FROM {RECEIVED} AND c.ended_at IS NULL
GROUP BY 1, 2, 3, 5"""


def _open_counts(actor: Actor) -> tuple[Counter[Line], Counter[Line]]:
    """Line → number, of the area's own cases and of those received for others."""
    told = tallied("policy kind_of_case minor fronted state", actor, ended=False)
    with connection.cursor() as cursor:
        cursor.execute(LINES_RECEIVED, {"lo": actor.lo, "hi": actor.hi})
        received = cursor.fetchall()
    own, others = (Counter({Line(*line): number for *line, number in rows}) for rows in (told, received))
    return own, others


def duties(actor: Actor) -> dict[str, int]:
    """What waits for this officer: step → number of open cases, in the order of the line."""
    counts = _open_counts(actor)
    waits = {action: book.waiting(action, actor.lo, actor.hi) for action, permission in DUTIES.items()
             if actor.may(permission)}
    return {action: sum(number for counted, lines in zip(counts, (there.own, there.received), strict=True)
                        for line, number in counted.items() if line in lines)
            for action, there in waits.items()}


def named(ids: Iterable[int], *, actor: Actor) -> list[Case]:
    """Those of some cases that the actor sees, in the order of their ids, with what a line of a list shows."""
    return list(Case.objects.filter(seen_by(actor), pk__in=list(ids)).order_by("pk"))


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


BY_RECORD = """
SELECT area, state, count(*) FROM (
    SELECT DISTINCT ON (h.id) h.area, c.state FROM registry_holder h JOIN cases_case c ON c.holder_id = h.id
    WHERE h.area BETWEEN %(lo)s AND %(hi)s AND c.kind_of_case = ANY(%(kinds)s)
    ORDER BY h.id, c.state IN ('approved', 'ordered') DESC, c.id DESC) furthest
GROUP BY area, state ORDER BY area, state
"""


def by_record(actor: Actor) -> dict[int, dict[str, int]]:
    """The holders of the area who have a case that leads to a card, by the office that has their record now, wherever
    the case was opened: 12-digit code → state of the one that came furthest → number. Each holder counts once, and
    where the record and the card count, too.
    """
    kinds = [name for name, kind in KINDS.items() if "card" in kind.stages]
    with connection.cursor() as cursor:
        cursor.execute(BY_RECORD, {"lo": actor.lo, "hi": actor.hi, "kinds": kinds})
        rows = cursor.fetchall()
    result: dict[int, dict[str, int]] = {}
    for area, state, number in rows:
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


def tallied(names: str, actor: Actor, **where: Any) -> list[tuple[Any, ...]]:
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
