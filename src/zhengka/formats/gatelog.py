"""The log of a gate (闸机日志): one line for each thing that happened at it, signed by the gate's own key.

An event is a JSON object in the one form that `JSON.stringify` gives an object with these members in this order:

    {"v":1,"gate":7,"seq":12,"kind":"visit","at":"2026-11-26T08:15:30Z","operator":"…","venue":"…","service":"…",
     "rule":"…","gives":"…","companions":0,"subject":"…","voucher":"…","from":"","until":"","proof":"qr","code":"valid",
     "list":41}                                                                  (without any space or line end)

Signed are the bytes of that text: ES256, 64 bytes r ‖ s. A line of an upload is text, tab, signature in base64url
without padding (RFC 4648, clause 5). `seq` counts from 1 at each gate and is never used twice; `subject` is the
pseudonym of one person for one operator in one month; `list` is the version of the public bundle (`formats.bundle`)
whose status lists the gate went by, 0 for none. Nothing else of a person is in it. The text decides what
an event is: the same text under another valid signature is the same event.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from zhengka.formats import voucher as vouchers
from zhengka.formats.suites import MalformedSignature, PublicKey
from zhengka.formats.voucher import GIVES, MOST_COMPANIONS, NAME

KINDS: Final = ("visit", "issue", "redeem", "cancel", "refusal")
"""A person went through (a voucher or none was needed); a voucher was issued, redeemed (核销), cancelled; a refusal."""
OF_VOUCHERS: Final = ("issue", "redeem", "cancel")
PROOFS: Final = ("tap", "qr", "show", "number", "voucher", "")
"""What was presented: the chip, the code, the face, a typed number, a voucher's own code; "" by nobody's card."""
MOST_TEXT: Final = 1024
MOST_LINES: Final = 20_000
"""Events of one upload: a gate sends more in several."""
MOST_BYTES: Final = 16 * 2**20
"""Bytes of one upload. A line has some 400, and 800 with long names."""

_INT: Final = r"(0|[1-9][0-9]{0,15})"
_ID: Final = rf"({NAME})"
_MAYBE: Final = rf"((?:{NAME})?)"
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_EVENT: Final = re.compile(
    rf'\{{"v":1,"gate":{_INT},"seq":{_INT},"kind":"({"|".join(KINDS)})","at":"({_TIME})","operator":"{_ID}",'
    rf'"venue":"{_MAYBE}","service":"{_ID}","rule":"{_MAYBE}","gives":"((?:{GIVES})?)","companions":([0-9]),'
    r'"subject":"((?:[0-9a-f]{32})?)","voucher":"((?:[A-Z2-7]{16})?)",'
    rf'"from":"((?:{_TIME})?)","until":"((?:{_TIME})?)","proof":"({"|".join(PROOFS)})","code":"{_ID}","list":{_INT}\}}',
    re.ASCII)
_PLACE: Final = re.compile(rf'\{{"v":1,"gate":{_INT},"seq":{_INT},', re.ASCII)
_LINE: Final = re.compile(rb"([\x20-\x7e]{1,%d})\t([A-Za-z0-9_-]{86})" % MOST_TEXT)

REASONS: Final = {
    "event-shape": "not an event in its one form",
    "event-value": "a value of the event is out of its range, or does not belong to its kind",
    "upload-too-long": f"an upload has more than {MOST_LINES} lines or {MOST_BYTES} bytes",
    "event-signature": "the gate named did not sign this",
}


class BadEvent(ValueError):
    """Text that is no event, or values that make none. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at a gate. `voucher` is a voucher's code (10 bytes) or empty; `begins` and `ends` are the
    voucher's time, and there for an issue only.
    """

    gate: int
    seq: int
    kind: str
    at: datetime
    operator: str
    venue: str
    service: str
    rule: str = ""
    gives: str = ""
    companions: int = 0
    subject: bytes = b""
    voucher: bytes = b""
    begins: datetime | None = None
    ends: datetime | None = None
    proof: str = ""
    code: str = "valid"
    list_version: int = 0

    def __post_init__(self) -> None:
        good = (
            self.seq > 0
            and 0 <= self.companions <= MOST_COMPANIONS
            and bool(self.voucher) == (self.kind in OF_VOUCHERS)
            and (self.begins is not None and self.ends is not None and self.begins < self.ends
                 if self.kind == "issue" else self.begins is None and self.ends is None)
            and (bool(self.rule and self.gives) or self.kind in ("refusal", "cancel"))
            and (bool(self.venue) or self.kind in OF_VOUCHERS)
        )
        if not good:
            raise BadEvent("event-value")


@dataclass(frozen=True, slots=True)
class Signed:
    """One line of an upload: the text exactly as it was signed, and the signature (64 bytes)."""

    text: str
    signature: bytes

    @property
    def digest(self) -> bytes:
        """What tells one event from another: SHA-256 of the text (32 bytes)."""
        return hashlib.sha256(self.text.encode()).digest()

    def place(self) -> tuple[int, int]:
        """Gate and number, read before anything else is; BadEvent."""
        match = _PLACE.match(self.text)
        if match is None:
            raise BadEvent("event-shape")
        return int(match[1]), int(match[2])

    def check(self, key: PublicKey) -> None:
        """Raise `BadEvent("event-signature")` unless this key signed the text."""
        try:
            good = key.verify(self.text.encode(), self.signature)
        except MalformedSignature:
            good = False
        if not good:
            raise BadEvent("event-signature")

    def to_line(self) -> str:
        """The line of an upload, without its end."""
        return f"{self.text}\t{urlsafe_b64encode(self.signature).decode().rstrip('=')}"


def write(event: Event) -> str:
    """The text of an event. Raises `BadEvent` for values that `read` would not take."""
    text = (
        f'{{"v":1,"gate":{event.gate},"seq":{event.seq},"kind":"{event.kind}","at":"{_time(event.at)}",'
        f'"operator":"{event.operator}","venue":"{event.venue}","service":"{event.service}","rule":"{event.rule}",'
        f'"gives":"{event.gives}","companions":{event.companions},"subject":"{event.subject.hex()}",'
        f'"voucher":"{vouchers.to_base32(event.voucher) if event.voucher else ""}","from":"{_time(event.begins)}",'
        f'"until":"{_time(event.ends)}","proof":"{event.proof}","code":"{event.code}","list":{event.list_version}}}')
    if _EVENT.fullmatch(text) is None or len(text) > MOST_TEXT:
        raise BadEvent("event-value")
    return text


def read(text: str) -> Event:
    """The event in a text; strict: one event has exactly one form. Raises `BadEvent`."""
    match = _EVENT.fullmatch(text)
    if match is None:
        raise BadEvent("event-shape")
    (gate, seq, kind, at, operator, venue, service, rule, gives, companions, subject, code10, begins, ends, proof, code,
     version) = match.groups()
    try:
        return Event(int(gate), int(seq), kind, datetime.fromisoformat(at), operator, venue, service, rule, gives,
                     int(companions), bytes.fromhex(subject), vouchers.from_base32(code10) if code10 else b"",
                     _read_time(begins), _read_time(ends), proof, code, int(version))
    except BadEvent:
        raise
    except ValueError:  # the 30th of February
        raise BadEvent("event-value") from None


def from_lines(upload: bytes) -> list[Signed | None]:
    """The lines of an upload; None for one that is none, for a line that a bad disk spoilt must not hold up the rest.

    Raises `BadEvent("upload-too-long")`.
    """
    if len(upload) > MOST_BYTES:
        raise BadEvent("upload-too-long")
    lines = upload.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > MOST_LINES:
        raise BadEvent("upload-too-long")
    return [Signed(match[1].decode(), urlsafe_b64decode(match[2] + b"=="))
            if (match := _LINE.fullmatch(line)) else None for line in lines]


def _time(time: datetime | None) -> str:
    if time is None:
        return ""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
