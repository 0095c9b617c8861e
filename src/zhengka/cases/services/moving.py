"""One step of a case, whatever its kind: what every step writes beside the state."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from zhengka.bulk.services import Asked
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.core.events import lock, perform, sub
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

    Raises `Replayed`, and `Refusal` as `perform` does and with what the guards of the policy say: `office-wrong`,
    `same-person`, `notice-running`.
    """
    (case,) = lock(case)
    target = next((step.target for step in case.table.steps if (step.source, step.action) == (case.state, action)), "")
    ended = {"ended_at": asked.at} if target in case.table.final else {}
    return perform(case, action, {"moved_at": asked.at, "due_on": due(case, target, asked.at), **ended, **(also or {})},
                   by=asked.by, request_id=asked.request_id, at=asked.at, **facts)


def due(case: Case, state: str, since: datetime) -> date | None:
    """The last day for the step that leads on from a state; None where the policy sets no limit."""
    rule = book.limits(case.policy, case.kind_of_case, minor=case.minor).get(state)
    found = rule.due(day(since), book.calendar(case.area_id)) if rule else None
    return found.day if found else None
