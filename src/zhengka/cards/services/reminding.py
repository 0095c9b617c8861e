"""Holders are reminded of the year that ends (激活提醒): 60, 30 and 7 days before, by phone or on paper."""

from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import transaction

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.cards.queries import Due
from zhengka.cards.services.activation import claim_reminders
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.formats.verdict import CHINA
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, UNREACHED, Recipient, Value, is_phone
from zhengka.letters.services import Message
from zhengka.registry import services as registry

GROUP = 1_000
"""Reminders that are claimed and written in one transaction: what a run that died had claimed is claimed again."""
PLATFORM = UUID("0b7d1c8a-9f7e-4f4b-8a53-2f9a3c1f6d02")
"""Name space of the platform's own requests."""


def remind(*, at: datetime) -> int:
    """Write the reminders of a day, each once for its card, term and stage; for how many cards.

    Who can be reached neither by phone nor on paper is left out: the card's page shows that nothing was sent.
    """
    day, told = at.astimezone(CHINA).date(), 0
    while claimed := _group(day, at):
        told += claimed
    return told


@transaction.atomic
def _group(day: date, at: datetime) -> int:
    ids = claim_reminders(day, most=GROUP)
    due = {one.card_id: one for one in queries.reminders(ids, day)}
    for card in Card.objects.filter(pk__in=due).select_related("holder", "area").order_by("pk"):
        _write(card, due[card.pk], at)
    return len(ids)


def _write(card: Card, due: Due, at: datetime) -> None:
    to = Recipient(card.holder.name, *registry.reached(card.holder))
    slots: dict[str, Value] = {"days": due.days_left, "until": due.ends, "office": f"{card.area.name}残联",
                               "phone": HOTLINE}
    message = Message("activation-reminder", card.area, card, to, slots, ("sms",) if is_phone(to.phone) else ("print",),
                      occasion=f"{due.ends:%Y%m%d}-{due.stage}")
    try:
        letters.write(message, by=SYSTEM, request_id=uuid5(PLATFORM, f"remind {due.id}"), at=at)
    except Refusal as no:
        if no.code not in UNREACHED:
            raise
