"""A card is presented somewhere with a network (联机核验): what is to be thought of it at this very moment."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats import verdict
from zhengka.gates import rules
from zhengka.gates.models import Check
from zhengka.keys import queries as keys
from zhengka.production import queries as production


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
    return answer


def _decide(text: str, at: datetime, by: Actor | None) -> Answer:
    told = verdict.decide(text, keys=keys.key_set(), lists={}, at=at, max_age=timedelta())
    if told.credential is None:
        return Answer(told.code, at, reason=told.reason)
    try:
        card = cards.by_token(told.credential.token)
    except Refusal:
        return Answer("card-unknown", at)
    standing = cards.gate_state(card, at)
    by_dates = told.code if told.code in ("expired", "not-yet-valid") else standing
    return Answer(by_dates if standing == "valid" else standing, at, _face(card, by), card)


def _face(card: Card, by: Actor | None) -> Face:
    number = fields.open_(bytes(card.certificate.number), "certificate.number")
    issuer, issuer_en = production.issuer(card)
    own = by is not None and by.may("holder.read") and by.sees(card.area_id)
    return Face(
        name=card.holder.name if own else rules.masked_name(card.holder.name), number=rules.masked_number(number),
        category=card.certificate.category, grade=card.certificate.grade, issuer=issuer,
        issuer_en=issuer_en, issued_on=card.issued_on, valid_until=card.valid_until,
        active_until=card.active_until)
