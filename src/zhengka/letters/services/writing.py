"""Letters are written (拟发)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, sub
from zhengka.core.models import Stateful, province_of
from zhengka.core.queue import later
from zhengka.letters import contents, queries, templates
from zhengka.letters.contents import Said
from zhengka.letters.models import Letter, Unwritten
from zhengka.letters.rules import KINDS, LANGUAGES, OCCASION, Recipient, Value, Words, check_recipient
from zhengka.letters.workflow import BY_MACHINE, CHANNELS


@dataclass(frozen=True)
class Message:
    """What is to be said: a kind of `letters.rules.KINDS` with its slots, about which row, from which office, to whom,
    on which ways. `occasion` tells one reminder from the next (`2027-60`): a slug of at most 40 characters;
    `shared_with`: 12-digit code of another office that sees it; no `channels`: nothing leads to the person.

    ValueError for a kind, channel, language or occasion that cannot be: a fault of the caller's, not of a person's.
    """

    kind: str
    area: Area
    subject: Stateful
    recipient: Recipient = field(repr=False)
    slots: Mapping[str, Value] = field(repr=False)
    channels: tuple[str, ...]
    occasion: str = "once"
    shared_with: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no letter can be."""
        if (self.kind not in KINDS or self.recipient.language not in LANGUAGES or not set(self.channels) <= {*CHANNELS}
                or not re.fullmatch(OCCASION, self.occasion)):
            raise ValueError(f"no such letter: {self.kind} {self.channels} {self.occasion}")


@transaction.atomic
def write(message: Message, *, by: Actor, request_id: UUID, at: datetime) -> list[Letter]:
    """Put a letter into the outbox for each channel, in the caller's transaction; workers carry messages and files.

    Whoever was told of this occasion in this way is not told again: the letter that is there is the answer. One use
    case may write several letters under its own request id.
    `Refusal`: `not-permitted`, `not-found` (an area outside the actor's), `letter-unknown`, `letter-slots-wrong`,
    `letter-text-unfit`, `letter-no-way`.
    """
    permit([message], by)
    return [_write(message, channel, by=by, request_id=request_id, at=at) for channel in message.channels]


def permit(messages: Iterable[Message], by: Actor) -> None:
    """Refuse who may not write these: `not-permitted`, `not-found` (an area outside the actor's)."""
    if not by.may("letter.send"):
        raise Refusal("not-permitted", permission="letter.send")
    if not all(by.sees(message.area.code) for message in messages):
        raise Refusal("not-found")


def preview(message: Message, channel: str, *, at: datetime) -> Words:
    """What `write` would say on this channel; refuses as it does."""
    return said(message, channel, timezone.localtime(at).date())[1].words


def _write(message: Message, channel: str, *, by: Actor, request_id: UUID, at: datetime) -> Letter:
    key = {"subject": message.subject.kind(), "subject_id": message.subject.pk, "template": message.kind,
           "occasion": message.occasion, "channel": channel}  # in this order: `many.KEY` makes the same request id
    if there := Letter.objects.filter(**key).first():
        return there
    since, says = said(message, channel, timezone.localtime(at).date())
    letter = Letter(**key, province=province_of(message.area.code), area=message.area, shared_with=message.shared_with,
                    template_from=since, language=message.recipient.language, written_at=at, queued_at=at)
    contents.seal(letter, reached(message.recipient, channel), says)
    try:
        with transaction.atomic():
            begin(letter, "write", "letter.send", by=by, at=at, template=message.kind, channel=channel,
                  request_id=sub(request_id, "letter " + " ".join(map(str, key.values()))))
    except IntegrityError:
        if there := Letter.objects.filter(**key).first():  # somebody else wrote it at the same moment
            return there
        raise
    missing = Unwritten.objects.filter(subject=letter.subject, subject_id=letter.subject_id, template=letter.template)
    missing.filter(settled_at=None, at__lt=at).update(settled_at=at)
    if channel in BY_MACHINE:
        later("letters.send", letter_id=letter.pk)
    return letter


def said(message: Message, channel: str, on: date) -> tuple[date, Said]:
    """The day since which the wording holds, and what the letter says; what cannot be said or sent is refused."""
    to = message.recipient
    check_recipient(to, channel)
    template = templates.of(queries.wordings(), message.kind, message.area.code, on)
    whole = templates.say(template, message.slots, name=to.name, language=to.language, on=on)
    if channel != "sms":
        return template.valid_from, Said(whole)
    return template.valid_from, Said(
        templates.say_shortly(template, message.slots, language=to.language, on=on), whole)


def reached(recipient: Recipient, channel: str) -> Recipient:
    """No more of a person than this way needs: a message no address, a sheet of paper no phone."""
    return recipient._replace(address="") if channel == "sms" else recipient._replace(phone="")
