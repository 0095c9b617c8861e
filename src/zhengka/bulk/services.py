"""A bulk act is asked for in a moment and carried out by workers, group by group (批量办理).

A room that has long work writes two services: one that checks the request and calls `ask`, and one for its task that
calls `carry_out` with a function for one group. What was permitted to the officer when asking, and the area of the
act, hold until its end, whatever role the officer gets meanwhile; a closed account ends it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.bulk.models import Act
from zhengka.bulk.workflow import CARRY_OUT
from zhengka.core import files
from zhengka.core.actors import Actor, Lent
from zhengka.core.errors import Refusal
from zhengka.core.events import Done, Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import Event, province_of
from zhengka.core.queue import later

log = logging.getLogger("zhengka.bulk")

NAMED = 50
"""Of the rows that were left alone at most so many are named."""
TURN = timedelta(seconds=20)
"""After this time a worker lets other jobs have their turn: a long act must not keep a status list from its gates."""


@dataclass(frozen=True)
class Asked:
    """Who asked for a group, under which request id, and the time at which it is carried out."""

    by: Actor
    request_id: UUID
    at: datetime


@dataclass(frozen=True)
class Group(Done):
    """What one group did, and where the next group begins (None: this was the last)."""

    onward: Any = None


Work = Callable[[Act, Asked], Group]
"""One group of an act, from `act.place` on, within the transaction that keeps its count."""
Clock = Callable[[], datetime]


def ask(act: Act, permission: str, *, by: Actor, request_id: UUID, at: datetime, upload: BinaryIO | None = None) -> Act:
    """Keep an act that a worker shall carry out; `upload` is sealed into the file store.

    The caller fills in area, task, subject, `asked` and `total`. `Refusal`: `not-permitted`, `not-found` (an area
    outside the officer's). Raises `Replayed` for a repeat.
    """
    permit(permission, act.area, by=by)
    if event := replayed(request_id, Act.kind()):
        raise Replayed(event)
    act.province, act.permissions, act.officer_id, act.asked_at = (
        province_of(act.area.code), sorted(by.permissions), by.id, at)
    act.upload = files.put_sealed_stream(upload, act.task) if upload else ""
    with files.or_removed(act.upload), transaction.atomic():
        begin(act, "ask", permission, by=by, request_id=request_id, at=at, task=act.task,
              **({"lent": dict(by.lent)} if by.lent else {}))
        later(act.task, act_id=act.pk)
    return act


def permit(permission: str, area: Area, *, by: Actor) -> None:
    """Refuse who may not ask for an act in this whole area: `not-permitted`, `not-found`. For a room that has to look
    into what came before it can `ask`.
    """
    if not by.may(permission):
        raise Refusal("not-permitted", permission=permission)
    if not (by.sees(area.code) and by.sees(area.last)):
        raise Refusal("not-found")


def uploaded(act: Act) -> BinaryIO:
    """The upload of an act, to read and to seek in; `Refusal("upload-missing")`."""
    try:
        return files.open_sealed(act.upload, act.task)
    except FileNotFoundError:
        raise Refusal("upload-missing") from None


def carry_out(act_id: int, work: Work, *, clock: Clock) -> Act:
    """Do the groups of an act that are not done yet, each with its count in one transaction, and end it.

    Run twice, at once or again, it does each group once. A `Refusal` of a group ends the act as refused by that name;
    what the groups before it did stays. A fault of the first group is raised, so that the job is tried again, until
    `give_up`. After a fault behind groups that went well, and after `TURN`, the rest is asked for as another job, which
    has all its tries.
    """
    ends, went_on = clock() + TURN, False
    try:
        while _next(act_id, work, clock()):
            went_on = True
            if clock() > ends:
                _ask_again(act_id)
                break
    except Refusal as no:
        _refuse(act_id, no, clock())
    except Exception:
        if not went_on:
            raise
        log.exception("bulk act %s: a group failed and is tried again", act_id)
        _ask_again(act_id)
    return Act.objects.get(pk=act_id)


def give_up(act_id: int) -> None:
    """End an act whose next group failed at every try by a fault of ours; what the groups before it did stays."""
    _refuse(act_id, Refusal("internal-fault"), timezone.now())


@transaction.atomic
def _next(act_id: int, work: Work, at: datetime) -> bool:
    """Do one group; True where another one follows."""
    (act,) = lock(Act(pk=act_id))
    if act.state != Act.workflow.initial:
        return False
    begun, by = _asked_by(act)
    if by.id is not None and not Officer.objects.get(pk=by.id).is_active:
        raise Refusal("officer-inactive")
    group = work(act, Asked(by, sub(begun, f"group {act.groups}"), at))
    left = sum(group.left.values())
    counted = {
        "done": act.done + group.moved + left, "moved": act.moved + group.moved, "left_alone": act.left_alone + left,
        "reasons": dict(Counter(act.reasons) + Counter(group.left)), "groups": act.groups + 1,
        "unwritten": dict(Counter(act.unwritten) + Counter(group.unwritten)),
        "who_left": dict(list({**act.who_left, **{str(pk): code for pk, code in group.who.items()}}.items())[:NAMED]),
        "place": group.onward}
    if group.onward is not None:
        Act.objects.filter(pk=act_id).update(**counted)
        return True
    _end(act, "complete", counted, at)
    return False


@transaction.atomic
def _refuse(act_id: int, no: Refusal, at: datetime) -> None:
    (act,) = lock(Act(pk=act_id))
    if act.state == Act.workflow.initial:
        _end(act, "refuse", {"problem": no.code, "problem_facts": no.facts}, at)


def _end(act: Act, action: str, also: Mapping[str, Any], at: datetime) -> None:
    begun, by = _asked_by(act)
    told = {"moved": also.get("moved", act.moved), "left": also.get("left_alone", act.left_alone)}
    if upload := act.upload:
        transaction.on_commit(lambda: files.remove(upload))
    perform(act, action, {**also, "upload": "", "finished_at": at}, by=by, request_id=sub(begun, action), at=at, **told)


def _asked_by(act: Act) -> tuple[UUID, Actor]:
    """The request by which the act was asked for, and the officer with what was permitted then, within its area; what
    of it was lent stands in that request's event.
    """
    event = Event.objects.get(subject=Act.kind(), subject_id=act.pk, version=1)
    return event.request, Actor(event.actor_id, event.actor_name, event.person,
                                frozenset({*act.permissions, CARRY_OUT}), act.area.code, act.area.last,
                                {right: Lent(*lent) for right, lent in event.facts.get("lent", {}).items()})


@transaction.atomic
def _ask_again(act_id: int) -> None:
    task = Act.objects.values_list("task", flat=True).get(pk=act_id)
    later(task, once=f"bulk act {act_id}", act_id=act_id)
