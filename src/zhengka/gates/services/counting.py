"""A check is counted without a person's data, and a use that counts as the yearly activation is noted."""

from datetime import datetime

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.gates.models import Check, Use


def count(verdict: str, card: Card | None, *, at: datetime, channel: str = "api") -> None:
    """Count one check by a program; a good card's use may be its activation (正常使用) where the region says so."""
    Check.objects.create(at=at, channel=channel, verdict=verdict, area=card.area_id if card else None)
    if verdict == "valid" and card:
        note_use(card, at)


def note_use(card: Card, at: datetime) -> None:
    """Note that a good card was used, where that may be its activation now."""
    if cards.use_counts(card, at):
        Use.objects.bulk_create([Use(card=card, area=card.area_id, at=at)], ignore_conflicts=True)
