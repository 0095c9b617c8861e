"""Rights: who officers are as actors, how an account is opened, its role permitted, changed, and the account closed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from zhengka.accounts import queries
from zhengka.accounts.apart import excluded
from zhengka.accounts.models import Delegation, Officer, Password
from zhengka.accounts.roles import ADMINISTRATORS, LENDABLE, OWN, ROLES
from zhengka.areas.models import Area
from zhengka.core.actors import SYSTEM, Actor, Lent
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.scope import seeing_all

NOTHING_WAITS = {"wanted": "", "wanted_by": ""}


@dataclass(frozen=True)
class Account:
    """What an account is made of; `person` is the same for every account of one person (I6)."""

    username: str
    name: str
    person: str
    role: str
    area: Area
    password: str = field(repr=False)


def actor_of(officer: Officer, *, on: date | None = None) -> Actor:
    """The officer as an actor: permissions of the role, within the subtree of the office; with a day `on` also those
    that are lent to them on it (委托).

    With a password that somebody else chose, only what is needed to choose another one.
    """
    area, held = officer.area, ROLES[officer.role][1]
    if officer.first_password:
        held = OWN
    if not officer.is_active:
        held = frozenset()
    lent = _lent(officer, on) if on and officer.role in LENDABLE and held > OWN else {}
    return Actor(officer.pk, officer.name, officer.person, held.union(lent), area.code, area.last, lent)


def _lent(officer: Officer, on: date) -> Mapping[str, Lent]:
    """What others' roles add to the officer's own on a day. A right holds no longer than its holder has it, and never
    outside the office in which it was lent.
    """
    rows = Delegation.objects.filter(
        deputy=officer, state="lent", first_day__lte=on, last_day__gte=on, area=officer.area_id,
        officer__area=officer.area_id, officer__state="active", officer__role=F("role"))
    own = ROLES[officer.role][1]
    return {permission: Lent(row.pk, row.officer.name) for row in rows.select_related("officer").order_by("-pk")
            for permission in ROLES[row.role][1] - own}


@transaction.atomic
def enrol(account: Account, *, request_id: UUID) -> Officer:
    """Make an active account by the operator's own hand, or give an existing one its name, role, area and password
    again; a repeat changes nothing. For the demo alone.
    """
    officer = Officer.objects.filter(username=account.username).first()
    if officer is None:
        return _by_hand(account, first_password=False, request_id=request_id)
    officer.name, officer.person, officer.role, officer.area = account.name, account.person, account.role, account.area
    officer.installed, officer.first_password = True, False
    officer.save()
    return officer if officer.check_password(account.password) else keep_password(officer, account.password)


@transaction.atomic
def install(account: Account, *, request_id: UUID) -> Officer:
    """Make the account of a first administrator by the operator's own hand (初始化管理员), at the machine itself: from
    then on a system administrator opens accounts and a security administrator permits them.

    Its first password must be changed at the first login. `Refusal` with `not-an-administrator` for any other role,
    `administrator-there` where the area has one of this role already, `username-taken`, `roles-apart`.
    """
    if account.role not in ADMINISTRATORS:
        raise Refusal("not-an-administrator", role=account.role)
    with connection.cursor() as cursor:  # there may be no row yet that could be locked
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('first administrators', 0))")
    if Officer.objects.filter(role=account.role, area=account.area, state="active").exists():
        raise Refusal("administrator-there", role=account.role)
    if Officer.objects.filter(username=account.username).exists():
        raise Refusal("username-taken")
    keep_apart(account.person, account.role, account.area.code)
    return _by_hand(account, first_password=True, request_id=request_id)


def keep_apart(person: str, role: str, area: int, *, but: int = 0) -> None:
    """Hold that a person, in whatever accounts of whatever office, has no role that excludes this one (岗位互斥), also
    none that only waits to be permitted. `but`: the account that is to have it, which gives its own role up.

    One transaction at a time looks at a person. `Refusal("roles-apart")` names the other role.
    """
    apart = excluded(queries.apart(), role, area, timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"person {person}"])
    with seeing_all(connection):
        others = Officer.objects.filter(person=person).exclude(pk=but).exclude(state="inactive")
        held = apart & {one for row in others.values_list("role", "wanted") for one in row}
    if held:
        raise Refusal("roles-apart", role=role, held=", ".join(sorted(held)))


def _by_hand(account: Account, *, first_password: bool, request_id: UUID) -> Officer:
    """Open an account and give it its role at once: both are told as acts of the platform, not of an officer."""
    if account.person == SYSTEM.person:
        raise Refusal("own-account")
    officer = _new(account, by=SYSTEM, first_password=first_password)
    begin(officer, "open", by=SYSTEM, request_id=request_id, role=account.role)
    keep_password(officer, account.password)
    return perform(officer, "install", {"installed": True, **NOTHING_WAITS}, by=SYSTEM,
                   request_id=sub(request_id, "install"), role=account.role)


def _new(account: Account, *, by: Actor, first_password: bool) -> Officer:
    """The row of an account whose role waits, asked for by the actor's person."""
    return Officer(username=account.username, name=account.name, person=account.person, role=account.role,
                   area=account.area, wanted=account.role, wanted_by=by.person, first_password=first_password)


