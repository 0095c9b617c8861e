"""Many letters are written together (批量拟发): what `write` does one by one, by one statement."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.queue import later_many
from zhengka.letters import contents
from zhengka.letters.rules import Recipient, Words
from zhengka.letters.services.writing import Message, permit, reached, said
from zhengka.letters.workflow import BY_MACHINE, LETTER

WRITE: Final = """
WITH made AS (
    INSERT INTO letters_letter (id, province, area, shared_with, state, version, template, template_from, subject,
                                subject_id, occasion, channel, language, recipient, words, tries, sender, reference,
                                problem, written_at, queued_at)
    SELECT n.area / 10000000000 * 10000000000000 + nextval('letters_letter_ids'), n.area / 10000000000, n.area,
           n.shared_with, %(state)s, 1, n.template, n.since, n.subject, n.subject_id, n.occasion, n.channel, n.language,
           n.recipient, n.words, 0, '', '', '', %(at)s, %(at)s
    FROM unnest(%(areas)s::bigint[], %(shared)s::bigint[], %(templates)s::text[], %(since)s::date[],
                %(subjects)s::text[], %(subject_ids)s::bigint[], %(occasions)s::text[], %(channels)s::text[],
                %(languages)s::text[], %(recipients)s::bytea[], %(words)s::bytea[])
         AS n (area, shared_with, template, since, subject, subject_id, occasion, channel, language, recipient, words)
    ON CONFLICT DO NOTHING
    RETURNING id, province, area, shared_with, template, subject, subject_id, occasion, channel
), told AS (
    INSERT INTO core_event (province, area, shared_with, subject, subject_id, version, action, source, target,
                            actor_id, actor_name, person, request_id, at, facts)
    SELECT province, area, shared_with, 'letter', id, 1, 'write', '', %(state)s, %(actor)s, %(actor_name)s, %(person)s,
           md5(concat_ws(' ', %(request_id)s || ':letter', subject, subject_id, template, occasion, channel))::uuid,
           %(at)s, jsonb_build_object('template', template, 'channel', channel) || %(lent)s::jsonb FROM made
)
SELECT id, channel FROM made ORDER BY id
"""


@dataclass(frozen=True)
class Written:
    """How many letters were written, and how many were not for what they say or to whom, by the code of the reason."""

    letters: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


class _Sheet(NamedTuple):
    """A letter before it is a row: the message on one channel, since when its wording holds, and what it says."""

    message: Message
    channel: str
    since: date
    words: Words

    @property
    def to(self) -> Recipient:
        """No more of the person than this way needs."""
        return reached(self.message.recipient, self.channel)


@transaction.atomic
def write_many(messages: Sequence[Message], *, by: Actor, request_id: UUID, at: datetime) -> Written:
    """Put the letters of many messages into the outbox, in the caller's transaction, as `write` does: the same rows and
    events, and nobody is told of the same occasion in the same way twice.

    A letter that `write` would refuse for what it says or to whom is left out and counted; it keeps back no other one.
    `Refusal`: `not-permitted`, `not-found` (an area outside the actor's): then nothing is written.
    """
    permit(messages, by)
    left = Counter[str]()
    sheets = list(_sheets(messages, timezone.localtime(at).date(), left))
    if not sheets:
        return Written(0, left)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, _columns(sheets) | {
            "state": LETTER.initial, "at": at, "request_id": str(request_id), "actor": by.id, "actor_name": by.name,
            "person": by.person, "lent": json.dumps(by.on_behalf("letter.send"))})
        made = cursor.fetchall()
    later_many("letters.send", [{"letter_id": pk} for pk, channel in made if channel in BY_MACHINE])
    return Written(len(made), left)


def _sheets(messages: Sequence[Message], on: date, left: Counter[str]) -> Iterator[_Sheet]:
    for message in messages:
        for channel in message.channels:
            try:
                yield _Sheet(message, channel, *said(message, channel, on))
            except Refusal as no:
                left[no.code] += 1


def _columns(sheets: Sequence[_Sheet]) -> dict[str, list[Any]]:
    messages = [sheet.message for sheet in sheets]
    recipients, words = contents.seal_many([sheet.to for sheet in sheets], [sheet.words for sheet in sheets])
    return {
        "areas": [message.area.code for message in messages],
        "shared": [message.shared_with for message in messages], "templates": [message.kind for message in messages],
        "since": [sheet.since for sheet in sheets], "subjects": [message.subject.kind() for message in messages],
        "subject_ids": [message.subject.pk for message in messages],
        "occasions": [message.occasion for message in messages], "channels": [sheet.channel for sheet in sheets],
        "languages": [message.recipient.language for message in messages], "recipients": recipients, "words": words}
