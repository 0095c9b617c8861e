"""An operator's program has a card verified at one of its own places (核验)."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import partner
from zhengka.api.v1.verify import Message
from zhengka.formats.presenting import Answer, Place
from zhengka.formats.qr import LONGEST_TEXT
from zhengka.gates import services as gates

router = Router()
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Code = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, description=(
    "The text of the card's QR code, or its digits alone."))]


class PartnerVerifyIn(Schema):
    """A card that is shown at a place of the operator."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: Code
    venue: Word = Field(description="Code of the venue, as in the operator's rules.")
    service: Word = Field(description="Code of the service.")


class PartnerVerdictOut(Schema):
    """Whether to let pass, and what is given, as far as the operator's contract lets its people see it. Nothing about
    the person: no name, number, category or grade, and the same words for everybody who gets nothing here.
    """

    verdict: str = Field(examples=["valid"], description="valid, or the name of why not.")
    colour: str = Field(description="green: let pass; red: refuse; amber: ask; neutral: a good card, no benefit here.")
    accepted: bool = Field(description="True for green only.")
    benefit: str = Field(description="free, half or fixed:FEN; empty where nothing is given or only the verdict shown.")
    companions: int = Field(description="How many others pass on the same terms.")
    message: Message = Field(description="The answer in plain words.")
    checked_at: datetime = Field(description="Time of this answer.")


@router.post("/partner/verify", auth=partner("verify"), response=PartnerVerdictOut,
             summary="Verify a card at a place of one's own", operation_id="partnerVerify", url_name="partner-verify",
             openapi_extra={"x-problems": ["operator-unknown"]})
def verify(request: HttpRequest, asked: PartnerVerifyIn) -> PartnerVerdictOut:
    """By the card's state in the register at this moment and the operator's rules of this day; counted without any
    data of a person. A forged code is an answer, not a problem.
    """
    at, caller = timezone.now(), request.auth  # type: ignore[attr-defined]
    answer = gates.present_for(asked.code, Place(caller.operator, asked.venue, asked.service), at=at)
    return PartnerVerdictOut(
        verdict=answer.code, colour=answer.colour, accepted=answer.ok, message=Message(en=answer.en, zh=answer.zh),
        checked_at=at, **shown(answer))


def shown(answer: Answer) -> dict[str, Any]:
    """What the operator's people may see of what is given."""
    sees = answer.sees == "benefit"
    return {"benefit": answer.benefit if sees else "", "companions": answer.companions if sees else 0}
