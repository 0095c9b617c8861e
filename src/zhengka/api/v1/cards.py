"""The state of a card, for officers' programs."""

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router, Schema
from pydantic import Field

from zhengka.api.access import requires
from zhengka.cards import queries

router = Router()
Serial = Annotated[str, Path(pattern=r"^[0-9]{16}$", description="The card's own number, 16 digits.")]


class CardStatusOut(Schema):
    """Where a card stands, in the register and at a gate."""

    serial: str = Field(description="The card's own number.")
    state: str = Field(description="State in the register, as in docs/reference/workflows.md.", examples=["active"])
    standing: str = Field(description="What a gate must think of it: valid, suspended, revoked, expired, "
                                      "not-activated or activation-lapsed.")
    issued_on: date | None = Field(description="First day of its legal validity.")
    valid_until: date | None = Field(description="Last day of its legal validity.")
    active_until: date | None = Field(description="Last day of its activation; null where it was never activated.")
    area: str = Field(description="Issuing unit, six digits.")
    checked_at: datetime = Field(description="Time of this answer.")


@router.get("/cards/{serial}/status", auth=requires("card.read"), response=CardStatusOut,
            summary="The state of a card", operation_id="cardStatus", url_name="card-status",
            openapi_extra={"x-problems": ["not-found"]})
def card_status(request: HttpRequest, serial: Serial) -> CardStatusOut:
    """The card with this serial within the officer's area; any other is as if there were none."""
    now = timezone.now()
    card = queries.by_serial(serial, actor=request.actor)  # type: ignore[attr-defined]
    return CardStatusOut(
        serial=serial, state=card.state, standing=queries.gate_state(card, now), issued_on=card.issued_on,
        valid_until=card.valid_until, active_until=card.active_until, area=card.area.unit6, checked_at=now)
