"""One person's data in clear: only for a named purpose, and every time with an event."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import perform
from zhengka.registry.models import Holder


@dataclass(frozen=True)
class InFull:
    """A holder's personal data in clear. `certificates`: id of each certificate → its number."""

    id_number: str = field(repr=False)
    phone: str = field(repr=False)
    address: str = field(repr=False)
    guardian_name: str = field(repr=False)
    guardian_phone: str = field(repr=False)
    certificates: dict[int, str] = field(repr=False)


@transaction.atomic
def read_in_full(holder: Holder, *, by: Actor, request_id: UUID, purpose: str, at: datetime | None = None) -> InFull:
    """The holder's data in clear (查阅全项), told in an event with the purpose.

    `Refusal`: `purpose-missing`, `not-found`, `not-permitted`. Raises `Replayed` for a repeat.
    """
    if not purpose.strip():
        raise Refusal("purpose-missing")
    holder = perform(holder, "read_in_full", by=by, request_id=request_id, at=at, purpose=purpose.strip())
    guardian = json.loads(_clear(holder.guardian, "holder.guardian") or "{}")
    return InFull(
        id_number=_clear(holder.id_number, "holder.id_number"), phone=_clear(holder.phone, "holder.phone"),
        address=_clear(holder.address, "holder.address"), guardian_name=guardian.get("name", ""),
        guardian_phone=guardian.get("phone", ""),
        certificates={one.pk: _clear(one.number, "certificate.number")
                      for one in holder.certificates.order_by("id")})


def _clear(sealed: bytes | memoryview | None, name: str) -> str:
    return fields.open_(bytes(sealed), name) if sealed is not None else ""
