"""The exchange (换发) is opened for whole units: a case for every holder of a paper certificate, by one statement."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cases import book, queries
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day
from zhengka.cases.services.telling import invite
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Done, begin_many

GROUP = 2000
"""Holders that are looked at in one transaction."""

WANTED = """wanted AS MATERIALIZED (
    SELECT h.id, h.province, h.area, h.name, h.id_index, h.birth_date, c.id AS certificate
    FROM registry_holder h JOIN registry_certificate c ON c.holder_id = h.id AND c.generation = 2 AND c.state = 'valid'
    WHERE h.area BETWEEN %(lo)s AND %(hi)s AND h.state = 'registered' AND h.id > %(after)s
      AND NOT EXISTS (SELECT FROM cases_case o WHERE o.holder_id = h.id AND o.kind_of_case = 'exchange'
                                                 AND (o.ended_at IS NULL OR o.state = 'ordered'))
      AND NOT EXISTS (SELECT FROM registry_certificate n WHERE n.holder_id = h.id AND n.generation = 3
                                                           AND n.state = 'valid')
    ORDER BY h.id LIMIT %(most)s
), """
"""Holders of an area that have a paper certificate in force, none of the third generation, and no exchange that is open
or has ordered a card: one that was closed or refused, or found no disability, may be asked for again."""
OPEN_EXCHANGE = """
    INSERT INTO cases_case (id, province, area, state, version, kind_of_case, policy, minor, name, person_index,
                            holder_id, certificate_id, phase, reason, assessor_person, reviewer_person,
                            approver_person, opened_at, moved_at, due_on)
    SELECT province * 10000000000000 + nextval('cases_case_ids'), province, area, %(target)s, 1, 'exchange', %(policy)s,
           (birth_date + interval '18 years')::date >= %(today)s, name, id_index, id, certificate, %(phase)s,
           '', '', '', '', %(at)s, %(at)s, %(due)s::date
    FROM wanted
    ON CONFLICT DO NOTHING
"""


@transaction.atomic
def open_exchange(area: Area, phase: int, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """Open the exchange (换发) for every holder of an area: a case each, with its first event, and a letter that asks
    them to come; how many were opened.

    A holder is meant who has a valid second-generation certificate, none of the third, and no open exchange; so asking
    again opens cases for those who came since, and for those whose exchange came to nothing. Each unit goes by its own
    policy.

    `Refusal`: `not-permitted`, `not-found`, `kind-not-offered`.
    """
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    if not (by.sees(area.code) and by.sees(area.last)):
        raise Refusal("not-found")
    units = [area, *Area.objects.filter(issuing=True, code__gt=area.code, code__lte=area.last)]
    return sum(_open(unit, phase, Asked(by, request_id, at))[0].moved
               for unit in sorted(units, key=lambda unit: unit.last - unit.code))


def ask_exchange(units: Sequence[tuple[Area, int]], *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask for the opening of the exchange in several units, each in its phase, as `open_exchange` does it.

    `Refusal`: `not-permitted`, `not-found`; raises `Replayed` for a repeat.
    """
    if not units or not all(by.sees(unit.code) and by.sees(unit.last) for unit, _ in units):
        raise Refusal("not-found")
    area = units[0][0] if len(units) == 1 else areas.area(by.lo, actor=by)
    act = Act(area=area, task="cases.open_exchange", asked={"units": [(unit.code, phase) for unit, phase in units]},
              total=queries.candidates([unit for unit, _ in units], actor=by))
    return bulk.ask(act, "case.open", by=by, request_id=request_id, at=at)


def carry_out_exchange(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_exchange`: unit by unit, so many holders at a time."""
    def chunk(act: Act, asked: Asked) -> Group:
        number, after = act.place or (0, 0)
        units = act.asked["units"]
        unit, phase = units[number]
        done, last = _open(Area.objects.get(code=unit), phase, asked, after=after, most=GROUP)
        next_unit = (number + 1, 0) if number + 1 < len(units) else None
        return Group(done.moved, onward=next_unit if last is None else (number, last), unwritten=done.unwritten)
    return bulk.carry_out(act_id, chunk, clock=clock)


def _open(area: Area, phase: int, asked: Asked, *, after: int = 0, most: int | None = None) -> tuple[Done, int | None]:
    """Open cases for an area's holders behind the id `after`, at most so many, and invite them: how many were opened,
    which letters are missing, and the last holder that was looked at (None: none was left).
    """
    today = day(asked.at)
    policy, procedure = book.procedure_for("exchange", area.code, today)
    limit = procedure.limits().get(procedure.start)
    due = limit.due(today, book.calendar(area.code)) if limit else None
    rows = Begun(Case, OPEN_EXCHANGE, procedure.start, {
        "lo": area.code, "hi": area.last, "after": after, "most": most, "phase": phase, "policy": policy,
        "today": today, "due": due.day if due else None}, before=WANTED,
        answer="SELECT (SELECT array_agg(id ORDER BY id) FROM made), max(id) FROM wanted")
    ((opened, last),) = begin_many(rows, "open", "case.open", **vars(asked), phase=phase)
    ids, unwritten = opened or [], Counter[str]()
    for start in range(0, len(ids), GROUP):
        unwritten.update(invite(ids[start:start + GROUP], asked))
    return Done(len(ids), unwritten=unwritten), last
