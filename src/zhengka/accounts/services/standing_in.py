"""Standing in: a deputy for holidays (代班), and the right of a role lent for some days (委托).

Both end by themselves behind their last day; nothing runs for it. What an officer does while standing in is done under
their own name and person, so whatever asks for two persons (I6) still gets two.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from zhengka.accounts.models import MOST_DAYS, Cover, Delegation, Officer, StandIn
from zhengka.accounts.roles import LENDABLE
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed
from zhengka.core.models import province_of
from zhengka.formats.verdict import CHINA

CASES = "case.read"
"""The permission of those who have cases on their desk."""
Row = TypeVar("Row", bound=StandIn)


class Days(NamedTuple):
    """From the first day to the last one, both included."""

    first: date
    last: date


@transaction.atomic
def set_cover(deputy: Officer, days: Days, *, by: Actor, request_id: UUID, at: datetime) -> Cover:
    """Name a deputy of one's own office and role for some days (代班): one's cases are on their worklist, too.

    `Refusal`: `not-permitted`, `stand-in-oneself`, `stand-in-unfit`, `stand-in-other-role`, `days-wrong`,
    `days-too-many`, `days-overlap`. Raises `Replayed` for a repeat.
    """
    if not by.may(CASES):
        raise Refusal("not-permitted", permission=CASES)
    officer = Officer.get(by.id or 0)
    if deputy.role != officer.role:
        raise Refusal("stand-in-other-role")
    return _begin(Cover(officer=officer, deputy=deputy), "set_cover", days, by, request_id, at)


@transaction.atomic
def end_cover(cover: Cover, *, by: Actor, request_id: UUID, at: datetime) -> Cover:
    """End a cover that one set up before its last day. `Refusal`: `not-permitted`, `step-not-open`, `not-found`."""
    return perform(cover, "end_cover", by=by, request_id=request_id, at=at)


@transaction.atomic
def lend(deputy: Officer, days: Days, *, by: Actor, request_id: UUID, at: datetime) -> Delegation:
    """Ask that the right of one's own role be lent for some days to a colleague of the office with another one (委托).
    It holds once the security administrator permits it (`permit_lending`).

    `Refusal`: `stand-in-oneself`, `stand-in-unfit`, `role-not-lent`, `days-wrong`, `days-too-many`, `days-overlap`.
    Raises `Replayed` for a repeat.
    """
    officer = Officer.get(by.id or 0)
    if not {officer.role, deputy.role} <= LENDABLE or officer.role == deputy.role:
        raise Refusal("role-not-lent")
    return _begin(Delegation(officer=officer, deputy=deputy, role=officer.role), "ask_to_lend", days, by, request_id,
                  at, role=officer.role)


@transaction.atomic
def permit_lending(row: Delegation, *, by: Actor, request_id: UUID, at: datetime) -> Delegation:
    """Permit what was asked for (准予委托): in its days the right holds from the deputy's next request on.

    `Refusal`: `same-person` for either of the two, `days-wrong` behind its last day, `stand-in-unfit` and
    `role-not-lent` where an account or a role has changed meanwhile.
    """
    (row,) = lock(row)
    if row.state == row.workflow.initial:
        if row.last_day < _day(at):
            raise Refusal("days-wrong", last=row.last_day.isoformat())
        if row.officer.role != row.role or row.deputy.role not in LENDABLE - {row.role}:
            raise Refusal("role-not-lent")
        for one in (row.officer, row.deputy):
            _check_colleague(one, row.area_id)
    return perform(row, "permit_lending", {"permitted_by": by.person}, by=by, request_id=request_id, at=at,
                   role=row.role)


@transaction.atomic
def refuse_lending(row: Delegation, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Delegation:
    """Do not permit it, and say why (不予委托). `Refusal`: `same-person`, `reason-missing`."""
    if not reason.strip():
        raise Refusal("reason-missing")
    return perform(row, "refuse_lending", by=by, request_id=request_id, at=at, role=row.role, reason=reason.strip())


@transaction.atomic
def take_back(row: Delegation, *, by: Actor, request_id: UUID, at: datetime) -> Delegation:
    """End a delegation of one's own before its last day, or before it was permitted (收回委托)."""
    return perform(row, "take_back", by=by, request_id=request_id, at=at, role=row.role)


@transaction.atomic
def revoke_lending(row: Delegation, *, by: Actor, request_id: UUID, at: datetime) -> Delegation:
    """End a delegation that holds, as the security administrator (撤销委托). `Refusal`: `same-person`."""
    return perform(row, "revoke_lending", by=by, request_id=request_id, at=at, role=row.role)


def _begin(row: Row, action: str, days: Days, by: Actor, request_id: UUID, at: datetime, **facts: Any) -> Row:
    """Check days and persons, and keep the row under the officer's office."""
    officer, deputy = row.officer, row.deputy
    if event := replayed(request_id, row.kind()):
        raise Replayed(event)
    if deputy.person == officer.person:
        raise Refusal("stand-in-oneself")
    _check_colleague(deputy, officer.area_id)
    if not _day(at) <= days.first <= days.last:
        raise Refusal("days-wrong")
    if days.last - days.first >= timedelta(days=MOST_DAYS):
        raise Refusal("days-too-many", most=MOST_DAYS)
    row.area_id, row.province = officer.area_id, province_of(officer.area_id)
    row.person, row.deputy_person, row.first_day, row.last_day = officer.person, deputy.person, *days
    try:
        with transaction.atomic():
            return begin(row, action, by=by, request_id=request_id, at=at, to_officer=deputy.name,
                         since=days.first.isoformat(), until=days.last.isoformat(), **facts)
    except IntegrityError as broken:
        if "_days_apart" not in str(broken):
            raise
        raise Refusal("days-overlap") from None


def _check_colleague(officer: Officer, area: int) -> None:
    if not officer.is_active or officer.area_id != area:
        raise Refusal("stand-in-unfit")


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
