"""The one way in which a row changes its state, and its set-based twin for bulk work."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.models import Event, Stateful, province_of
from zhengka.core.workflow import Step, Workflow


class Placed(Protocol):
    """A stateful row that belongs to an issuing office."""

    area_id: int


Row = TypeVar("Row", bound=Stateful)


class Replayed(Exception):
    """The request was carried out before; `event` is what the first one did. Nothing was changed now."""

    def __init__(self, event: Event) -> None:
        """Keep the first one's event for the edge to show."""
        self.event = event
        super().__init__(f"request {event.request_id} was carried out before")


def sub(request_id: UUID, part: object) -> UUID:
    """The request id of one part of a larger request (a second row of a use case, one case of a bulk act).

    PostgreSQL computes the same by `md5(request_id::text || ':' || part)::uuid`.
    """
    return UUID(hashlib.md5(f"{request_id}:{part}".encode(), usedforsecurity=False).hexdigest())


def lock(*rows: Row) -> list[Row]:
    """Lock existing rows for the rest of the transaction, in one order for everybody, and return them fresh."""
    order = sorted(rows, key=lambda row: (row.kind(), row.pk))
    fresh = {(row.kind(), row.pk): type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
             for row in order}
    return [fresh[row.kind(), row.pk] for row in rows]


def replayed(request_id: UUID, kind: str, subject_id: int | None = None) -> Event | None:
    """The event of an earlier request with this id; `Refusal("request-id-reused")` where it was for another subject."""
    event = Event.objects.filter(request_id=request_id).first()
    if event and (event.subject != kind or subject_id not in (None, event.subject_id)):
        raise Refusal("request-id-reused")
    return event


def begin(row: Row, action: str, right: str = "", /, *, by: Actor, request_id: UUID, at: datetime | None = None,
          **facts: Any) -> Row:
    """Save a new row in its first state with the event of its beginning; raise `Replayed` for a repeat.

    The caller has checked the permission, for a table has no step into its initial state, and names it as `right`, so
    that the event tells of one that was lent.
    """
    if event := replayed(request_id, row.kind()):
        raise Replayed(event)
    row.state, row.version = row.table.initial, 1
    row.save(force_insert=True)
    _append(row, by, action=action, source="", request_id=request_id, at=at or timezone.now(),
            facts={**facts, **by.on_behalf(right)})
    return row


def perform(row: Row, action: str | Step, also: Mapping[str, Any] | None = None, /, *, by: Actor, request_id: UUID,
            at: datetime | None = None, **facts: Any) -> Row:
    """Take one step of the row's workflow, in the caller's transaction, and return the row as it is now.

    `action`: of the row's table, or a step of another table that is its own, too (`cases.workflow.desk`).
    `also`: fields that change with the state, so that a constraint over both holds at every moment.
    Locks the row; raises `Replayed` for a request that was carried out before, and `Refusal` with `not-found`
    (outside the actor's area), `step-not-open`, `not-permitted`, or what a guard of the step says.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("perform is called within a use case's transaction")
    (row,) = lock(row)
    if event := replayed(request_id, row.kind(), row.pk):
        raise Replayed(event)
    if not by.sees(*offices(row)):
        raise Refusal("not-found")
    step = action if isinstance(action, Step) else row.table.step(row.state, action)
    if row.state != step.source:
        raise Refusal("step-not-open", state=row.state, action=step.action)
    if not by.may(step.permission):
        raise Refusal("not-permitted", permission=step.permission)
    for guard in step.guards:
        guard(row, {"by": by, **facts})
    source, row.state = row.state, step.target
    row.version += 1
    for name, value in (also or {}).items():
        setattr(row, name, value)
    row.save(update_fields=["state", "version", *(also or ())])
    _append(row, by, action=step.action, source=source, request_id=request_id, at=at or timezone.now(),
            facts={**facts, **by.on_behalf(step.permission)})
    return row


def offices(row: Any) -> tuple[int, int | None]:
    """The 12-digit codes of the office to which a row belongs, and of the one that it is shared with, if any."""
    return int(row.area_id), getattr(row, "shared_with", None)


def _append(row: Stateful, by: Actor, **told: Any) -> None:
    area, shared_with = offices(row)
    Event.objects.create(
        province=province_of(area), area=area, shared_with=shared_with, subject=row.kind(), subject_id=row.pk,
        version=row.version, target=row.state, actor_id=by.id, actor_name=by.name, person=by.person, **told)


EVENTS = """
    INSERT INTO core_event (province, area, shared_with, subject, subject_id, version, action, source, target,
                            actor_id, actor_name, person, request_id, at, facts)
    SELECT province, area, shared_with, %(kind)s, id, version, %(action)s, %(source)s, %(target)s, %(actor)s,
           %(actor_name)s, %(person)s, md5(%(request_id)s || ':' || {part})::uuid, %(at)s, facts FROM {rows}
