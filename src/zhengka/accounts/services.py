"""Officers: who they are as actors, how they log in, how an account is made."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from zhengka.accounts.models import Officer
from zhengka.accounts.roles import ROLES
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
_NOBODY = make_password("nobody has this password")


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
