"""Those whose exchange is open and who were not written to are invited later (补发换发通知): a phone or an address is
known meanwhile, or the exchange was opened without letters.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.areas import queries as areas
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cases import queries
from zhengka.cases.services.exchange import GROUP
from zhengka.cases.services.telling import invite
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Done, sub
from zhengka.letters import queries as written
from zhengka.letters import services as letters
from zhengka.letters.rules import INVITATION


def ask_invitations(*, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask that those of the actor's area be invited whose exchange is open and who were not written to, as
    `invite_again` does it.

    `Refusal("not-permitted")`; raises `Replayed` for a repeat.
    """
    _permit(by)
    area = areas.area(by.lo, actor=by)
    act = Act(area=area, task="cases.invite_again", total=queries.uninvited([area], actor=by))
    return bulk.ask(act, "case.open", by=by, request_id=request_id, at=at)


def carry_out_invitations(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_invitations`: so many at a time, by office and in the order in which they were
    left.
    """
    def chunk(act: Act, asked: Asked) -> Group:
        done, onward = _invite(asked, act.place or (asked.by.lo, 0))
        return Group(done.moved, done.left, onward)
    return bulk.carry_out(act_id, chunk, clock=clock)


def invite_again(*, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Write to those of the actor's area whose exchange is open and who were not asked to come: how many wait for a
    letter no more, and how many do still, by the reason. Each group is a transaction of its own, and a repeat writes to
    nobody twice.

    `Refusal("not-permitted")`.
    """
    _permit(by)
    onward: Sequence[int] | None = (by.lo, 0)
    moved, left, group = 0, Counter[str](), 0
    while onward:
        with transaction.atomic():
            done, onward = _invite(Asked(by, sub(request_id, f"group {group}"), at), onward)
        moved, group = moved + done.moved, group + 1
        left.update(done.left)
    return Done(moved, left)


def _permit(by: Actor) -> None:
    for permission in ("case.open", "letter.send"):
        if not by.may(permission):
            raise Refusal("not-permitted", permission=permission)


def _invite(asked: Asked, after: Sequence[int]) -> tuple[Done, Sequence[int] | None]:
    """Invite the next of those who were not, from behind a place (office, key) on; and where to go on (None: none is
    left). Whoever came without a letter is asked no more.
    """
    group = written.missing_after(INVITATION, after, GROUP, actor=asked.by)
    cases = sorted({one.subject_id for one in group})
    waiting = queries.waiting_to_come(cases)
    letters.settle("case", sorted({*cases} - {*waiting}), INVITATION, at=asked.at)
    invite(waiting, asked)
    still = written.still_missing("case", waiting, INVITATION)
    done = Done(len(cases) - len(still), Counter(still.values()))
    return done, (group[-1].area, group[-1].pk) if len(group) == GROUP else None
