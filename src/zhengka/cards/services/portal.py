"""A portal on which holders log in under their real name tells who asked for the next term (网上激活)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.cards.services.life import activate
from zhengka.core import signed
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, sub

_ROOT: Final = UUID("0b7e4f0a-53c1-4b8e-9d0e-6f2f6a1c7d35")
PORTAL: Final = Actor(None, "portal", "portal", frozenset({"card.activate"}), *WHOLE_NATION)
"""Who activates, in the events of cards."""


def check_portal(stamp: str, body: bytes, signature: str, *, at: datetime) -> None:
    """Refuse (`portal-signature-wrong`) a body that was not signed by the portal's secret within `signed.FRESH`."""
    if not signed.is_signed(settings.PORTAL_SECRET, stamp, body, signature, at=at):
        raise Refusal("portal-signature-wrong")


def activate_by_portal(serial: str, reference: str, *, at: datetime) -> tuple[Card, bool]:
    """Give the card with this serial its next term. `reference`: the number of the portal's own record, the evidence.
    The card, and True where the same record came before: then nothing is done.

    `Refusal`: `not-found`, and as `activate` does, for a first activation, a region without portals, a closed window.
    """
    card = queries.by_serial(serial, actor=PORTAL)
    try:
        return activate(card, channel="portal", evidence=reference, by=PORTAL, at=at,
                        request_id=sub(_ROOT, f"{card.pk} {reference}")), False
    except Replayed:
        return queries.by_serial(serial, actor=PORTAL), True