"""
"""SQL that writes an event for each of the rows that a statement began or moved."""
# The rows are asked for by their ids alone: with the state in the same condition the planner may read all rows that are
# in that state, a whole province for each chunk.
PERFORM_MANY = """
WITH asked AS (
    SELECT id, state, area{was} FROM {table} WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE
), moved AS (
    UPDATE {table} t SET state = %(target)s, version = t.version + 1{also} FROM asked
    WHERE t.id = asked.id AND asked.state = %(source)s
      AND (asked.area BETWEEN %(lo)s AND %(hi)s OR {shared} BETWEEN %(lo)s AND %(hi)s)
    RETURNING t.id, t.version, t.area, t.province, {shared} AS shared_with, %(facts)s::jsonb{told} AS facts
), told AS ({events})
SELECT id FROM moved ORDER BY id
"""
BEGIN_MANY = """
WITH {before}made AS ({insert}
    RETURNING id, version, area, province, {shared} AS shared_with{also}, %(facts)s::jsonb{told} AS facts
), told AS ({events})
{answer}
"""


@dataclass(frozen=True)
class Begun:
    """Rows of one kind that begin together: `insert` is the SQL that adds them, each in `state` and of version 1, with
    `values` as its parameters, which are its own and (`%(at)s`, `%(target)s`, `%(lo)s`, `%(hi)s`) those of the events.
    """

    model: type[Stateful]
    insert: str
    state: str
    values: Mapping[str, Any]
    before: str = field(default="", kw_only=True)
    """Parts of the statement that `insert` reads ("wanted AS (…), ")."""
    also: str = field(default="", kw_only=True)
    """Columns (", template") that `told`, `part` and `answer` may name."""
    told: str = field(default="", kw_only=True)
    """SQL of facts that differ from row to row."""
    part: str = field(default="id", kw_only=True)
    """SQL of the part of the request that a row is (`sub`)."""
    answer: str = field(default="SELECT id FROM made ORDER BY id", kw_only=True)
    """SQL of what is asked of the rows that were `made`."""


def begin_many(rows: Begun, action: str, right: str = "", /, *, by: Actor, request_id: UUID, at: datetime,
               **facts: Any) -> list[tuple[Any, ...]]:
    """Begin many rows by one statement, as `begin` does one: with the event of its beginning for each; the answer that
    `rows` ask for. The SQL itself leaves out what is there already, so a repeat begins nothing twice.
    """
    statement = BEGIN_MANY.format(
        before=rows.before, insert=rows.insert, shared="shared_with" if _shared(rows.model) else "NULL::bigint",
        also=rows.also, told=f" || {rows.told}" if rows.told else "", answer=rows.answer,
        events=EVENTS.format(part=rows.part, rows="made"))
    with connection.cursor() as cursor:
        cursor.execute(statement, _told(by, request_id, at) | {
            "kind": rows.model.kind(), "action": action, "source": "", "target": rows.state,
            "facts": json.dumps({**facts, **by.on_behalf(right)}), **rows.values})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _shared(model: type[Stateful]) -> bool:
    """True where another office may see a row, too."""
    return any(column.column == "shared_with" for column in model._meta.concrete_fields)


def _told(by: Actor, request_id: UUID, at: datetime) -> dict[str, Any]:
    """What each event of an act tells of who did it, and where they may."""
    return {"lo": by.lo, "hi": by.hi, "actor": by.id, "actor_name": by.name, "person": by.person,
            "request_id": str(request_id), "at": at}


@dataclass(frozen=True)
class Many:
    """Rows of one kind that take a step together: `ids` that are in state `source`; `facts` go into each event;
    `also` adds assignments (", moved_at = %(now)s") with `values` as its parameters; `table`: their
    steps, where rows of the model differ in them.
    """

    model: type[Stateful]
    ids: Sequence[int]
    source: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    told: str = field(default="", kw_only=True)
    """SQL of facts that differ from row to row (`jsonb_build_object('until', t.active_until)`), after the step."""
    was: str = field(default="", kw_only=True)
    """Columns (", issued_on") that `told` may name as they stood before the step (`asked.issued_on`)."""
    also: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    table: Workflow | None = None


@dataclass(frozen=True)
class Done:
    """What an act on many rows did: with how many, and how many were left alone, by the code of the reason."""

    moved: int = 0
    left: Mapping[str, int] = field(default_factory=dict)
    unwritten: Mapping[str, int] = field(default_factory=dict, kw_only=True)
    """Letters about those with which it was done that could not be written, by the code of the reason."""
    who: Mapping[int, str] = field(default_factory=dict, kw_only=True, compare=False)
    """Of those left alone the first ones, by their ids, with the code of the reason; of some acts nobody is named."""


def perform_many(rows: Many, action: str, *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """Take the same step for many rows by one statement, with one event each; return the ids that moved.

    Rows in another state or outside the actor's area are left alone (they are not in the answer), so a repeat moves
    nothing twice. Guards are not run: the calling service states them as conditions when it picks `ids`, and a test
    holds both ways side by side.
    """
    step = (rows.table or rows.model.workflow).step(rows.source, action)
    if not by.may(step.permission):
        raise Refusal("not-permitted", permission=step.permission)
    statement = PERFORM_MANY.format(table=rows.model._meta.db_table, also=rows.also, was=rows.was,
                                    shared="t.shared_with" if _shared(rows.model) else "NULL::bigint",
                                    told=f" || {rows.told}" if rows.told else "",
                                    events=EVENTS.format(part="id", rows="moved"))
    with connection.cursor() as cursor:
        cursor.execute(statement, _told(by, request_id, at) | {
            "ids": list(rows.ids), "source": rows.source, "target": step.target, "kind": rows.model.kind(),
            "action": action, "facts": json.dumps({**rows.facts, **by.on_behalf(step.permission)}), **rows.values})
        return [row[0] for row in cursor.fetchall()]
