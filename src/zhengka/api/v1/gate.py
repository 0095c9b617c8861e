"""What a gate (闸机/核验终端) asks: to be paired, where it stands, what it must know, and what became of its visits.

Every call but the pairing is signed by the gate's own key. Each may be repeated: nothing is done twice.
"""

import base64
import time
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import gate, public
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.pace import PAIRINGS, visitor
from zhengka.core.scope import enter
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats.suites import INTL

router = Router()
SIGNED = ["gate-signature-wrong", "gate-shut-out", "gate-clock-wrong"]
Bytes64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$", description="64 bytes r ‖ s, base64url.")]


class PairIn(Schema):
    """A device that becomes a gate: the code that was typed in there, and its own new key."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: str = Field(pattern=r"^[0-9]{12}$", description="What the page of the gate shows to its office.")
    point: str = Field(pattern=r"^04[0-9a-f]{128}$", description="Public key on P-256: 04 ‖ x ‖ y.")
    signature: Bytes64
    request_id: str = Field(pattern=r"^[0-9a-f-]{36}$", description="A UUID of the device's own; a repeat tells it.")


class StandOut(Schema):
    """The gate and where it stands."""

    gate: int = Field(description="Number of the device: what X-Zhengka-Gate says.")
    name: str
    place: str
    now: datetime = Field(description="Time of this answer.")


@router.post("/gate/pair", auth=public, response=StandOut, summary="Pair a gate", operation_id="gatePair",
             url_name="gate-pair", openapi_extra={"x-problems": [
                 "gate-pairing-failed", "device-key-taken", "too-many-requests"]})
def pair(request: HttpRequest, asked: PairIn) -> StandOut:
    """Take the key of a gate. It signs `"zhengka-reading/1" ‖ "pair" ‖ code ‖ 00 ‖ origin` (ES256); the origin is that of
    this site as the device sees it, such as `https://card.example`.
    """
    PAIRINGS.take(visitor(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""),
                          behind_front=settings.BEHIND_FRONT), now=time.monotonic())
    enter(connection, *WHOLE_NATION)  # the code says at which office the gate is
    told = devices.Paired(INTL.name, bytes.fromhex(asked.point), asked.code, _bytes(asked.signature))
    origin, key = f"{request.scheme}://{request.get_host()}", UUID(asked.request_id)
    with suppress(Replayed):
        devices.pair_gate(told, origin, request_id=key, at=timezone.now())
    row = Device.objects.filter(sort="gate", public=told.point).first()
    if row is None:
        raise Refusal("gate-pairing-failed")
    return _stand(row)


@router.get("/gate/post", auth=gate, response=StandOut, summary="Where a gate stands", operation_id="gatePost",
            url_name="gate-post", openapi_extra={"x-problems": SIGNED})
def post(request: HttpRequest) -> StandOut:
    """The gate that asks, as its office has entered it."""
    return _stand(_gate(request))


def _gate(request: HttpRequest) -> Device:
    row: Device = request.auth  # type: ignore[attr-defined]
    return row


def _stand(row: Device, **also: Any) -> StandOut:
    return StandOut(gate=row.pk, name=row.name, place=row.place, now=timezone.now(), **also)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
