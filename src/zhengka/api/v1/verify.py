"""Whether a card may be accepted now, by the text of its code."""

import time
from datetime import date, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import public
from zhengka.core.pace import CHECKS, visitor
from zhengka.formats.qr import LONGEST_TEXT
from zhengka.formats.verdict import GREEN
from zhengka.gates import services as gates
from zhengka.gates.rules import ONLINE

router = Router()


class VerifyIn(Schema):
    """A presented code."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: str = Field(min_length=1, max_length=LONGEST_TEXT,
                      description="The text of the QR code, or its digits alone.")


class Message(Schema):
    """One sentence in each language."""

    en: str
    zh: str


class VerifyOut(Schema):
    """The verdict. It says nothing about the person: no name, no number, no category, no benefit."""

    verdict: str = Field(examples=["valid"], description=(
        "valid, suspended, revoked, expired, not-activated, activation-lapsed, not-yet-valid, card-unknown, "
        "not-our-code, signature-wrong, algorithm-mismatch or one of key-…."))
    colour: str = Field(description="green: let pass; red: refuse; amber: ask the issuing office.", examples=["green"])
    accepted: bool = Field(description="True for green only.")
    identity: bool = Field(description=(
        "True where the card proves that its holder is certified disabled, whatever services it gives now: a lapsed "
        "activation stops services, never the certificate."))
    message: Message = Field(description="The verdict in plain words.")
    reason: str = Field(description=(
        "For not-our-code: what is wrong with the text, such as foreign-host where it leads to a host that none of our "
        "codes has; else empty."))
    issued_on: date | None = Field(description="First day of the card's legal validity.")
    valid_until: date | None = Field(description="Last day of the card's legal validity.")
    active_until: date | None = Field(description="Last day of its activation year.")
    checked_at: datetime = Field(description="Time of this answer.")


@router.post("/verify", auth=public, response=VerifyOut, summary="Verify a presented card",
             operation_id="verify", url_name="verify", openapi_extra={"x-problems": ["too-many-requests"]})
def verify(request: HttpRequest, asked: VerifyIn) -> HttpResponse:
    """Decide by signature, dates and the card's state in the register at this moment. A forged or foreign code is an
    answer (200 with its verdict), not a problem. The check is counted without any data of a person.
    """
    CHECKS.take(visitor(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""),
                        behind_front=settings.BEHIND_FRONT), now=time.monotonic())
    at = timezone.now()
    found = gates.verify(asked.code, at=at)
    word = ONLINE[found.verdict]
    answer = VerifyOut.model_construct(  # of our own values: checking them against their own types takes 0.1 ms
        verdict=found.verdict, colour=word.colour, accepted=word.colour == GREEN, identity=found.identity,
        message=Message.model_construct(en=word.en, zh=word.zh), reason=found.reason, issued_on=found.issued_on,
        valid_until=found.valid_until, active_until=found.active_until, checked_at=at)
    return HttpResponse(answer.model_dump_json(), content_type="application/json; charset=utf-8")
