"""Letters that an office prints itself (打印): one by one, or all that wait in one run."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform, perform_many, sub
from zhengka.core.models import Event
from zhengka.letters import queries
from zhengka.letters.models import Letter
from zhengka.letters.workflow import BY_HAND

RUN = 200
"""Most letters of one run: two seconds of printing, and a stack that one can fold."""


@transaction.atomic
def print_many(channel: str, *, by: Actor, request_id: UUID, at: datetime) -> list[Letter]:
    """Take the letters that wait for paper or Braille in the actor's area, the oldest first and at most `RUN`, into a
    run named by the request id, and return them: they are as good as sent.

    A repeat of the request returns the same letters. `Refusal`: `not-permitted`, `letter-not-printed` (a channel that
    is not printed), `letter-nothing-to-print`.
    """
    if channel not in BY_HAND:
        raise Refusal("letter-not-printed", channel=channel)
    if there := _of_run(request_id, by):
        return there
    waiting = queries.outbox(actor=by, state="queued").filter(channel=channel).order_by("written_at", "pk")
    rows = Many(Letter, list(waiting.values_list("pk", flat=True)[:RUN]), "queued", {"run": str(request_id)},
                also=", sent_at = %(sent)s, sender = 'office', run = %(run)s",
                values={"sent": at, "run": request_id})
    if not perform_many(rows, "print", by=by, request_id=request_id, at=at):
        raise Refusal("letter-nothing-to-print")
    return _of_run(request_id, by)


@transaction.atomic
def print_again(run: UUID, *, by: Actor, request_id: UUID, at: datetime) -> list[Letter]:
    """The letters of an earlier run once more: the paper jammed. Those that arrived meanwhile are left out. A repeat of
    the request writes nothing down.

    `Refusal`: `not-permitted`, `letter-nothing-to-print`.
    """
    there = _of_run(run, by)
    if not Event.objects.filter(request_id__in=[sub(request_id, letter.pk) for letter in there]).exists():
        ids = [letter.pk for letter in there if letter.state == "sent"]
        perform_many(Many(Letter, ids, "sent", {"run": str(run)}), "print", by=by, request_id=request_id, at=at)
    still = [letter for letter in there if letter.state == "sent"]
    if not still:
        raise Refusal("letter-nothing-to-print")
    return still


@transaction.atomic
def read(letter: Letter, form: str, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    """Write down who has a letter made as a file in full (查阅), and as which; `Refusal("not-found")` for a form that
    there is not. Raises `Replayed` for a repeat.
    """
    if form not in queries.FORMS:
        raise Refusal("not-found")
    return perform(letter, "read", by=by, request_id=request_id, at=at, form=form)


def _of_run(run: UUID, by: Actor) -> list[Letter]:
    return list(queries.outbox(actor=by).filter(run=run).order_by("written_at", "pk"))
