"""A card on a reader: begun for one officer, taken step by step as the reader signs it, ended once (读卡)."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import xor
from typing import Any, Final

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import queries
from zhengka.devices.models import Device, Reading
from zhengka.devices.services.registry import STOPPED
from zhengka.devices.workflow import GATE, READING_ENDS
from zhengka.formats.reading import NONCE, ReadingBroken, step_of

_PROTECTED: Final = 0x04
MINUTES: Final = 5
"""A reading that is not over after so many minutes is: the card lies there no more."""


@transaction.atomic
def begin_reading(reader: Device, purpose: str, *, by: Actor, at: datetime, subject_id: int | None = None) -> Reading:
    """Begin to read the card that lies on a reader, for an officer. `Refusal`: `not-permitted`, `not-found`,
    `device-stopped` for a reader that is not at work.
    """
    if not by.may("device.use"):
        raise Refusal("not-permitted", permission="device.use")
    if not by.sees(reader.area_id):
        raise Refusal("not-found")
    if reader.state != "active":
        raise Refusal("device-stopped", state=reader.state)
    row = Reading(province=reader.province, area=reader.area_id, reader=reader, officer_id=by.id, purpose=purpose,
                  subject_id=subject_id, nonce=secrets.token_bytes(NONCE), seed=secrets.token_bytes(16), began_at=at)
    row.save(force_insert=True)
    return row


@transaction.atomic
def take_step(reading: Reading, told: Any, commands: Sequence[bytes], *, by: Actor, at: datetime,
              module: bool = False) -> Reading:
    """Believe the next step of a reading, if its reader signed it; the reading with it.

    What is not believed ends the reading, and the reading says why: `garbled`, `wrong-signature`, `another-card` when
    chip or slot are not those of the first step, `overtime`, `reader-stopped`. `module`: the commands were for the
    security module in a second slot, and not for the card. `Refusal`: `not-found`, `reading-over`.
    """
    row = Reading.objects.select_for_update(of=("self",)).select_related("reader").get(pk=reading.pk)
    if row.officer_id != by.id or not by.sees(row.area):
        raise Refusal("not-found")
    if row.outcome and row.outcome != STOPPED:
        raise Refusal("reading-over", outcome=row.outcome)
    if row.outcome or row.reader.state != "active":
        return row if row.outcome else end_reading(row, STOPPED, at=at)
    if at > row.began_at + timedelta(minutes=MINUTES):
        return end_reading(row, "overtime", at=at)
    try:
        step, signature = step_of(told, bytes(row.nonce), commands)
    except ReadingBroken:
        return end_reading(row, "garbled", at=at)
    if step.number != row.steps or not step.is_of(queries.key_of(row.reader), signature):
        return end_reading(row, "wrong-signature", at=at)
    if not module and row.steps and (step.uid, step.atr) != (bytes(row.uid), bytes(row.atr)):
        return end_reading(row, "another-card", at=at)
    if not module:
        row.uid, row.atr = step.uid, step.atr
    row.steps += 1
    for each in step.exchanges:
        kept = _answer_kept(row, len(row.exchanges), each.answer)
        row.exchanges = [*row.exchanges, [as_kept(row, each.command, module=module), kept]]
    row.save(update_fields=["steps", "uid", "atr", "exchanges"])
    return row


def end_left_readings(*, at: datetime) -> int:
    """End the readings whose page was closed in the middle, as `overtime`; their number. A repeat ends none twice."""
    left = Reading.objects.filter(outcome="", began_at__lt=at - timedelta(minutes=MINUTES))
    return left.update(outcome="overtime", ended_at=at, seed=None)


def as_kept(reading: Reading, command: bytes, *, module: bool = False) -> str:
    """A command as a reading keeps it: in hexadecimal digits; of one that is protected (class bit 04) a mark under the
    reading's seed alone, for what it writes may be personal, and the seed is gone once the reading ended. One for the
    security module in a second slot is marked as such.
    """
    if module:
        return "psam " + command.hex()
    if not command[:1] or not command[0] & _PROTECTED:
        return command.hex()
    return "~" + hmac.digest(bytes(reading.seed or b""), command, "sha256").hex()


def answer_of(reading: Reading, place: int, kept: str) -> bytes:
    """The answer that a reading keeps at this place among its exchanges; only as long as the reading goes on, where it
    may be personal.
    """
    return _masked(reading, place, bytes.fromhex(kept[1:])) if kept.startswith("~") else bytes.fromhex(kept)


def _answer_kept(reading: Reading, place: int, answer: bytes) -> str:
    """In hexadecimal digits; of a gate's reading, which learns of the person, enciphered under the reading's seed, so
    that nobody reads it once the seed is gone.
    """
    return "~" + _masked(reading, place, answer).hex() if reading.purpose == GATE else answer.hex()


def _masked(reading: Reading, place: int, data: bytes) -> bytes:
    key = bytes(reading.seed or b"") + b"answer" + place.to_bytes(2)
    return bytes(map(xor, data, hashlib.shake_256(key).digest(len(data))))


@transaction.atomic
def end_reading(reading: Reading, outcome: str, *, at: datetime, subject_id: int | None = None) -> Reading:
    """End a reading by name, once; its reader was seen, and how it was. ValueError for an unknown name."""
    if outcome not in READING_ENDS:
        raise ValueError(f"a reading cannot end with {outcome}")
    row = Reading.objects.select_for_update(of=("self",)).get(pk=reading.pk)
    if row.outcome:
        raise Refusal("reading-over", outcome=row.outcome)
    row.outcome, row.ended_at, row.seed = outcome, at, None
    row.subject_id = subject_id or row.subject_id
    row.save(update_fields=["outcome", "ended_at", "seed", "subject_id"])
    Device.objects.filter(pk=row.reader_id).update(seen_at=at, health=outcome)
    return row
