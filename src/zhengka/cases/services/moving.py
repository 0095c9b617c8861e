"""One step of a case, whatever its kind: what every step writes beside the state."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from zhengka.areas.models import Area
from zhengka.assessment import services as assessment
from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import book, fronts
from zhengka.cases.models import Case
from zhengka.cases.rules import ON_THE_LINE
from zhengka.core.events import lock, perform, sub
from zhengka.core.models import Event
from zhengka.formats.verdict import CHINA


def day(at: datetime) -> date:
    """The day in China on which a moment lies."""
    return at.astimezone(CHINA).date()


def part(asked: Asked, name: object) -> Asked:
    """The same request's part of that name: another row, or a second step of the same case."""
    return Asked(asked.by, sub(asked.request_id, name), asked.at)


@transaction.atomic
def move(case: Case, action: str, asked: Asked, also: dict[str, Any] | None = None, /, **facts: Any) -> Case:
    """Take a step of the case's own table, with the day by which the next one is due and the end, where it is one.
    Where another office goes on with it, it leaves the desk on which it lay.

    Raises `Replayed`, and `Refusal` as `perform` does and with what the guards of the policy say: `office-wrong`,
    `same-person`, `notice-running`.
    """
    (case,) = lock(case)
    target = next((step.target for step in case.table.steps if (step.source, step.action) == (case.state, action)), "")
    ended: dict[str, Any] = {"ended_at": asked.at} if target in case.table.final else {}
    if case.assignee and _goes_elsewhere(case, case.assignee.area, target):
        ended, facts = {"assignee_id": None}, {**facts, "from_officer": case.assignee.name}
    return perform(case, action, {"moved_at": asked.at, "due_on": due(case, target, asked.at), **ended, **(also or {})},
                   by=asked.by, request_id=asked.request_id, at=asked.at, **facts)


def _goes_elsewhere(case: Case, office: Area, target: str) -> bool:
    """True where the step that leads on from the state `target` is not for the office of the officer who has the case:
    a street checked it, and the county decides. Who decides there takes it on.
    """
    step = next((step for step in case.table.steps if step.source == target and step.action in ON_THE_LINE), None)
    takes = fronts.offices_of(case, step) if step and case.front_id else []
    return bool(takes) and not any(office.code <= each.code and each.last <= office.last for each in takes)


AWAY = ("approved", "rechecked")
"""States of a move that was decided at one office and waits for the other."""


def decided(case: Case) -> bool:
    """True where the last decision at a move's own office was taken, the city's second look among them."""
    return case.state in AWAY and all(
        step.action != "recheck" for step in case.table.steps if step.source == case.state)


def give_back_days(case: Case, reason: str, asked: Asked) -> None:
    """A case that has ended needs no day at an institution: its place is free for somebody else."""
    for booked in Appointment.objects.filter(case_id=case.pk, state="booked"):
        assessment.cancel(booked, reason=reason, **vars(part(asked, f"day {booked.pk}")))


def due(case: Case, state: str, since: datetime, begun: Mapping[int, datetime] | None = None) -> date | None:
    """The last day for the step that leads on from a state; None where the policy sets no limit. Of a span the days
    run on from where it began, whatever came between: `begun` tells it for many (`spans_begun`).
    """
    rule = book.limits(case.policy, case.kind_of_case, minor=case.minor).get(state)
    if rule and _span(case, state):
        if _carries(case, state):
            return case.due_on
        since = (spans_begun([(case, state)]) if begun is None else begun).get(case.pk, since)
    found = rule.due(day(since), book.calendar(case.area_id)) if rule else None
    return found.day if found else None


def spans_begun(going: Iterable[tuple[Case, str]]) -> dict[int, datetime]:
    """Of cases and the states to which they go: when the span began which such a state shares, by case; nothing of one
    that is in no span, or has the span's day already.
    """
    firsts = {case.pk: first for case, state in going if (first := _span(case, state)) and not _carries(case, state)}
    if not firsts:
        return {}
    came = Event.objects.filter(subject=Case.kind(), subject_id__in=firsts, target__in=set(firsts.values()))
    latest = came.exclude(source=F("target")).values_list("subject_id", "target").annotate(at=Max("at"))
    return {pk: at for pk, target, at in latest if firsts[pk] == target}


def _span(case: Case, state: str) -> str | None:
    return book.spans().get((case.policy, case.kind_of_case, case.minor, state))


def _carries(case: Case, state: str) -> bool:
    """True where a case has the day of the span to which this state belongs."""
    limits = book.limits(case.policy, case.kind_of_case, minor=case.minor)
    here = limits.get(case.state)
    return bool(case.due_on and here and here.since == limits[state].since)
