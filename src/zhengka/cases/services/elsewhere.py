"""A case of a holder who belongs to another office (异地受理): a street receives it for its county, the county where
somebody lives for that of their household register.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengka.cases.models import Case
from zhengka.cases.services.opening import open_case
from zhengka.cases.workflow import KINDS
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, replayed, sub
from zhengka.core.scope import seeing_all
from zhengka.formats import idnumber
from zhengka.registry import services as registry

SAID = frozenset({"not-permitted", "reason-unknown", "correction-empty", "id-number-wrong", "move-in-future",
                  "move-nowhere"})
"""What is said about the request itself. Every other no would tell of a person, and has one answer for all."""


@dataclass(frozen=True)
class Present:
    """Who stands at the counter, by their ID card, and how they are reached where they live."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)


def open_elsewhere(kind: str, present: Present, *, by: Actor, request_id: UUID, at: datetime, **told: Any) -> Case:
    """Open a case, as `open_case` does, of a holder whose record the actor's office does not see.

    Name and ID number must be the record's. The look-up is an event of the holder, kept though the opening is refused:
    not one transaction but two. `Refusal`: those of `SAID`, and `elsewhere-unfit` for every other reason.
    """
    try:
        number = idnumber.parse(present.id_number)
    except idnumber.BadIdNumber as bad:
        raise Refusal("id-number-wrong", fault=bad.code) from None
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    if event := replayed(request_id, Case.kind()):
        raise Replayed(event)
    refused = Refusal("elsewhere-unfit")
    told["met"] = {"born": number.birth.isoformat(), "phone": present.phone, "address": present.address}
    with transaction.atomic(), seeing_all(connection):
        holder = registry.look_up(fields.index(number.id18), by=by, request_id=sub(request_id, "look up"), at=at)
        certificate = registry.current(holder.pk)
        if certificate and "assessment" in KINDS[kind].stages:
            told["wanted"] = certificate.category
        try:
            with transaction.atomic():
                if holder.name == present.name:
                    return open_case(kind, holder, by=by, request_id=request_id, at=at, **told)
        except Refusal as no:
            refused = no if no.code in SAID else refused
    raise refused
