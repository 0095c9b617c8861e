"""The demo plants wrong cards (植错) in its first batch that is large enough: a swap of each kind and a missing card in
the results, two swaps in the box behind the maker's camera, and the results once more. Each must be caught by its name,
and another card made in the place of each (I4).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch, Item

LEAST: Final = 24
"""Prepared cards of a batch in which swaps are planted."""
BY_MAKER: Final = {"print-swapped": "print-differs", "chip-swapped": "readback-differs", "qr-swapped": "qr-differs",
                   "missing-card": "card-missing", "photo-swapped": "photo-differs"}
"""What the maker plants, two cards each and one that is missing, and by which name it must be caught."""
IN_BOX: Final = {"chip-swapped": "readback-differs", "qr-swapped": "qr-differs"}
"""What is planted in the box once the results are signed, two cards each: caught by the station of the office."""
BY_US: Final = {"credential-swapped": slice(-3, -1), "record-changed": slice(-1, None)}
"""What is planted in the record once a batch is prepared, and on which of its cards: caught as `record-differs`."""
WORDS: Final[Mapping[str, str]] = {
    "print-swapped": "卡面互换 print of another card", "missing-card": "缺卡 missing card",
    "chip-swapped": "芯片互换 chip of another card",
    "qr-swapped": "印制二维码互换 printed QR of another card", "photo-swapped": "照片互换 photo of another person",
    "credential-swapped": "二维码数据互换 QR data of another card",
    "record-changed": "备卡后改档案 record changed since"}
IN_BOX_WORDS: Final[Mapping[str, str]] = {
    "chip-swapped": "装箱后芯片互换 swapped card: chip, in the box",
    "qr-swapped": "装箱后二维码互换 swapped card: QR, in the box"}
TWICE: Final = "重复回盘 double result: the maker answers twice"
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


def planted_in(by: Actor) -> Batch | None:
    """The batch in which swaps were planted; None where none was."""
    return chosen(by) if _mark().exists() else None


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
    batch = planted_in(by)
    if batch is None:
        return []
    items = _items(batch)
    wrong = [item for item in items if item.outcome == "suspect"]
    found = [Caught(WORDS[kind], 1 if kind == "missing-card" else 2, *_told(
        [item for item in wrong if item.reason == code and not item.checked])) for kind, code in BY_MAKER.items()]
    found += [Caught(WORDS[kind], len(items[place]), *_told(
        [item for item in items[place] if (item.outcome, item.reason) == ("suspect", "record-differs")]))
        for kind, place in BY_US.items()]
    if batch.gate:
        found += [Caught(IN_BOX_WORDS[kind], 2, *_told(
            [item for item in wrong if item.reason == code and item.checked == "failed"]))
            for kind, code in IN_BOX.items()]
    return found


def answered_twice(batch: Batch, results: Path, *, by: Actor, at: datetime) -> bool:
    """Hand the results of a batch in once more; whether that was noticed by name, and nothing came of it."""
    before = Batch.get(batch.pk).version
    try:
        production.receive_results(batch, results, by=by, request_id=uuid4(), at=at)
    except Refusal as refusal:
        return refusal.code == "result-replayed" and Batch.get(batch.pk).version == before
    return False


def _told(found: list[Item]) -> tuple[int, int]:
    """How many were caught, and for how many of them another card is good."""
    return len(found), _replaced(found)


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
