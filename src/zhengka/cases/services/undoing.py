"""A wrong report is undone at once (误报撤销), with everything back-dated."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.dying import ended_with
from zhengka.cases.services.effects import EFFECTS
from zhengka.cases.services.moving import part
from zhengka.cases.services.telling import tell
from zhengka.cases.workflow import DECIDED, undone
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.models import Event
from zhengka.registry.models import Certificate

WRONG: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("freeze", "death-reported"): ("freeze", "frozen", "unfreeze"),
    ("cancellation", "death"): ("cancel", "cancelled", "restoration")}
"""Kind and reason of a report → what it did to the certificate, the state in which that is now, what undoes it."""


def may_undo(case: Case, *, by: Actor) -> bool:
    """True where a report of a death was believed, the certificate is still as that left it, and the actor's office is
    the one that keeps it: the front office that received the report does not see it.
    """
    did, state, _ = WRONG.get((case.kind_of_case, case.reason), ("", "", ""))
    if not did or case.ended_at is None or case.state not in DECIDED or not by.sees(case.area_id):
        return False
    certificate = Certificate.objects.filter(pk=case.certificate_id or 0, state=state).first()
    if certificate is None:
        return False
    last = Event.objects.filter(subject="certificate", subject_id=certificate.pk, action=did).order_by("version")
    done = last.last()
    return done is not None and done.at == case.ended_at


@transaction.atomic
def undo(case: Case, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The report was wrong: certificate, record and cards hold again in one step, as if nothing had been, and the cases
    that ended with the person go on. The officer alone carries it, with a reason; for this nobody waits for a second
    person. The event names the kinds of case that go on, and those that cannot.

    `Refusal`: `reason-missing`, `not-permitted`, `not-found`, `office-wrong` for the front office that received it,
    `step-not-open` where there is nothing to undo.
    Raises `Replayed` for a repeat.
    """
    if not reason.strip():
        raise Refusal("reason-missing")
    (case,) = lock(case)
    if by.sees(case.front_id) and not by.sees(case.area_id):
        raise Refusal("office-wrong", levels=["issuing-county"])
    step, open_, facts = undone(case.state), may_undo(case, by=by), {"reason": reason.strip()} | _others(case, by)
    case = perform(case, step, by=by, request_id=request_id, at=at, **facts)
    if not open_:
        raise Refusal("step-not-open", subject="case", state=case.state, action=step.action)
    decides = replace(by, permissions=by.permissions | {"case.approve"})  # what two persons decided was no decision
    EFFECTS[WRONG[case.kind_of_case, case.reason][2]](case, part(Asked(decides, request_id, at), "undone"))
    tell(case, "undo", part(Asked(by, request_id, at), "told"))
    return Case.objects.get(pk=case.pk)


def _others(case: Case, by: Actor) -> dict[str, list[str]]:
    """The kinds of the actor's cases that ended with the person: `resumed` go on, `still_closed` cannot. Those of other
    offices say so in their own events.
    """
    found = ended_with(case)._asdict() if case.reason == "death" else {}
    kinds = {name: [each.kind_of_case for each in cases if by.sees(each.area_id, each.front_id)]
             for name, cases in found.items()}
    return {name: each for name, each in kinds.items() if each}
