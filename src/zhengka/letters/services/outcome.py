"""What became of a letter (送达情况), told by a provider or decided by an officer."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.events import perform
from zhengka.core.queue import later
from zhengka.letters.models import Letter
from zhengka.letters.workflow import BY_MACHINE

CAME_BACK: Final = "came-back"
"""Why a letter failed that was sent: a code of `letters.senders.REASONS`."""


@transaction.atomic
def mark_delivered(letter: Letter, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    """It reached the person (送达), as the provider reports or somebody saw. Raises `Replayed` for a repeat."""
    return perform(letter, "deliver", {"sent_at": letter.sent_at or at}, by=by, request_id=request_id, at=at)


@transaction.atomic
def come_back(letter: Letter, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    """It did not reach the person (退回): the post or the provider says so. It is not tried again by itself."""
    return perform(letter, "come_back", {"problem": CAME_BACK}, by=by, request_id=request_id, at=at)


@transaction.atomic
def send_again(letter: Letter, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    """Queue a letter that failed, or whose outcome nobody knows: an officer takes it upon herself that it may come
    twice (重新发送).
    """
    letter = perform(letter, "send_again", {"problem": "", "retry_at": None, "tries": 0, "queued_at": at}, by=by,
                     request_id=request_id, at=at)
    if letter.channel in BY_MACHINE:
        later("letters.send", letter_id=letter.pk)
    return letter


@transaction.atomic
def cancel(letter: Letter, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    """Take back a letter that has not gone out (撤回)."""
    return perform(letter, "cancel", {"problem": "", "retry_at": None}, by=by, request_id=request_id, at=at)
