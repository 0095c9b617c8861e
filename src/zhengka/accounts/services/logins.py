"""Logging in and passwords. A wrong try is counted for the name that was typed, whether there is such an officer or
not: neither words nor time tell which names exist (T22, T23).
"""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.db.models import Q

from zhengka.accounts.models import Officer, TriedName
from zhengka.accounts.services.rights import actor_of, keep_password
from zhengka.core import fields
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform, replayed, sub
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
MOST_NAMES = 10_000
"""Names counted at once. Whoever tries more of them makes the one forgotten that was tried longest ago."""
_NOBODY = make_password("nobody has this password")


def authenticate(username: str, password: str, *, at: datetime) -> Officer:
    """The officer to whom this name and password belong (身份鉴别).

    `Refusal("login-wrong")` where they do not belong together or the account is not in use, `Refusal("login-locked")`
    for fifteen minutes after five wrong tries; the password is then not looked at, so a right one is not told either.
    """
    with transaction.atomic(), seeing_all(connection):  # whose name it is, is not known yet
        tried = _tried(fields.index(username), at)
        if tried.locked_until and tried.locked_until > at:
            raise Refusal("login-locked")
        pk, known = Officer.objects.filter(username=username, state="active").values_list(
            "pk", "secret__hash").first() or (0, _NOBODY)
        right = check_password(password, known) and pk != 0
        if right:
            tried.delete()
        else:
            _count(tried, pk, at)
    if not right:  # outside the block above: a refusal must not undo the count
        raise Refusal("login-wrong")
    with transaction.atomic(), seeing_all(connection):
        return Officer.objects.select_related("area", "secret").get(pk=pk)


@transaction.atomic
def log_in(officer: Officer, *, request_id: UUID, at: datetime) -> Officer:
    """Note that an officer logged in (登录), after `authenticate`."""
    return perform(officer, "log_in", by=actor_of(officer), request_id=request_id, at=at)


@transaction.atomic
def log_out(officer: Officer, *, request_id: UUID, at: datetime) -> Officer:
    """Note that an officer logged out (退出)."""
    return perform(officer, "log_out", by=actor_of(officer), request_id=request_id, at=at)


@transaction.atomic
def note_lock_out(officer_id: int, *, request_id: UUID, at: datetime) -> None:
    """Note that wrong tries locked a name (锁定), where it is an officer's: by the platform, and after the answer."""
    officer = Officer.objects.filter(pk=officer_id, state="active").first()
    if officer is not None:
        with suppress(Replayed):
            perform(officer, "lock_out", by=SYSTEM, request_id=request_id, at=at)


def change_password(officer: Officer, *, old: str, new: str, by: Actor, request_id: UUID, at: datetime) -> Officer:
    """Give one's own account another password (修改密码); every other session of it ends.

    `Refusal` as `authenticate` for a wrong old one (it is counted in the same way), `password-same` where both are one.
    """
    if event := replayed(request_id, Officer.kind(), officer.pk):
        raise Replayed(event)
    authenticate(officer.username, old, at=at)
    if old == new:
        raise Refusal("password-same")
    with transaction.atomic():
        officer = perform(officer, "change_password", {"first_password": False}, by=by, request_id=request_id, at=at)
        return keep_password(officer, new)


@transaction.atomic
def reset_password(officer: Officer, *, password: str, by: Actor, request_id: UUID) -> Officer:
    """Give a colleague's account a new first password (重置密码): its sessions end, its lock-out too, and at the next
    login the officer must choose another one.
    """
    officer = perform(officer, "reset_password", {"first_password": True}, by=by, request_id=request_id)
    TriedName.objects.filter(pk=fields.index(officer.username)).delete()
    return keep_password(officer, password)


def _tried(name: bytes, at: datetime) -> TriedName:
    """The account of wrong tries of a name, locked, so that tries at the same moment come one after another."""
    beyond = TriedName.objects.order_by("-tried_at").values("pk")[MOST_NAMES - 1:]
    old = TriedName.objects.filter(Q(tried_at__lt=at - LOCKED_FOR) | Q(pk__in=beyond))
    TriedName.objects.filter(pk__in=old.select_for_update(skip_locked=True).values("pk")).delete()
    TriedName.objects.bulk_create([TriedName(name=name, tried_at=at)], update_conflicts=True,
                                  update_fields=["tried_at"], unique_fields=["name"])
    return TriedName.objects.get(pk=name)


def _count(tried: TriedName, officer_id: int, at: datetime) -> None:
    tried.failures += 1
    if tried.failures >= TRIES:
        tried.failures, tried.locked_until = 0, at + LOCKED_FOR
        # For an invented name too: what is done at this moment must not differ, so the worker finds out whose it is.
        later("accounts.note_lock_out", officer=officer_id, at=at.isoformat(),
              request_id=str(sub(UUID(bytes=bytes(tried.name)), at)))
    tried.save(update_fields=["failures", "locked_until"])
