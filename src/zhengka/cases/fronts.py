"""Front offices (受理机构): which office may receive what for which other one, and which takes a step."""

from datetime import date
from itertools import islice

from django.db.models import QuerySet

from zhengka.accounts import queries as accounts
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.cases import book, rules
from zhengka.cases.models import Case
from zhengka.cases.workflow import KINDS
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step


def offices_of(case: Case, step: Step) -> list[Area]:
    """The offices that take a step of a case; none where it is taken by an institution or the platform."""
    levels = {level for guard in step.guards if isinstance(guard, rules.OfficeOf) for level in guard.levels}
    codes = {rules.office_of(level, case) for level in levels - {"institution", "platform"}}
    return list(Area.objects.filter(code__in=codes).order_by("code"))


def others(case: Case, step: Step, on: date, *, but: str) -> list[Officer]:
    """Who may take a step of a case on a day besides the person `but`: officers of the office that takes it, or of one
    above it, the nearest first; none where an institution or the platform takes it.
    """
    offices = offices_of(case, step)
    nearest = min(offices, key=lambda area: area.last - area.code, default=None)
    able = accounts.able(step.permission, nearest, on, but=but) if nearest else ()
    return list(islice((one for one in able if _takes(one, case, step)), MOST))


def _takes(officer: Officer, case: Case, step: Step) -> bool:
    """True where the officer's office takes a step of a case."""
    by = Actor(officer.pk, officer.name, "", frozenset(), officer.area_id, officer.area.last)  # no account is read
    try:
        for guard in step.guards:
            if isinstance(guard, rules.OfficeOf):
                guard(case, {"by": by})
    except Refusal:
        return False
    return True


MOST = 20
"""Officers that are named at most: the nation has many above an office."""


def received_kinds(actor: Actor, on: date) -> tuple[str, ...]:
    """The kinds of case that the actor's office may receive for another (受理), in their order: a street for its county
    where a policy lets it, an issuing unit for those of other provinces.
    """
    office = _office(actor)
    if office is None or not (office.issuing or office.level == "street"):
        return ()
    area, route = (office.code, "cross-province") if office.issuing else (office.parent_id or office.code, "local")
    found = ((kind, rules.procedure(book.shipped(), kind, area, on, route)) for kind in KINDS)
    return tuple(kind for kind, procedure in found if procedure and procedure.has_front)


def deciders(actor: Actor) -> QuerySet[Area]:
    """The issuing units for which the actor's office may receive an application (受理): a street for the unit that it
    belongs to, an issuing unit for those of other provinces.
    """
    office, province = _office(actor), rules.WIDTHS["province"]
    units = Area.objects.filter(issuing=True).select_related("parent").order_by("code")
    if office is None or not office.issuing:
        return units.filter(code=office.parent_id or 0) if office and office.level == "street" else units.none()
    first = office.code // province * province
    return units.exclude(code__range=(first, first + province - 1))


def reached(kind: str, leaves: int) -> list[Area]:
    """The issuing units where a departure of a kind from one of them may lead (12-digit code; 0: not known)."""
    return [unit for unit in Area.objects.filter(issuing=True).select_related("parent").order_by("code")
            if not leaves or (unit.code != leaves and kind.rpartition("_")[2] == rules.reach_of(leaves, unit.code))]


def _office(actor: Actor) -> Area | None:
    return Area.objects.filter(code=actor.lo, last=actor.hi).first()
