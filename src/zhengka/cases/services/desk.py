"""Who sees to a case (经办人): taken on, given back, put on another desk, handed on with the whole desk (移交).

Assignment organises work and is no permission: every officer who may take a step of a case may take it, whoever has it.
"""

from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from zhengka.accounts.models import Officer
from zhengka.accounts.roles import ROLES
from zhengka.cases import fronts
from zhengka.cases.models import Case, seen_by
from zhengka.cases.services.moving import day
from zhengka.cases.workflow import desk
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, lock, perform, perform_many


@transaction.atomic
def take_on(case: Case, *, seen: int | None, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Put an open case on one's own desk (接办), also from a colleague's: `seen` is the officer who had it when one
    looked (None: nobody), so that two who take it on at once do not take it from each other.

    `Refusal`: `case-taken`, `step-not-open` (it has ended), `not-found`, `not-permitted`. Raises `Replayed`.
    """
    return _assign(case, "take_on", by.id, by, request_id, at, seen=seen)


@transaction.atomic
def give_back(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Take an open case off one's own desk (退还): the office's worklist has it. `Refusal("case-not-yours")`."""
    return _assign(case, "give_back", None, by, request_id, at)


@transaction.atomic
def ask(case: Case, action: str, to: Officer, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Put an open case of one's own desk, or of nobody's, on the desk of somebody who may take a step that another
    person must take (请办): a colleague, or an officer of an office above.

    `Refusal`: `officer-unfit` where they may not take it, `case-taken` where a colleague has it, `step-not-open`,
    `not-found`, `not-permitted`. Raises `Replayed`.
    """
    step = case.table.step(case.state, action)
    if to not in fronts.others(case, step, day(at), but=by.person):
        raise Refusal("officer-unfit")
    return _assign(case, "ask", to.pk, by, request_id, at, to_officer=to.name)


@transaction.atomic
def hand_over(officer: Officer, to: Officer, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """Hand all open cases on an officer's desk to a colleague of the same office (移交), with one event for each; how
    many there were. The officer does, or who administers the accounts of the office. A repeat finds an empty desk.

    `Refusal`: `not-permitted`, `not-found`, `stand-in-oneself` (to the same account), `stand-in-unfit` (another
    office, an account that is not in use), `desk-not-for-role` (a role that works on no case).
    """
    if by.id != officer.pk and not by.may("officer.manage"):
        raise Refusal("not-permitted", permission="officer.manage")
    if not by.sees(officer.area_id):
        raise Refusal("not-found")
    if to.pk == officer.pk:
        raise Refusal("stand-in-oneself")
    if not to.is_active or to.area_id != officer.area_id:
        raise Refusal("stand-in-unfit")
    if "case.read" not in ROLES[to.role][1]:
        raise Refusal("desk-not-for-role")
    rows = Case.objects.filter(seen_by(by), assignee=officer, ended_at__isnull=True)
    found = rows.order_by("pk").select_for_update(of=("self",)).values_list("state", "pk")
    told = {"from_officer": officer.name, "to_officer": to.name}
    return sum(len(perform_many(
        Many(Case, [pk for _, pk in group], state, told, also=", assignee_id = %(to)s", values={"to": to.pk},
             table=desk(state)), "hand_on", by=by, request_id=request_id, at=at))
        for state, group in groupby(sorted(found), key=lambda row: row[0]))


def _assign(case: Case, action: str, to: int | None, by: Actor, request_id: UUID, at: datetime,
            **told: int | str | None) -> Case:
    """One act of the desk. A case that has ended stays with whom it was."""
    (case,) = lock(case)
    if case.ended_at is not None:
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)
    before = case.assignee.name if case.assignee else ""
    return perform(case, desk(case.state).step(case.state, action), {"assignee_id": to}, by=by,
                   request_id=request_id, at=at, from_officer=before, **told)
