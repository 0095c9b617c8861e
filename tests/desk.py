"""A desk with real cards on it: one batch went to a card maker and came back, another one waits with held cards."""

from dataclasses import dataclass, field
from pathlib import Path

import batches
import builders
from batches import make_cards, make_maker, make_ordered, open_batch, prepare, receive, send
from builders import NOON, make_actor, make_area, request_id
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.formats import qr
from zhengka.production.models import Batch, Maker

BASE = "http://127.0.0.1:8000"
NAMES = ("王建国", "阿依古丽·买买提", "欧阳娜娜", "李敏", "田野", "张伟", "刘洋", "陈静")


@dataclass
class Desk:
    """Cards by the state in which the desk leaves them, and the two batches."""

    area: Area
    maker: Maker
    home: Path
    received: Batch
    prepared: Batch
    cards: dict[str, Card] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, list[int]]:
        """Ids of the rows that pages show, by the first part of their address."""
        return {"cards": [card.pk for card in self.cards.values()], "batches": [self.received.pk, self.prepared.pk]}


def make_desk(home: Path, *, area: Area | None = None) -> Desk:
    """Cards ready, issued, active, suspended, held; a received batch with findings; a prepared one with a held card."""
    area = area or make_area()
    maker = make_maker(home, area)
    ordered = [make_ordered(area=area, name=name, category=1 + place % 4) for place, name in enumerate(NAMES)]
    batch = send(prepare(open_batch(area, maker)))
    batch = receive(batch, make_cards(batch, home, plant=("wrong-readback", "unordered-serial")))
    good = list(Card.objects.filter(pk__in=[card.pk for card in ordered], state="ready").order_by("pk"))
    found = {"ready": good[0], "issued": hand_over(good[1]), "active": activate(hand_over(good[2])),
             "suspended": lose(activate(hand_over(good[3])))}
    for card in (make_ordered(area=area, name="吴桂英"), make_ordered(area=area, name="赵无照", photo=None)):
        found.setdefault("held", card)
    found["held"] = Card.objects.get(holder__name="赵无照")
    waiting = prepare(open_batch(area, maker))
    found = {state: Card.get(card.pk) for state, card in found.items()}
    return Desk(area, maker, home, batch, waiting, found)


def code_of(card: Card) -> str:
    """The text of the card's code."""
    return qr.to_text(bytes(Card.get(card.pk).credential or b""), BASE)


def digits_of(card: Card) -> str:
    """Its digits alone."""
    return code_of(card).rsplit("/", 1)[1]


def hand_over(card: Card) -> Card:
    """The card in its holder's hand."""
    return cards.hand_over(card, by=clerk(card), request_id=request_id(), at=NOON)


def activate(card: Card) -> Card:
    """The card active for a year."""
    return cards.activate(card, by=clerk(card), request_id=request_id(), at=NOON)


def lose(card: Card) -> Card:
    """The card reported lost."""
    return cards.report_lost(card, by=clerk(card), request_id=request_id(), at=NOON)


def clerk(card: Card) -> object:
    """An officer at the desk of the card's unit."""
    return make_actor("clerk", area=builders.Area.objects.get(pk=card.area_id))


__all__ = ["BASE", "Desk", "activate", "batches", "clerk", "code_of", "digits_of", "hand_over", "lose", "make_desk"]
