"""The demo plants wrong cards (植错): a swap of each kind in its first batch that is large enough. Each must be caught
when the results come, and another card made in its place (I4).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch, Item

LEAST: Final = 20
"""Prepared cards of a batch in which swaps are planted."""
BY_MAKER: Final = {"print-swapped": "print-differs", "chip-swapped": "readback-differs", "qr-swapped": "qr-differs",
                   "photo-swapped": "photo-differs"}
"""What the maker plants, two cards each, and by which name it must be caught."""
BY_US: Final = {"credential-swapped": slice(-3, -1), "record-changed": slice(-1, None)}
"""What is planted in the record once a batch is prepared, and on which of its cards: caught as `record-differs`."""
WORDS: Final[Mapping[str, str]] = {
    "print-swapped": "卡面互换 print of another card", "chip-swapped": "芯片互换 chip of another card",
    "qr-swapped": "印制二维码互换 printed QR of another card", "photo-swapped": "照片互换 photo of another person",
    "credential-swapped": "二维码数据互换 QR data of another card",
    "record-changed": "备卡后改档案 record changed since"}
GOOD: Final = ("ready", "issued", "active", "suspended")
"""States of a card that came out of the gate."""


class Caught(NamedTuple):
    """What became of one kind: cards planted, caught by the right name, and replaced by a good card."""

    words: str
    planted: int
    caught: int
    made_good: int


def chosen(by: Actor) -> Batch | None:
    """The batch in which swaps are planted, the same in every run; None where none is large enough, or where the
    installation had made its first cards before swaps were planted.
    """
    mark = _mark()
    large = batches.batches(by).filter(prepared__gte=LEAST).order_by("pk")
    if mark.exists():
        return large.filter(number=mark.read_text()).first()
    first = large.first()
    if first is None or first.state not in ("prepared", "sent"):
        return None
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(first.number)
    return first


@transaction.atomic
def mix_up(batch: Batch) -> None:
    """Spoil the record of the last cards of a batch, once: two have each other's credential, one another last day."""
    items, already = _items(batch), set(production.changed(batch))
    one, other = items[BY_US["credential-swapped"]]
    if not already & {one.pk, other.pk}:
        one.card.credential, other.card.credential = other.card.credential, one.card.credential
        Card.objects.bulk_update([one.card, other.card], ["credential"])
    (late,) = items[BY_US["record-changed"]]
    if late.pk not in already and late.card.valid_until:
        Card.objects.filter(pk=late.card_id).update(valid_until=late.card.valid_until + timedelta(days=365))


@transaction.atomic
def make_good(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """Put the record right again and order another card in place of each suspect one; how many."""
    (late,) = _items(batch)[BY_US["record-changed"]]
    Card.objects.filter(pk=late.card_id).update(valid_until=late.card.certificate.valid_until)
    suspects = batches.suspects(batch).values_list("card", flat=True)
    return len(cards.reorder_many(list(suspects), by=by, request_id=request_id, at=at))


def caught(by: Actor) -> list[Caught]:
    """What became of each kind that was planted; nothing where none was."""
    batch = chosen(by) if _mark().exists() else None
    if batch is None:
        return []
    by_code = {kind: list(Item.objects.filter(batch=batch, outcome="suspect", reason=code))
               for kind, code in BY_MAKER.items()}
    items = _items(batch)
    ours = {kind: [item for item in items[place] if (item.outcome, item.reason) == ("suspect", "record-differs")]
            for kind, place in BY_US.items()}
    planted = {kind: 2 for kind in BY_MAKER} | {kind: len(items[place]) for kind, place in BY_US.items()}
    return [Caught(WORDS[kind], planted[kind], len(found), _replaced(found))
            for kind, found in (by_code | ours).items()]


def _replaced(items: list[Item]) -> int:
    """How many of the holders have a good card now."""
    holders = [item.card.holder_id for item in items]
    return Card.objects.filter(holder__in=holders, state__in=GOOD).values("holder").distinct().count()


def _items(batch: Batch) -> list[Item]:
    """The items of a batch that were prepared, whatever became of them since."""
    return list(Item.objects.filter(batch=batch).exclude(outcome="held").select_related("card__certificate").order_by(
        "position"))


def _mark() -> Path:
    """Where it is kept which batch it is, so that a demo that was stopped plants in the same."""
    return Path(settings.HOME) / "maker" / "planted"
