"""Plain functions for tests of lists: many active cards of which gates know, and acts that block many of them."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import activating
import builders
from builders import NOON
from zhengka.cards import services
from zhengka.cards.models import Card, ListHold
from zhengka.cards.services import bundles
from zhengka.core.actors import Actor
from zhengka.core.events import Many, perform_many
from zhengka.formats import statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status, StatusList
from zhengka.keys import services as keys

MANY = 520
"""More than five hundred, the fewest that wait."""


def many_active(count: int = MANY) -> list[Card]:
    """So many active cards in one list, which is published."""
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    activating.fill(count - 1)
    Card.objects.update(active_until=dt.date(2027, 11, 20))
    services.allot(sorted(Card.objects.values_list("pk", flat=True)), at=NOON)
    services.publish_status_lists(at=NOON)
    return list(Card.objects.order_by("pk"))


def block_many(cards: Sequence[Card], *, by: Actor | None = None, at: dt.datetime = NOON) -> None:
    """One act of one officer that blocks them all."""
    perform_many(Many(Card, [card.pk for card in cards], "active"), "report_lost", by=by or builders.make_actor(),
                 request_id=builders.request_id(), at=at)


def report(verb, card: Card, *, by: Actor | None = None, at: dt.datetime = NOON) -> Card:
    """A card is reported lost or found."""
    return verb(Card.get(card.pk), by=by or builders.make_actor(), request_id=builders.request_id(), at=at)


def shown(number: int, at: dt.datetime = NOON, folder: Path | None = None) -> StatusList:
    """The list as a gate reads it from the public folder."""
    place = folder or bundles.folder()
    trusted = KeySet.from_json((place / "keys.json").read_text())
    return statuslist.parse((place / f"status-{number}.bin").read_bytes(), keys=trusted, at=at)


def refused(cards: Sequence[Card], at: dt.datetime = NOON) -> int:
    """How many of these cards a gate refuses by the published list."""
    lists = {number: shown(number, at) for number in {card.status_list for card in cards}}
    return sum(lists[card.status_list].status(card.status_index) is not Status.VALID for card in cards)


def released(hold: ListHold, at: dt.datetime = NOON) -> ListHold:
    """A hold that two persons released."""
    for act, role, said in ((services.ask_release, "approver", {"why": "已核实"}), (services.release, "leader", {})):
        hold = act(hold, **said, seen=hold.cards, by=builders.make_actor(role), request_id=builders.request_id(), at=at)
    return hold
