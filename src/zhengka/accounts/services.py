"""Officers: who they are as actors, how they log in, how an account is made, changed and closed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from zhengka.accounts.models import Officer
from zhengka.accounts.roles import ROLES
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, perform, replayed

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
_NOBODY = make_password("nobody has this password")


@dataclass(frozen=True)
class Account:
    """What an account is made of; `person` is the same for every account of one person (I6)."""

    username: str
    name: str
    person: str
    role: str
    area: Area
    password: str = field(repr=False)


def actor_of(officer: Officer) -> Actor:
    """The officer as an actor: permissions of the role, within the subtree of the office."""
    area = officer.area
    return Actor(officer.pk, officer.name, officer.person, ROLES[officer.role][1] if officer.is_active else frozenset(),
                 area.code, area.last)


@transaction.atomic
def enrol(username: str, *, name: str, person: str, role: str, area: Area, password: str) -> Officer:
    """Make an account, or give an existing one its name, role, area and password again; a repeat changes nothing."""
    officer, _ = Officer.objects.update_or_create(
        username=username, defaults={"name": name, "person": person, "role": role, "area": area})
    if not check_password(password, officer.password):
        officer.set_password(password)
        officer.save(update_fields=["password"])
    return officer


@transaction.atomic
def open_account(account: Account, *, by: Actor, request_id: UUID) -> Officer:
    """Make an account for a colleague (开户) within the actor's area.

    `Refusal` with `not-permitted`, `not-found` (an area outside), `own-account` (a further account for the person
    who makes it), `username-taken`; `Replayed` for a repeat.
    """
    if not by.may("officer.manage"):
        raise Refusal("not-permitted", permission="officer.manage")
    if not (by.sees(account.area.code) and by.sees(account.area.last)):
        raise Refusal("not-found")
    if account.person == by.person:
        raise Refusal("own-account")
    if event := replayed(request_id, Officer.kind()):
        raise Replayed(event)
    if Officer.objects.filter(username=account.username).exists():
        raise Refusal("username-taken")
    officer = Officer(username=account.username, name=account.name, person=account.person, role=account.role,
                      area=account.area)
    officer.set_password(account.password)
    return begin(officer, "open", by=by, request_id=request_id, role=account.role)


@transaction.atomic
def appoint(officer: Officer, *, role: str, by: Actor, request_id: UUID) -> Officer:
    """Give a colleague another role (调岗); it holds from the officer's next request on."""
    before = officer.role
    officer = perform(officer, "appoint", by=by, request_id=request_id, role=role, before=before)
    officer.role = role
    officer.save(update_fields=["role"])
    return officer


@transaction.atomic
def deactivate(officer: Officer, *, by: Actor, request_id: UUID) -> Officer:
    """Close an account (停用): its sessions end with their next request."""
    return perform(officer, "deactivate", by=by, request_id=request_id)


@transaction.atomic
def reactivate(officer: Officer, *, by: Actor, request_id: UUID) -> Officer:
    """Open a closed account again (启用)."""
    return perform(officer, "reactivate", by=by, request_id=request_id)


@transaction.atomic
def log_in(username: str, password: str, *, at: datetime) -> Officer:
    """The officer with this name and password.

    `Refusal("login-wrong")` where they do not belong together, `Refusal("login-locked")` for fifteen minutes after
    five wrong tries. The caller then counts the try by `count_failure`, which this transaction could not keep.
    """
    officer = Officer.objects.select_for_update(of=("self",)).select_related("area").filter(username=username).first()
    if officer is None or not officer.is_active:
        check_password(password, _NOBODY)  # as slow as a real check: the answer's time tells no names (T22, T23)
        raise Refusal("login-wrong")
    if officer.locked_until and officer.locked_until > at:
        raise Refusal("login-locked", until=officer.locked_until.isoformat())
    if not check_password(password, officer.password):
        raise Refusal("login-wrong")
    if officer.failures or officer.locked_until:
        officer.failures, officer.locked_until = 0, None
        officer.save(update_fields=["failures", "locked_until"])
    return officer


@transaction.atomic
def count_failure(username: str, *, at: datetime) -> None:
    """Count a wrong try; the fifth locks the account. Called after `log_in` refused, in a transaction of its own."""
    officer = Officer.objects.select_for_update(of=("self",)).filter(username=username).first()
    if officer is None:
        return
    officer.failures += 1
    if officer.failures >= TRIES:
        officer.failures, officer.locked_until = 0, at + LOCKED_FOR
    officer.save(update_fields=["failures", "locked_until"])
