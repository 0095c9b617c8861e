"""Many letters are written together (批量拟发): what `write` does one by one, by one statement."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Done, begin_many
from zhengka.core.queue import later_many
from zhengka.letters import contents
from zhengka.letters.contents import Said
from zhengka.letters.models import Letter, Unwritten
from zhengka.letters.rules import Recipient
from zhengka.letters.services.writing import Message, permit, reached, said
from zhengka.letters.workflow import BY_MACHINE, LETTER

WRITE: Final = """
    INSERT INTO letters_letter (id, province, area, shared_with, state, version, template, template_from, subject,
                                subject_id, occasion, channel, language, recipient, words, whole, tries, sender,
                                reference, problem, written_at, queued_at)
    SELECT n.area / 10000000000 * 10000000000000 + nextval('letters_letter_ids'), n.area / 10000000000, n.area,
           n.shared_with, %(target)s, 1, n.template, n.since, n.subject, n.subject_id, n.occasion, n.channel,
           n.language, n.recipient, n.words, n.whole, 0, '', '', '', %(at)s, %(at)s
    FROM unnest(%(areas)s::bigint[], %(shared)s::bigint[], %(templates)s::text[], %(since)s::date[],
                %(subjects)s::text[], %(subject_ids)s::bigint[], %(occasions)s::text[], %(channels)s::text[],
                %(languages)s::text[], %(recipients)s::bytea[], %(words)s::bytea[],
                %(wholes)s::bytea[])
         AS n (area, shared_with, template, since, subject, subject_id, occasion, channel, language, recipient, words,
               whole)
    ON CONFLICT DO NOTHING
"""

SETTLE: Final = """
UPDATE letters_unwritten u SET settled_at = %(at)s FROM letters_letter m
WHERE m.id = ANY(%(ids)s) AND (u.subject_id, u.template, u.subject) = (m.subject_id, m.template, m.subject)
  AND u.settled_at IS NULL AND u.at < %(at)s
"""

KEY: Final = "subject, subject_id, template, occasion, channel"
"""What no two letters have in common, in the order of `writing.write`: a letter has the same request id by either."""

LEAVE: Final = """
INSERT INTO letters_unwritten (area, shared_with, subject, subject_id, template, occasion, channel, reason, slot, at)
SELECT n.area, n.shared_with, n.subject, n.subject_id, n.template, n.occasion, n.channel, n.reason, n.slot, %(at)s
FROM unnest(%(areas)s::bigint[], %(shared)s::bigint[], %(subjects)s::text[], %(subject_ids)s::bigint[],
            %(templates)s::text[], %(occasions)s::text[], %(channels)s::text[], %(reasons)s::text[], %(slots)s::text[])
     AS n (area, shared_with, subject, subject_id, template, occasion, channel, reason, slot)
ON CONFLICT DO NOTHING
"""

TOGETHER: Final = 100
"""Letters that one job carries, one after another: a job for each costs more than writing the letter."""

NO_WAY: Final = ("print",)
"""On which way a letter is noted as missing that has none: paper is the one for whom nothing else is known."""


class _Sheet(NamedTuple):
    """A letter before it is a row: the message on one channel, since when its wording holds, and what it says."""

    message: Message
    channel: str
    since: date
    said: Said

    @property
    def to(self) -> Recipient:
        """No more of the person than this way needs."""
        return reached(self.message.recipient, self.channel)


class _Refused(NamedTuple):
    """A letter that cannot be written on one channel."""

    message: Message
    channel: str
    no: Refusal


@transaction.atomic
def write_many(messages: Sequence[Message], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Put the letters of many messages into the outbox, in the caller's transaction, as `write` does: the same rows and
    events, and nobody is told of the same occasion in the same way twice.

    A letter that `write` would refuse for what it says or to whom is left out, counted and noted (`Unwritten`), and so
    is one that has no way to the person; it keeps back no other one, not even the same person's on another way.
    `Refusal`: `not-permitted`, `not-found` (an area outside the actor's): then nothing is written.
    """
    permit(messages, by)
    refused: list[_Refused] = []
    sheets = list(_sheets(messages, timezone.localtime(at).date(), refused))
    left = _note(refused, at)
    if not sheets:
        return Done(0, left)
    rows = Begun(Letter, WRITE, LETTER.initial, _columns(sheets), also=f", {KEY}",
                 part=f"concat_ws(' ', 'letter', {KEY})",
                 told="jsonb_build_object('template', template, 'channel', channel)",
                 answer="SELECT id, channel FROM made ORDER BY id")
    made = begin_many(rows, "write", "letter.send", by=by, request_id=request_id, at=at)
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"ids": [pk for pk, _ in made], "at": at})
    to_send = [pk for pk, channel in made if channel in BY_MACHINE]
    later_many("letters.send_many", [{"letter_ids": to_send[at:at + TOGETHER]}
                                     for at in range(0, len(to_send), TOGETHER)])
    return Done(len(made), left)


def leave(messages: Sequence[Message], reason: str, *, at: datetime) -> Counter[str]:
    """Note that these are not written, in the caller's transaction, for a reason of `letters.rules.UNREACHED`: what was
    done is done without letters. How many letters are missing, by the reason.
    """
    return _note([_Refused(message, channel, Refusal(reason))
                  for message in messages for channel in message.channels or NO_WAY], at)


def settle(subject: str, ids: Sequence[int], kind: str, *, at: datetime) -> int:
    """What was missing of a kind of letter about these rows is wanted no more, for the matter has passed by itself; how
    many letters.
    """
    return Unwritten.objects.filter(subject=subject, subject_id__in=ids, template=kind, settled_at=None).update(
        settled_at=at)


def _note(refused: Sequence[_Refused], at: datetime) -> Counter[str]:
    if refused:
        with connection.cursor() as cursor:
            cursor.execute(LEAVE, _left(refused) | {"at": at})
    return Counter(each.no.code for each in refused)


def _sheets(messages: Sequence[Message], on: date, refused: list[_Refused]) -> Iterator[_Sheet]:
    for message in messages:
        if not message.channels:
            refused += [_Refused(message, channel, Refusal("letter-no-way")) for channel in NO_WAY]
        for channel in message.channels:
            try:
                yield _Sheet(message, channel, *said(message, channel, on))
            except Refusal as no:
                refused.append(_Refused(message, channel, no))


def _left(refused: Sequence[_Refused]) -> dict[str, list[Any]]:
    messages = [each.message for each in refused]
    return _addressed(messages) | {
        "channels": [each.channel for each in refused], "reasons": [each.no.code for each in refused],
        "slots": [str(each.no.facts.get("slot", "")) for each in refused]}


def _addressed(messages: Sequence[Message]) -> dict[str, list[Any]]:
    """Whose letters, of which kind, about which rows, on which occasion."""
    return {
        "areas": [message.area.code for message in messages],
        "shared": [message.shared_with for message in messages], "templates": [message.kind for message in messages],
        "subjects": [message.subject.kind() for message in messages],
        "subject_ids": [message.subject.pk for message in messages],
        "occasions": [message.occasion for message in messages]}


def _columns(sheets: Sequence[_Sheet]) -> dict[str, list[Any]]:
    messages = [sheet.message for sheet in sheets]
    recipients, words, wholes = contents.seal_many([sheet.to for sheet in sheets], [sheet.said for sheet in sheets])
    return _addressed(messages) | {
        "since": [sheet.since for sheet in sheets], "channels": [sheet.channel for sheet in sheets],
        "languages": [message.recipient.language for message in messages], "recipients": recipients, "words": words,
        "wholes": wholes}
