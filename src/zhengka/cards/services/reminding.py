"""Holders are told of their cards by phone or on paper: of the year that ends (激活提醒), 60, 30 and 7 days before, and
of the card that lies ready for them (领取通知).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.cards.queries import Due
from zhengka.cards.services.activation import claim_reminders
from zhengka.core.actors import SYSTEM
from zhengka.formats.verdict import CHINA
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, Recipient, Value, ways
from zhengka.letters.services import Message
from zhengka.registry import services as registry

GROUP = 1_000
"""Reminders that are claimed and written in one transaction: what a run that died had claimed is claimed again."""
PLATFORM = UUID("0b7d1c8a-9f7e-4f4b-8a53-2f9a3c1f6d02")
"""Name space of the platform's own requests."""
TO_COLLECT: Final = timedelta(days=60)
"""How long a letter asks a holder to come for the card [ours: the Measures name no day, and nothing ends with it]."""
VISUAL: Final = 1
"""Category 视力 (GB/T 26341)."""

Slots = Mapping[str, Value]


def remind(*, at: datetime) -> int:
    """Write the reminders of a day, each once for its card, term and stage; for how many cards.

    Who can be reached neither by phone nor on paper is left out: the card's page shows that nothing was sent.
    """
    day, told = at.astimezone(CHINA).date(), 0
    while claimed := _group(day, at):
        told += claimed
    return told


@transaction.atomic
def tell_ready(card_ids: Sequence[int], *, at: datetime) -> int:
    """Write to the holders of those of the cards that lie ready (领取通知), once for each card; how many letters.

    Not to those whose certificate is frozen or has ended: they would come in vain.
    """
    until = at.astimezone(CHINA).date() + TO_COLLECT
    ready = Card.objects.filter(pk__in=card_ids, state="ready", certificate__state="valid")
    return _write("card-ready", ready, lambda card: ({"until": until, "place": _office(card)}, "once"), at)


@transaction.atomic
def _group(day: date, at: datetime) -> int:
    ids = claim_reminders(day, most=GROUP)
    due = {one.card_id: one for one in queries.reminders(ids, day)}
    _write("activation-reminder", Card.objects.filter(pk__in=due), lambda card: _ending(due[card.pk]), at)
    return len(ids)


def _ending(due: Due) -> tuple[Slots, str]:
    return {"days": due.days_left, "until": due.ends}, f"{due.ends:%Y%m%d}-{due.stage}"


def _write(kind: str, rows: "QuerySet[Card]", says: Callable[[Card], tuple[Slots, str]], at: datetime) -> int:
    """One letter of a kind about each of the cards, with what it says and on which occasion; how many letters."""
    cards, messages = list(rows.select_related("holder", "certificate", "area").order_by("pk")), []
    reached = registry.reached_many([card.holder for card in cards])
    for card, (phone, address) in zip(cards, reached, strict=True):
        to, (slots, occasion) = Recipient(card.holder.name, phone, address), says(card)
        messages.append(Message(kind, card.area, card, to, {**slots, "office": _office(card), "phone": HOTLINE},
                                ways(to, braille=card.certificate.category == VISUAL), occasion))
    return letters.write_many(messages, by=SYSTEM, request_id=uuid5(PLATFORM, kind), at=at).letters


def _office(card: Card) -> str:
    return f"{card.area.name}残联"
