"""A death ends what else is open for the person (因死亡终止); reported wrongly, that goes on (恢复办理)."""

from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import assumed, book
from zhengka.cases.board import HANGING
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, due, give_back_days, move, part
from zhengka.cases.services.telling import tell
from zhengka.cases.workflow import STAYS_CLOSED, by_death, resumed, slot
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.events import lock, perform
from zhengka.core.models import Event
from zhengka.core.scope import seeing_all

GIVEN_BACK = "误报死亡时预约已取消"
"""Why a case that goes on has no day any more."""


class Ended(NamedTuple):
    """Cases that a death ended: those that can go on, and those that cannot, for another one of the kind is open."""

    resumed: list[Case]
    still_closed: list[Case]


def end_others(case: Case, asked: Asked) -> None:
    """What else is open for who has died ends, at whichever office, and a day that was booked is given back; who
    approves carries it out for the offices.
    """
    also = {"ended_at": asked.at, "moved_at": asked.at, "due_on": None}
    everywhere = replace(asked, by=_everywhere(asked.by, "assessment.plan"))
    with seeing_all(connection):
        for other in lock(*_of_person(case).filter(ended_at__isnull=True).exclude(pk=case.pk)):
            perform(other, by_death(other.state), also, reason="death", **vars(part(everywhere, f"case {other.pk}")))
            give_back_days(other, "death", everywhere)


def ended_with(case: Case) -> Ended:
    """What ended with the person of a case when their record was closed last, at whichever office."""
    with seeing_all(connection):
        died = Event.objects.filter(subject="holder", subject_id=case.holder_id or 0, action="close").order_by("pk")
        of_person = _of_person(case)
        taken = {slot(kind) for kind in of_person.filter(ended_at__isnull=True).values_list("kind_of_case", flat=True)}
        last = Event.objects.filter(subject="case", subject_id=OuterRef("pk"), version=OuterRef("version"),
                                    action="end_by_death", at=died.values("at").reverse()[:1])
        ended = list(of_person.filter(Exists(last), state="closed").order_by("pk"))
    return Ended([each for each in ended if slot(each.kind_of_case) not in taken],
                 [each for each in ended if slot(each.kind_of_case) in taken])


def resume_others(case: Case, asked: Asked) -> None:
    """What ended with the person goes on where it was, with its limits from today on; one that cannot says so."""
    everywhere = replace(asked, by=_everywhere(asked.by, "case.confirm"))
    with seeing_all(connection):
        onward, stay = ended_with(case)
        for other in lock(*onward):
            _resume(other, part(everywhere, f"resume {other.pk}"))
        for other in stay:
            perform(other, STAYS_CLOSED, reason="case-open", **vars(part(everywhere, f"stay {other.pk}")))


def _resume(case: Case, asked: Asked) -> None:
    state = Event.objects.get(subject="case", subject_id=case.pk, version=case.version).source
    also = {"ended_at": None, "moved_at": asked.at, "due_on": due(case, state, asked.at)}
    clocks, facts = _clocks(case, state, asked.at)
    case = perform(case, resumed(state), also | clocks, **facts, **vars(asked))
    waits = any((step.source, step.action) == (state, "call_off") for step in case.table.steps)
    if waits and not Appointment.objects.filter(case_id=case.pk, state="booked").exists():
        case = move(case, "call_off", part(asked, "call_off"), reason=GIVEN_BACK)
        tell(case, "call_off", part(asked, "told"), GIVEN_BACK)


def _clocks(case: Case, state: str, at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """The days of a case that goes on, and the facts of them: a notice hangs for its full days anew, for meanwhile it
    hung nowhere, and the clock of a move (art. 23) did not run.
    """
    calendar, today, new = book.calendar(case.area_id), day(at), {}
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if state in HANGING and notice is not None:
        last = notice.last_day(today, calendar)
        return {"notice_from": today, "notice_ends": last.day}, assumed.fact(last)
    stood = day(case.ended_at) if case.ended_at else today
    days = [(name, last) for name, last in (("freezes_on", case.freezes_on), ("lapses_on", case.lapses_on))
            if last is not None and last >= stood]
    if stood < today:
        new = {name: calendar.last_day(last, days=(today - stood).days) for name, last in days}
    return {name: last.day for name, last in new.items()}, assumed.fact(*new.values())


def _of_person(case: Case) -> "QuerySet[Case]":
    mine = Q(person_index=bytes(case.person_index))
    return Case.objects.filter(mine | Q(holder=case.holder_id) if case.holder_id else mine)


def _everywhere(by: Actor, *also: str) -> Actor:
    """Who decides, with the reach and the rights of the platform's own part of it."""
    lo, hi = WHOLE_NATION
    return replace(by, lo=lo, hi=hi, permissions=by.permissions | {"case.approve", *also})
