"""A portal activates the card of a holder who has logged in there (网上年度激活)."""

from datetime import date
from typing import Annotated, Literal

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import portal
from zhengka.cards import services
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter

router = Router()
Serial = Annotated[str, Field(pattern=r"^[0-9]{16}$", description="The card's own number, 16 digits.")]


class ActivationIn(Schema):
    """One card whose holder has asked for its next term."""

    model_config = ConfigDict(extra="forbid", strict=True)
    serial: Serial
    reference: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{0,39}$", description=(
        "Number of the portal's own record of it, never of a person; kept as the evidence."))


class ActivationOut(Schema):
    """What became of it."""

    serial: Serial
    result: Literal["activated", "repeated"] = Field(description=(
        "activated: the next term has begun; repeated: this record came before, and nothing was done."))
    active_until: date | None = Field(description="Last day of the card's activation now.")


@router.post("/activations", auth=portal, response=ActivationOut, summary="Give a card its next term",
             operation_id="activate", url_name="activations", openapi_extra={"x-problems": [
                 "portal-signature-wrong", "not-found", "step-not-open", "channel-not-allowed", "activation-in-person",
                 "activation-not-due", "evidence-wrong"]})
def activations(request: HttpRequest, asked: ActivationIn) -> ActivationOut:  # noqa: ARG001 - ninja's signature
    """The yearly activation by the channel `portal`, where the card's region allows it and its window is open; the same
    record may be sent again. Signed by the portal's secret: headers `X-Zhengka-Time` (UTC, at most five minutes ago)
    and `X-Zhengka-Signature`.
    """
    enter(connection, *WHOLE_NATION)  # a portal serves every area
    card, repeated = services.activate_by_portal(asked.serial, asked.reference, at=timezone.now())
    return ActivationOut(serial=asked.serial, result="repeated" if repeated else "activated",
                         active_until=card.active_until)
