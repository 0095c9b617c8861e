"""A card reaches its holder's hand (发放): at the counter, at home, or by an agent; with proof, and the old certificate
back.

What is printed and what the record says are compared by `production.services.hand_over`; here is who was there.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from zhengka.cards.models import Card
from zhengka.core import fields, files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, perform, perform_many, replayed, sub
from zhengka.custody import rules
from zhengka.custody.models import Keeping, Receipt
from zhengka.custody.services import booklets
from zhengka.custody.workflow import ON_A_LIST, RELATIONS, WAYS, WHY_TYPED
from zhengka.devices import queries as devices
from zhengka.formats.verdict import CHINA
from zhengka.production import services as production
from zhengka.registry.models import Certificate

FRESH: Final = timedelta(minutes=30)
"""So long does a reading prove that the card was there."""
SIGNATURE: Final = "custody.signature"
_LONGEST_NAME: Final = 60


@dataclass(frozen=True)
class Agent:
    """Who came in the holder's place (代领人): name, last four characters of the ID number, relation, mandate."""

    name: str = field(repr=False)
    digits: str = field(repr=False)
    relation: str
    mandate: str


class SignedList(NamedTuple):
    """A list that holders signed by hand as their cards were given out (签领单): its number, and the day."""

    number: str
    day: date


@dataclass(frozen=True)
class Proof:
    """By what a hand-over is proved: the chip on the officer's reader and the photo `matched`; a signature as `strokes`
    (JSON); the name `typed` for who cannot sign, `why`, and `confirmed`; or a list that was `listed` on paper. An agent
    signs, for the photo is the holder's; the chip may be `tapped` besides.
    """

    way: str = "counter"
    agent: Agent | None = None
    matched: bool = False
    tapped: bool = False
    strokes: str = field(default="", repr=False)
    typed: str = field(default="", repr=False)
    why: str = ""
    """Why nobody signs, of `workflow.WHY_TYPED`."""
    confirmed: bool = False
    listed: SignedList | None = None
    why_not: str = ""
    """Why the old booklet did not come back, of `workflow.WHY_NOT`; empty: it did."""
    looked: bool = False
    """The officer has compared print and code with the record, as `production.services.hand_over` may want."""


@dataclass(frozen=True)
class HandedHere(production.Handed):
    """As `production.Handed`, with those that by the records do not lie at a counter."""

    away: list[int]


