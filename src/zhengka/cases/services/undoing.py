"""A wrong report is undone at once (误报撤销), with everything back-dated."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.effects import EFFECTS
from zhengka.cases.services.moving import part
from zhengka.cases.workflow import UNDO
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.models import Event

WRONG: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("freeze", "death-reported"): ("freeze", "frozen", "unfreeze"),
    ("cancellation", "death"): ("cancel", "cancelled", "restoration")}
"""Kind and reason of a report → what it did to the certificate, the state in which that is now, what undoes it."""


def may_undo(case: Case) -> bool:
    """True where a report of a death was believed, and the certificate is still as that left it."""
    did, state, _ = WRONG.get((case.kind_of_case, case.reason), ("", "", ""))
    if not did or case.state != UNDO.source or case.certificate is None or case.certificate.state != state:
        return False
    last = Event.objects.filter(subject="certificate", subject_id=case.certificate.pk, action=did).order_by("version")
    done = last.last()
    return done is not None and done.at == case.ended_at


@transaction.atomic
def undo(case: Case, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The report was wrong: certificate, record and cards hold again in one step, as if nothing had been. The officer
    alone carries it, with a reason; for this nobody waits for a second person.

    `Refusal`: `reason-missing`, `not-permitted`, `not-found`, `step-not-open` where there is nothing to undo.
    Raises `Replayed` for a repeat.
    """
    if not reason.strip():
        raise Refusal("reason-missing")
    (case,) = lock(case)
    open_ = may_undo(case)
    case = perform(case, UNDO, by=by, request_id=request_id, at=at, reason=reason.strip())
    if not open_:
        raise Refusal("step-not-open", subject="case", state=case.state, action=UNDO.action)
    decides = replace(by, permissions=by.permissions | {"case.approve"})  # what two persons decided was no decision
    EFFECTS[WRONG[case.kind_of_case, case.reason][2]](case, part(Asked(decides, request_id, at), "undone"))
    return Case.objects.get(pk=case.pk)
