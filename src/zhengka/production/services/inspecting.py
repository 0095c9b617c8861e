"""A finished card looked at before its holder gets it (发卡前核对): print, chip, QR and record are of one card (I4).

A whole batch is matched when its results come: chip and print against what was noted when it was prepared, and the
record now against the record then. One card in the hand is matched in full, with its keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from zhengka.cards import queries as cards
from zhengka.cards import services as chips
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.formats import chip
from zhengka.formats.chip import agreement, applying
from zhengka.production.faces import layout_for
from zhengka.production.models import Batch, Item
from zhengka.production.services.gathering import look_up, subject_of
from zhengka.production.services.making import record_of, recorded

PAGE: Final = 1_000
"""Cards whose record is looked at together."""


@dataclass(frozen=True)
class Inspection:
    """What the record says of one card, for `agreement.differences`; it holds the card's keys, and is kept nowhere."""

    profile: chip.Profile
    known: agreement.Known
    keys: applying.CardKeys


def inspection(card: Card, *, at: datetime) -> Inspection:
    """What a card must show that is ready or just handed over; `Refusal("step-not-open")` in another state, for then
    its chip may have been told other things since it was made.
    """
    if card.state not in ("arrived", "ready", "issued") or card.serial is None:
        raise Refusal("step-not-open", state=card.state, action="inspect")
    profile = cards.profile(card.profile)
    record = record_of(subject_of(card), card.serial, bytes(card.credential or b""), layout_for(card.profile))
    known = agreement.Known(record, {"serial": card.serial}, bytes(card.uid or b""))
    return Inspection(profile, known, chips.chip_keys(profile, card.serial, at=at))


def changed(batch: Batch) -> list[int]:
    """The items of a batch whose record says something else than when they were prepared, or whose credential is
    another one; page by page, so that no list of all cards is ever in memory.
    """
    return [item for item, _ in _differing(Item.objects.filter(batch=batch, outcome="prepared"))]


def differing(made: "QuerySet[Item]") -> list[int]:
    """The cards of some items whose record says something else than when they were prepared."""
    return [card for _, card in _differing(made)]


def _differing(items: "QuerySet[Item]") -> Iterator[tuple[int, int]]:
    """Item and card where the blind index of the record now is not that of the record then. An item without one tells
    nothing.
    """
    after = 0
    while page := list(_told(items).filter(pk__gt=after)[:PAGE]):
        after = page[-1][0]
        subjects = {subject.item: subject for subject in look_up(Item.objects.filter(pk__in=[row[0] for row in page]))}
        for profile in {row[-1] for row in page}:
            rows = [row for row in page if row[-1] == profile]
            now = recorded(layout_for(profile), [(subjects[item], serial, bytes(credential or b""))
                                                 for item, _, _, serial, credential, _ in rows])
            yield from ((item, card) for (item, card, then, *_), record in zip(rows, now, strict=True)
                        if bytes(then) != record)


def _told(items: "QuerySet[Item]") -> "QuerySet[Item, tuple[Any, ...]]":
    """Item, card, record as it was prepared, serial, credential and profile, by item."""
    return items.exclude(record=None).order_by("pk").values_list(
        "pk", "card_id", "record", "card__serial", "card__credential", "batch__profile")  # type: ignore[return-value]