@transaction.atomic
def hand_over(card: Card, proof: Proof, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Hand a card over with proof (发放), and take the old booklet back, or say why not.

    `Refusal`: `card-not-at-counter`, `proof-missing`, `reading-missing`, `signature-missing`, `list-incomplete`,
    `agent-incomplete`, `agent-must-sign`, what `booklets.take_back` says, and what `production.hand_over` says. Raises
    `Replayed` for a repeat.
    """
    if event := replayed(request_id, Card.kind(), card.pk):
        raise Replayed(event)
    keeping, old = _at_the_counter(card), booklets.old_of(card)
    receipt = _receipt(card, proof, by=by, at=at)
    with files.or_removed(receipt.signature):
        card = production.hand_over(card, looked=proof.looked, by=by, request_id=request_id, at=at)
        receipt.save(force_insert=True)
        _gone(card, _Left(keeping, old, proof.why_not), by=by, request_id=request_id, at=at)
    return card


@transaction.atomic
def hand_over_many(card_ids: Sequence[int], proof: Proof, *, by: Actor, request_id: UUID, at: datetime) -> HandedHere:
    """Hand over many cards (a village's round of visits), as `production.hand_over_many` does: the list that was signed
    by hand is the proof, and each card's receipt names it. Left out are those that do not lie at a counter; a repeat
    moves none twice. `Refusal`: `proof-missing` without a list, `list-incomplete`.
    """
    if proof.listed is None:
        raise Refusal("proof-missing")
    told = _on_a_list(proof.way, proof.listed, at)
    kept = dict(Keeping.objects.filter(card__in=card_ids).values_list("card", "state"))
    away = sorted(pk for pk, state in kept.items() if state in ("packed", "missing", "lost"))
    old = booklets.old_of_many(sorted(set(card_ids) - set(away)))
    done = production.hand_over_many(sorted(set(card_ids) - set(away)), by=by, request_id=request_id, at=at)
    areas = Card.objects.filter(pk__in=done.moved).order_by("pk").values_list("pk", "area")
    Receipt.objects.bulk_create([Receipt(card_id=pk, area=area, way=proof.way, person=by.person, at=at, **told)
                                 for pk, area in areas])
    booklets.take_back_many(old, done.moved, by=by, request_id=sub(request_id, "booklets"), at=at)
    for state in ("waiting", "returned"):
        ids = Keeping.objects.filter(card__in=done.moved, state=state).values_list("pk", flat=True)
        perform_many(Many(Keeping, list(ids), state, also=", since = %(at)s"), "hand_over", by=by,
                     request_id=sub(request_id, f"custody {state}"), at=at)
    return HandedHere(done.moved, done.outdated, done.keys_over, done.unseen, away)


def signature_of(receipt: Receipt) -> bytes:
    """The picture (SVG) of the signature; `Refusal("not-found")` where it was proved otherwise."""
    if not receipt.signature:
        raise Refusal("not-found")
    return files.open_sealed(receipt.signature, SIGNATURE).read()


def has_booklet(card: Card) -> bool:
    """Whether a card's holder has the booklet of an old certificate still."""
    return booklets.old_of(card) is not None


def _at_the_counter(card: Card) -> Keeping | None:
    """Where a card is kept that may be handed over; None for one that never came into custody."""
    keeping = Keeping.objects.filter(card=card).first()
    if card.state == "ready" and keeping is not None and keeping.state not in ("waiting", "returned"):
        raise Refusal("card-not-at-counter", serial=card.serial, state=keeping.state)
    return keeping


class _Left(NamedTuple):
    """Where a card was kept, the old certificate of its holder, and why its booklet does not come back."""

    keeping: Keeping | None
    old: Certificate | None
    why_not: str = ""


def _gone(card: Card, left: _Left, *, by: Actor, request_id: UUID, at: datetime) -> None:
    """The card has left, and the booklet came back or did not."""
    if left.old is not None:
        booklets.take_back(left.old, card, left.why_not, by=by, request_id=sub(request_id, "booklet"), at=at)
    if left.keeping is not None:
        perform(left.keeping, "hand_over", {"since": at}, by=by, request_id=sub(request_id, "custody"), at=at)


def _receipt(card: Card, proof: Proof, *, by: Actor, at: datetime) -> Receipt:
    """The receipt as it will be kept, its signature sealed in the file store."""
    told = _agent(proof)
    if proof.listed is not None:
        told |= _on_a_list(proof.way, proof.listed, at)
    elif proof.matched:
        told |= {"proof": "chip", "matched": True, "reading": _reading(card, by, at)}
    elif proof.way == "agent" and proof.tapped:
        told |= {"proof": "chip", "reading": _reading(card, by, at)} | _signed(proof)
    elif proof.strokes:
        told |= {"proof": "signature"} | _signed(proof)
    else:
        told |= _typed(proof)
    return Receipt(card=card, area=card.area_id, way=proof.way, person=by.person, at=at, **told)


def _on_a_list(way: str, listed: SignedList, at: datetime) -> dict[str, Any]:
    """The list that holders signed, as it is kept."""
    if way not in ON_A_LIST:
        raise Refusal("proof-missing", way=way)
    if not listed.number.strip() or listed.day > at.astimezone(CHINA).date():
        raise Refusal("list-incomplete")
    return {"proof": "list", "list_number": listed.number.strip()[:_LONGEST_NAME], "list_day": listed.day}


def _reading(card: Card, by: Actor, at: datetime) -> int:
    """The officer's own reading of the card's chip just now."""
    reading = devices.proved(card.pk, by.id, since=at - FRESH)
    if reading is None:
        raise Refusal("reading-missing", serial=card.serial)
    return reading


def _signed(proof: Proof) -> dict[str, Any]:
    """The signature, sealed in the file store."""
    picture = io.BytesIO(rules.drawn(rules.strokes_of(proof.strokes)))
    return {"signature": files.put_sealed_stream(picture, SIGNATURE)}


def _typed(proof: Proof) -> dict[str, Any]:
    """The name of who cannot sign, as it is kept."""
    if not proof.typed.strip():
        raise Refusal("proof-missing")
    if not proof.confirmed or proof.why not in WHY_TYPED:
        raise Refusal("signature-missing")
    name = proof.typed.strip()[:_LONGEST_NAME]
    return {"proof": "typed", "typed": fields.close(name, "receipt.typed"), "why_typed": proof.why}


def _agent(proof: Proof) -> dict[str, Any]:
    """Who came in the holder's place, as it is kept."""
    if proof.way not in WAYS:
        raise Refusal("proof-missing", way=proof.way)
    if proof.way != "agent":
        return {}
    agent = proof.agent
    if agent is None or agent.relation not in RELATIONS or not (agent.name.strip() and agent.mandate.strip()):
        raise Refusal("agent-incomplete")
    digits = agent.digits.strip().upper()
    if len(digits) != 4 or not digits.isascii() or not digits[:3].isdigit() or digits[3] not in "0123456789X":
        raise Refusal("agent-incomplete")
    if proof.matched or proof.listed or not (proof.strokes or (proof.typed.strip() and not proof.tapped)):
        raise Refusal("agent-must-sign")
    return {"agent": fields.close(agent.name.strip()[:_LONGEST_NAME], "receipt.agent"), "agent_digits": digits,
            "relation": agent.relation, "mandate": agent.mandate.strip()[:_LONGEST_NAME]}
