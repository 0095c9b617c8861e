"""A card is presented somewhere with a network (联机核验): what is to be thought of it at this very moment."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from zhengka.cards import queries as cards
from zhengka.cards import services as card_services
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import sub
from zhengka.formats import names, verdict
from zhengka.gates import rules
from zhengka.gates.models import Check, Use
from zhengka.keys import queries as keys
from zhengka.production import queries as production

GROUP: Final = 2_000
"""Uses that are turned into activations in one transaction."""


@dataclass(frozen=True)
class Face:
    """What the card's face shows, its name and number masked for strangers; `issuer` word for word as on the face."""

    name: str
    number: str
    category: int
    grade: int
    issuer: str
    issuer_en: str
    issued_on: date | None
    valid_until: date | None
    active_until: date | None


@dataclass(frozen=True)
class Answer:
    """The verdict on one presented code. `verdict` is a key of `rules.ONLINE`; `face` and `card` are there once the
    signature was found good and the register knows the card; `reason` says more of a code that is none of ours.

    Two answers in one: `ok`, whether it gives services now, and `identity`, whether it proves a disability.
    """

    verdict: str
    at: datetime
    face: Face | None = None
    card: Card | None = None
    reason: str = ""

    @property
    def colour(self) -> str:
        """`green`: let pass; `red`: refuse; `amber`: ask the office."""
        return rules.ONLINE[self.verdict].colour

    @property
    def ok(self) -> bool:
        """True for green only."""
        return self.colour == verdict.GREEN

    @property
    def identity(self) -> bool:
        """True where the card proves that its holder is certified disabled: never refused for a lapsed activation."""
        return (self.verdict in rules.PROVING and self.card is not None and self.card.certificate.state == "valid")

    @property
    def en(self) -> str:
        """The verdict in plain English."""
        return rules.ONLINE[self.verdict].en

    @property
    def zh(self) -> str:
        """The verdict in plain Chinese."""
        return rules.ONLINE[self.verdict].zh


def check(text: str, *, channel: str, at: datetime, by: Actor | None = None) -> Answer:
    """Decide on the text of a card's code, or its digits, by signature, dates, and the card's row as it is now.

    Costs the same whatever the size of the register, and counts the check without a person's data. `by`: an officer
    who is logged in; one of the card's own area sees the holder's whole name.
    """
    answer = _decide(text, at, by)
    Check.objects.create(at=at, channel=channel, verdict=answer.verdict,
                         area=answer.card.area_id if answer.card else None)
    if answer.ok and answer.card and channel in rules.USES and cards.use_counts(answer.card, at):
        Use.objects.bulk_create([Use(card=answer.card, area=answer.card.area_id, at=at)], ignore_conflicts=True)
    return answer


def renew_by_use(*, request_id: UUID, at: datetime) -> int:
    """Give their next term to all cards that were used since the last time, where a use counts as the yearly activation
    (正常使用), and forget the uses; how many were renewed. Each group is a transaction of its own.
    """
    moved, number = 0, 0
    while (done := _renew_group(sub(request_id, number), at)) is not None:
        moved, number = moved + done, number + 1
    return moved


@transaction.atomic
def _renew_group(request_id: UUID, at: datetime) -> int | None:
    """The first uses, renewed and removed; None where there is none."""
    uses = list(Use.objects.order_by("pk").select_for_update(skip_locked=True)[:GROUP])
    if not uses:
        return None
    days = {use.card_id: use.at.astimezone(verdict.CHINA).date() for use in uses}
    done = card_services.activate_by_use(days, by=SYSTEM, request_id=request_id, at=at)
    Use.objects.filter(pk__in=[use.pk for use in uses]).delete()
    return len(done.moved)


def _decide(text: str, at: datetime, by: Actor | None) -> Answer:
    told = verdict.decide(text, keys=keys.key_set(), lists={}, at=at, max_age=timedelta(), hosts=settings.CODE_HOSTS)
    if told.credential is None:
        return Answer(told.code, at, reason=told.reason)
    try:
        card = cards.by_token(told.credential.token)
    except Refusal:
        return Answer("card-unknown", at)
    standing = cards.gate_state(card, at)
    by_dates = told.code if told.code in rules.BY_DATES else standing
    return Answer(by_dates if standing == "valid" else standing, at, _face(card, by), card)


def _face(card: Card, by: Actor | None) -> Face:
    number = fields.open_(bytes(card.certificate.number), "certificate.number")
    issuer, issuer_en = production.issuer(card)
    own = by is not None and by.may("holder.read") and by.sees(card.area_id)
    return Face(
        name=card.holder.name if own else names.masked(card.holder.name), number=rules.masked_number(number),
        category=card.certificate.category, grade=card.certificate.grade, issuer=issuer,
        issuer_en=issuer_en, issued_on=card.issued_on, valid_until=card.valid_until,
        active_until=card.active_until)
