"""What is asked about officers."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db.models import Q, QuerySet

from zhengka.accounts.apart import Apart, load
from zhengka.accounts.models import Cover, Delegation, Officer
from zhengka.accounts.roles import ROLES
from zhengka.areas.models import Area
from zhengka.core.actors import Actor

Row = TypeVar("Row", Cover, Delegation)


def officers(*, actor: Actor) -> QuerySet[Officer]:
    """The accounts of the offices in the actor's area, by their user names."""
    return Officer.objects.filter(area__gte=actor.lo, area__lte=actor.hi).select_related("area").order_by("username")


def waiting(*, actor: Actor) -> QuerySet[Officer]:
    """The accounts of the actor's area for which a role waits to be permitted (待授权)."""
    return officers(actor=actor).exclude(wanted="")


def names(ids: Iterable[int], *, actor: Actor) -> dict[int, str]:
    """Login names of accounts in the actor's area, by row id: for a journal."""
    return dict(officers(actor=actor).filter(pk__in=list(ids)).values_list("pk", "username"))


def colleagues(officer: Officer, *, actor: Actor) -> QuerySet[Officer]:
    """Everybody else whose account is in use at the officer's own office: another person, not another account."""
    return officers(actor=actor).filter(area=officer.area_id, state="active").exclude(person=officer.person)


def area_of(officer_id: int | None) -> Area | None:
    """The area that an officer answers for, for what the platform carries on for them; None without an officer."""
    return Area.objects.filter(pk__in=Officer.objects.filter(pk=officer_id or 0).values("area")).first()


def apart() -> tuple[Apart, ...]:
    """Which roles exclude each other for one person, as every file of `data/roles` says it."""
    return _apart(Path(settings.DATA) / "roles")


def who_may(permission: str) -> list[str]:
    """The roles that include a permission."""
    return sorted(role for role, (_zh, held) in ROLES.items() if permission in held)


ABLE = "SELECT id, name, role, area FROM accounts_able(%s, %s, %s, %s, %s, %s)"


def able(permission: str, area: Area, on: date, *, but: str, most: int = 1000) -> list[Officer]:
    """Who may do on a day what needs a permission, for an office: of that office or of one above it, by their own role
    or by one that is lent to them; the nearest first. `but`: the person who may not.

    Of an office above no account is seen: id, name, role and area are all that is told, and nothing else is there.
    """
    asked = [who_may(permission), area.code, area.last, on, but, most]
    return list(Officer.objects.raw(ABLE, asked).prefetch_related("area"))


def covers(officer_id: int, on: date) -> list[Cover]:
    """The covers of an officer, as the absent one or the deputy, that hold on a day or later, the next one first."""
    return list(_to_come(Cover.objects.filter(state="set"), officer_id, on))


def delegations(officer_id: int, on: date) -> list[Delegation]:
    """What an officer lends or is lent on a day or later, permitted or still waiting."""
    return list(_to_come(Delegation.objects.filter(state__in=("asked", "lent")), officer_id, on))


def covered(actor: Actor, on: date) -> list[int]:
    """Row ids of the officers for whom the actor stands in on a day (代班); not those for whom they stand in again."""
    return list(Cover.objects.filter(deputy=actor.id, state="set", first_day__lte=on, last_day__gte=on,
                                     area__code__gte=actor.lo, area__code__lte=actor.hi).values_list(
        "officer", flat=True))


def lendings(on: date, *, actor: Actor) -> QuerySet[Delegation]:
    """Delegations of the actor's area that wait for a permit, or hold on a day or later."""
    return Delegation.objects.filter(state__in=("asked", "lent"), last_day__gte=on, area__code__gte=actor.lo,
                                     area__code__lte=actor.hi).select_related("officer", "deputy", "area")


@lru_cache(maxsize=4)
def _apart(folder: Path) -> tuple[Apart, ...]:
    return load(folder)


def _to_come(rows: QuerySet[Row], officer_id: int, on: date) -> QuerySet[Row]:
    return rows.filter(Q(officer=officer_id) | Q(deputy=officer_id), last_day__gte=on).select_related(
        "officer", "deputy").order_by("first_day", "pk")
