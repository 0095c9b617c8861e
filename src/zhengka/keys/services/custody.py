"""A custodian's part in a ceremony (履行保管), in their own session: see one's component, bring it, agree."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import transaction

from zhengka.core import fields
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform, replayed, sub
from zhengka.core.queue import later
from zhengka.formats import shares
from zhengka.formats.shares import Share
from zhengka.formats.suites import SUITES
from zhengka.keys import queries
from zhengka.keys.models import Ceremony, Seat


@dataclass(frozen=True)
class Component:
    """A component as its custodian reads and writes it: its number (0: all parts together are XORed), its value in
    hexadecimal digits, and its check value.
    """

    number: int
    value: str = field(repr=False)
    check_value: str

    def __reduce__(self) -> NoReturn:
        """A component never travels in a pickle."""
        raise TypeError("a component of a key cannot be pickled")


def seal(seat: Seat, share: Share) -> bytes:
    """A component at rest: under the field keys, bound to its seat."""
    return fields.close(f"{share.number}:{share.value.hex()}", _place(seat))


def unseal(seat: Seat) -> Share:
    """The component that lies sealed at a seat; `Refusal("seat-done")` where it is gone."""
    if seat.component is None:
        raise Refusal("seat-done")
    number, _colon, value = fields.open_(bytes(seat.component), _place(seat)).partition(":")
    return Share(int(number), bytes.fromhex(value), seat.check_value)


@transaction.atomic
def show_component(row: Ceremony, *, by: Actor, request_id: UUID, at: datetime, action: str = "show") -> Component:
    """One's own component (查看分量), each time with an event; `action`: "show", or "print" for the sheet.

    `Refusal`: `not-your-seat`, `seat-done`, `step-not-open`.
    """
    (row,) = lock(row)
    seat = _own(row, by)
    if not replayed(request_id, Ceremony.kind(), row.pk):
        perform(row, action, by=by, request_id=request_id, at=at, seat=seat.number)
        Seat.objects.filter(pk=seat.pk, seen_at=None).update(seen_at=at)
    share = unseal(seat)
    return Component(share.number, share.value.hex(), share.check_value)


@transaction.atomic
def take_part(row: Ceremony, brought: Component | None = None, *, by: Actor, request_id: UUID,
              at: datetime) -> Ceremony:
    """Do one's part: type back the component from one's sheet, bring the one that one holds, or agree.

    What is typed back is compared with what was handed out, so that every sheet is known to be right before the key
    exists. `Refusal`: `not-your-seat`, `seat-done`, `component-wrong`, `step-not-open`; `Replayed` for a repeat.
    """
    (row,) = lock(row)
    if event := replayed(request_id, Ceremony.kind(), row.pk):
        raise Replayed(event)
    seat = _own(row, by)
    share = _checked(row, seat, brought) if row.draws or row.collects else None
    row = perform(row, "take_part", by=by, request_id=request_id, at=at, seat=seat.number,
                  check_value=share.check_value if share else "")
    seat.done_at = at
    if share and row.collects:
        seat.check_value = share.check_value
        seat.component = seal(seat, share)
    seat.save(update_fields=["done_at", "check_value", "component"])
    if row.seats.exclude(done_at=None).count() >= row.enough:
        row = perform(row, "complete", by=SYSTEM, request_id=sub(request_id, "complete"), at=at)
        later("keys.carry_on", ceremony_id=row.pk)
    return row


def _own(row: Ceremony, by: Actor) -> Seat:
    seat = queries.seat(row, by)
    if seat is None:
        raise Refusal("not-your-seat")
    return seat


def _checked(row: Ceremony, seat: Seat, brought: Component | None) -> Share:
    """What was typed, as a component that is right as far as can be told now; `Refusal("component-wrong")`."""
    if brought is None:
        raise Refusal("component-wrong")
    try:
        value = bytes.fromhex(brought.value)
        right = len(value) in shares.SIZES and (
            shares.check_value(value, SUITES[row.suite]) == brought.check_value.strip().lower())
    except ValueError:
        right = False
    if right and row.draws:
        right = hmac.compare_digest(value, unseal(seat).value)
    if right and row.aim == "recover":
        right = brought.number in (0, seat.number)
    if not right or not 0 <= brought.number <= shares.MOST:
        raise Refusal("component-wrong")
    return Share(brought.number, value, brought.check_value.strip().lower())


def _place(seat: Seat) -> str:
    return f"seat.component {seat.pk}"
