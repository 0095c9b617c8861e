"""A case of a holder who belongs to another office (异地受理): a street receives it for its county, the county where
somebody lives for that of their household register.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengka.areas.calendars import is_minor
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day
from zhengka.cases.services.opening import Guardian, as_told, at_first, check_guardian, open_case, phone_said
from zhengka.cases.services.opening import told as told_of
from zhengka.cases.workflow import KINDS
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, replayed, sub
from zhengka.core.scope import seeing_all
from zhengka.formats import idnumber
from zhengka.letters.rules import check_wishes
from zhengka.registry import services as registry

SAID = frozenset({"not-permitted", "reason-unknown", "correction-empty", "id-number-wrong", "move-in-future",
                  "move-nowhere"})  # those of a guardian come before the look-up
"""What is said about the request itself. Every other no would tell of a person, and has one answer for all."""


@dataclass(frozen=True)
class Present:
    """Who stands at the counter, by their ID card, and how they are reached where they live."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    guardian: Guardian = field(default=Guardian(), repr=False)
    wishes: str = field(default="", repr=False)
    """How they ask to be written to: some of `letters.rules.WISHES`, with spaces between."""


def open_elsewhere(kind: str, present: Present, *, by: Actor, request_id: UUID, at: datetime, **told: Any) -> Case:
    """Open a case, as `open_case` does, of a holder whose record the actor's office does not see.

    Name and ID number must be the record's. The look-up is an event of the holder, kept though the opening is refused:
    not one transaction but two. With a minor stands a guardian, to whom letters go. `Refusal`: those of `SAID` and of
    `check_guardian`, `phone-wrong`, `guardian-phone-wrong`, and `elsewhere-unfit` for every other reason.
    """
    try:
        number = idnumber.parse(present.id_number)
    except idnumber.BadIdNumber as bad:
        raise Refusal("id-number-wrong", fault=bad.code) from None
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    index, today = fields.index(number.id18), day(at)
    guardian = present.guardian._replace(phone=phone_said(present.guardian.phone, "guardian-phone-wrong"))
    told["met"] = {"born": number.birth.isoformat(), "phone": phone_said(present.phone), "address": present.address,
                   "wishes": " ".join(check_wishes(present.wishes.split())), **as_told(guardian)}
    if event := replayed(request_id, Case.kind()):
        _same(Case.get(event.subject_id), (kind, index, present.name), told)
        raise Replayed(event)
    check_guardian(guardian, index, today, needed=is_minor(number.birth, today))
    refused = Refusal("elsewhere-unfit")
    with transaction.atomic(), seeing_all(connection):
        holder = registry.look_up(index, by=by, request_id=sub(request_id, "look up"), at=at)
        certificate = registry.current(holder.pk)
        if certificate and "assessment" in KINDS[kind].stages:
            told.setdefault("wanted", certificate.category)
        try:
            with transaction.atomic():
                if holder.name == present.name:
                    return open_case(kind, holder, by=by, request_id=request_id, at=at, **told)
        except Refusal as no:
            refused = no if no.code in SAID else refused
    raise refused


def _same(first: Case, whose: tuple[str, bytes, str], said: dict[str, Any]) -> None:
    """A repeat says what the first one said, of the same person; `Refusal("request-id-reused")` for another (I17)."""
    said = {"reason": "", **said}
    kept = {"reason": first.reason, **at_first(told_of(first))}
    if "wanted" not in said:
        kept.pop("wanted", None)  # the category certified, which the front office does not know
    with suppress(idnumber.BadIdNumber):
        said |= {"id_number": idnumber.parse(said["id_number"]).id18} if said.get("id_number") else {}
    if whose != (first.kind_of_case, bytes(first.person_index), first.name) or said != kept:
        raise Refusal("request-id-reused")
