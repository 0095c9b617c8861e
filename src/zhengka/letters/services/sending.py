"""Letters are carried (发送) by workers. What is sent cannot be called back, so the intent is written down first.

    1  queued → sending, committed: who comes after sees it and keeps away
    2  the sender is called, outside any transaction
    3  sending → sent, failed or unknown
A worker that dies between 1 and 3 leaves `sending` behind, which `retry` turns into `unknown`: an officer decides.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import SYSTEM
from zhengka.core.events import lock, perform, sub
from zhengka.core.queue import later
from zhengka.letters import contents, rendering
from zhengka.letters.models import Letter
from zhengka.letters.rules import LOST_AFTER, next_try
from zhengka.letters.senders import NotSent, Parcel, Sender, Unsure, for_channel
from zhengka.letters.workflow import BY_MACHINE

log = logging.getLogger("zhengka.letters")
GROUP = 500
"""Most letters that one sweep takes up."""


def send(letter_id: int, *, at: datetime, choose: Callable[[str], Sender] = for_channel) -> Letter:
    """Carry one letter that is queued, by the sender chosen for its channel; any other letter is left as it is, so that
    a second worker does nothing.
    """
    letter = _start(letter_id, at)
    if letter is None:
        return Letter.objects.get(pk=letter_id)
    try:
        receipt = choose(letter.channel)(_parcel(letter), at)
    except NotSent as no:
        return _not_sent(letter, no, at)
    except Unsure as lost:
        return _end(letter, "lose_track", {}, at, reason=str(lost))
    except Exception:
        log.exception("letter %s: its sender failed, and nobody knows whether it went out", letter_id)
        return _end(letter, "lose_track", {}, at, reason="sender-fault")
    return _end(letter, "confirm_sent", {"sender": receipt.sender, "reference": receipt.reference, "sent_at": at}, at,
                sender=receipt.sender)


def retry(*, at: datetime) -> int:
    """What a sweep does: failed letters whose time has come are queued again, those that lost their worker become
    `unknown`, and those that wait without one get one. The number of letters taken up.
    """
    overdue = at - LOST_AFTER
    due = Letter.objects.filter(state="failed", retry_at__lte=at).order_by("retry_at")
    lost = Letter.objects.filter(state="sending", sending_at__lte=overdue).order_by("sending_at")
    idle = Letter.objects.filter(state="queued", channel__in=BY_MACHINE, queued_at__lte=overdue).order_by("pk")
    return (sum(_take_up(pk, at) for pk in due.values_list("pk", flat=True)[:GROUP])
            + sum(_lose(pk, at) for pk in lost.values_list("pk", flat=True)[:GROUP])
            + sum(_ask_again(pk) for pk in idle.values_list("pk", flat=True)[:GROUP]))


def _parcel(letter: Letter) -> Parcel:
    to, words = contents.recipient(letter), contents.words(letter)
    if letter.channel == "sms":
        return Parcel(letter.pk, letter.channel, to.phone, words.paragraphs[0].encode(), "txt")
    return Parcel(letter.pk, letter.channel, to.name, rendering.screen(words).encode(), "html")


@transaction.atomic
def _start(letter_id: int, at: datetime) -> Letter | None:
    """Step 1; nothing where another worker was first, or where the office prints it itself."""
    (row,) = lock(Letter(pk=letter_id))
    if row.state != "queued" or row.channel not in BY_MACHINE:
        return None
    return _perform(row, "start", {"tries": row.tries + 1, "sending_at": at}, at)


def _not_sent(letter: Letter, no: NotSent, at: datetime) -> Letter:
    pause = next_try(letter.tries) if no.again else None
    return _end(letter, "fail", {"problem": no.code, "retry_at": at + pause if pause else None}, at, reason=no.code)


@transaction.atomic
def _end(letter: Letter, action: str, also: dict[str, Any], at: datetime, **told: Any) -> Letter:
    """Step 3; a letter on which somebody decided meanwhile, or that is sent for another time, is no longer ours."""
    (row,) = lock(letter)
    ours = row.state in ("sending", "unknown") and row.sending_at == letter.sending_at
    if not ours or (row.state, action) == ("unknown", "lose_track"):
        return row
    return _perform(row, action, also, at, **told)


@transaction.atomic
def _take_up(pk: int, at: datetime) -> bool:
    (row,) = lock(Letter(pk=pk))
    if row.state != "failed" or row.retry_at is None or row.retry_at > at:
        return False
    _perform(row, "send_again", {"problem": "", "retry_at": None, "queued_at": at}, at)
    later("letters.send", letter_id=pk)
    return True


@transaction.atomic
def _lose(pk: int, at: datetime) -> bool:
    (row,) = lock(Letter(pk=pk))
    if row.state != "sending" or row.sending_at is None or row.sending_at > at - LOST_AFTER:
        return False
    _perform(row, "lose_track", {}, at, reason="worker-lost")
    return True


@transaction.atomic
def _ask_again(pk: int) -> bool:
    later("letters.send", once=f"letter {pk}", letter_id=pk)
    return True


def _perform(row: Letter, action: str, also: dict[str, Any], at: datetime, **told: Any) -> Letter:
    """A step that no request asked for: its id says from which version of the row it was taken."""
    request_id = sub(UUID(int=row.pk), f"letter {action} {row.version}")
    return perform(row, action, also, by=SYSTEM, request_id=request_id, at=at, **told)