def keep_password(officer: Officer, password: str) -> Officer:
    """Keep a hash of the account's password in place of the one before."""
    officer.secret, _ = Password.objects.update_or_create(officer=officer, defaults={"hash": make_password(password)})
    return officer


@transaction.atomic
def open_account(account: Account, *, by: Actor, request_id: UUID) -> Officer:
    """Make an account for a colleague (开户) within the actor's area. It waits for the security administrator, and its
    first password must be changed at the first login.

    `Refusal` with `not-permitted`, `not-found` (an area outside), `own-account` (a further account for the person
    who makes it), `username-taken`, `roles-apart`; `Replayed` for a repeat.
    """
    if not by.may("officer.manage"):
        raise Refusal("not-permitted", permission="officer.manage")
    if not (by.sees(account.area.code) and by.sees(account.area.last)):
        raise Refusal("not-found")
    if account.person == by.person:
        raise Refusal("own-account")
    if event := replayed(request_id, Officer.kind()):
        raise Replayed(event)
    with seeing_all(connection):  # a name is one person's in the whole installation
        taken = Officer.objects.filter(username=account.username).exists()
    if taken:
        raise Refusal("username-taken")
    keep_apart(account.person, account.role, account.area.code)
    officer = begin(_new(account, by=by, first_password=True), "open", by=by, request_id=request_id, role=account.role)
    return keep_password(officer, account.password)


@transaction.atomic
def appoint(officer: Officer, *, role: str, by: Actor, request_id: UUID) -> Officer:
    """Ask for another role for a colleague (调岗); until it is permitted the officer keeps the present one.

    `Refusal`: `roles-apart`, and what `perform` says.
    """
    (officer,) = lock(officer)
    officer = perform(officer, "appoint", {"wanted": role, "wanted_by": by.person}, by=by, request_id=request_id,
                      role=role, before=officer.role)
    keep_apart(officer.person, role, officer.area_id, but=officer.pk)
    return officer


@transaction.atomic
def permit(officer: Officer, *, role: str, by: Actor, request_id: UUID) -> Officer:
    """Permit the role that waits (授权): it holds from the officer's next request on.

    `role` is the one that was looked at. `Refusal` with `step-not-open` where another one is asked for meanwhile,
    `same-person` for who asked, `own-account` for the officer's own person, `roles-apart` where the person has got
    another role meanwhile that excludes this one.
    """
    (officer,) = lock(officer)
    officer = perform(officer, "permit", {
        "role": role, "asked_by": officer.wanted_by, "permitted_by": by.person, "installed": False, **NOTHING_WAITS,
    }, by=by, request_id=request_id, role=role, before=officer.role)
    keep_apart(officer.person, role, officer.area_id, but=officer.pk)
    return officer


@transaction.atomic
def refuse(officer: Officer, *, role: str, reason: str, by: Actor, request_id: UUID) -> Officer:
    """Do not permit the role that waits (不予授权): a new account stays closed, any other keeps its present role."""
    return perform(officer, "refuse", NOTHING_WAITS, by=by, request_id=request_id, role=role, reason=reason)


@transaction.atomic
def deactivate(officer: Officer, *, by: Actor, request_id: UUID) -> Officer:
    """Close an account (停用): its sessions end with their next request, also for the time when it is opened again."""
    (officer,) = lock(officer)
    return perform(officer, "deactivate", {"generation": officer.generation + 1, **NOTHING_WAITS}, by=by,
                   request_id=request_id)


@transaction.atomic
def reactivate(officer: Officer, *, by: Actor, request_id: UUID) -> Officer:
    """Ask to open a closed account again (启用): its role waits to be permitted as that of a new one.

    `Refusal`: `roles-apart`, and what `perform` says.
    """
    (officer,) = lock(officer)
    officer = perform(officer, "reactivate", {"wanted": officer.role, "wanted_by": by.person}, by=by,
                      request_id=request_id, role=officer.role)
    keep_apart(officer.person, officer.role, officer.area_id, but=officer.pk)
    return officer
