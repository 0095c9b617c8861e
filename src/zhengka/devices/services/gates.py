"""What a gate sends is signed by its own key (闸机签名): method, path, time and the digest of the body."""

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import Final, NamedTuple

from zhengka.core.errors import Refusal
from zhengka.core.signed import FRESH, TIME
from zhengka.devices.models import Device
from zhengka.formats.suites import SUITES, MalformedSignature

LONGEST: Final = 20
"""Digits in the number of a device."""


class Asked(NamedTuple):
    """A request as it came: `path` with its query, `stamp` the time that it names, `signature` base64url."""

    method: str
    path: str
    stamp: str
    body: bytes
    signature: str

    def spelled(self) -> bytes:
        """The bytes that the gate signs."""
        digest = hashlib.sha256(self.body).hexdigest()
        return "\n".join((self.method, self.path, self.stamp, digest)).encode()


def gate_that_asks(number: str, asked: Asked, *, at: datetime) -> Device:
    """The gate that signed a request lately, at work.

    `Refusal`: `gate-signature-wrong`, also for a number that is nobody's; `gate-shut-out` with its state where it is
    not at work, by which the device forgets what it holds; `gate-clock-wrong`.
    """
    good = number.isascii() and number.isdigit() and len(number) < LONGEST
    row = Device.objects.filter(pk=int(number), sort="gate").first() if good else None
    if row is None:
        raise Refusal("gate-signature-wrong")
    if row.public is None:
        raise Refusal("gate-shut-out", state=row.state)
    if not _is_signed(row, asked):
        raise Refusal("gate-signature-wrong")
    if row.state != "active":
        raise Refusal("gate-shut-out", state=row.state)
    _check_clock(asked.stamp, at)
    Device.objects.filter(pk=row.pk).update(seen_at=at)
    return row


def _is_signed(row: Device, asked: Asked) -> bool:
    try:
        signature = base64.urlsafe_b64decode(asked.signature + "=" * (-len(asked.signature) % 4))
        return SUITES[row.suite].public_key(bytes(row.public or b"")).verify(asked.spelled(), signature)
    except (binascii.Error, ValueError, MalformedSignature):
        return False


def _check_clock(stamp: str, at: datetime) -> None:
    try:
        apart = abs(at - datetime.strptime(stamp, TIME).replace(tzinfo=UTC))
    except ValueError:
        raise Refusal("gate-signature-wrong") from None
    if apart > FRESH:
        raise Refusal("gate-clock-wrong", now=at.astimezone(UTC).strftime(TIME))
