"""What a paired reader says, signed (读卡机具签名): which commands it sent to which chip, and what the chip answered.

    "zhengka-reading/1" ‖ kind ‖ nonce (16) ‖ number (2) ‖ each of: reader's name, identifier, answer to reset,
    then command and answer in turn, each with two bytes of length before it

The nonce is the server's: what was overheard belongs to another reading. The number says which step it is, so that
steps are neither left out nor moved. A pairing is signed the same way, over the code that a person carried across; and
what a gate read by the security module in a second slot (闸机读卡), as JSON with its names in order and no space.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from zhengka.formats.suites import MalformedSignature, PublicKey, SigningKey

FORMAT: Final = b"zhengka-reading/1"
NONCE: Final = 16
MOST_EXCHANGES: Final = 100
_MOST: Final = 300


class ReadingBroken(ValueError):
    """What came is not what a reader says: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Exchange(NamedTuple):
    """One command and the chip's answer, status word last."""

    command: bytes
    answer: bytes


class Step(NamedTuple):
    """One step of a reading: `number` from 0; `reader` the name of the slot, `uid` and `atr` of the chip in it."""

    nonce: bytes
    number: int
    reader: str
    uid: bytes
    atr: bytes
    exchanges: tuple[Exchange, ...]

    def sign(self, key: SigningKey) -> bytes:
        """The reader's signature over all of it."""
        return key.sign(self._spelled())

    def is_of(self, public: PublicKey, signature: bytes) -> bool:
        """True where the reader with this key said so."""
        return _right(public, self._spelled(), signature)

    def told(self) -> dict[str, Any]:
        """As JSON has it, bytes in hexadecimal digits."""
        return {"number": self.number, "reader": self.reader, "uid": self.uid.hex(), "atr": self.atr.hex(),
                "answers": [each.answer.hex() for each in self.exchanges]}

    def _spelled(self) -> bytes:
        parts = [self.reader.encode(), self.uid, self.atr, *[part for each in self.exchanges for part in each]]
        return b"".join([FORMAT, b"step", self.nonce, self.number.to_bytes(2),
                         *[len(part).to_bytes(2) + part for part in parts]])


def step_of(data: Any, nonce: bytes, commands: Sequence[bytes]) -> tuple[Step, bytes]:
    """A step as `Step.told` told it, with its signature; `nonce` and `commands` are what the server asked for.

    Answers may be fewer than commands: the reader stops at the first one that a chip refuses. ReadingBroken.
    """
    try:
        answers = [bytes.fromhex(answer) for answer in data["answers"]]
        step = Step(nonce, int(data["number"]), str(data["reader"]), bytes.fromhex(data["uid"]),
                    bytes.fromhex(data["atr"]), tuple(map(Exchange, commands, answers)))
        signature = bytes.fromhex(data["signature"])
        step.reader.encode()  # JSON may carry half a character, which no signature covers
    except (KeyError, TypeError, ValueError, OverflowError):  # a number beyond every number: 1e999
        raise ReadingBroken("garbled") from None
    sizes = (len(step.reader) <= _MOST and len(step.uid) <= 10 and len(step.atr) <= 33 and len(signature) == 64
             and 0 < len(answers) <= len(commands) and 0 <= step.number < MOST_EXCHANGES
             and all(2 <= len(answer) <= _MOST for answer in answers))
    if not sizes:
        raise ReadingBroken("garbled")
    return step, signature


def sign_pairing(key: SigningKey, nonce: bytes, code: str, origin: str) -> bytes:
    """The reader says that the person at this PC carried `code` from a page of `origin` to it."""
    return key.sign(_pairing(nonce, code, origin))


def is_pairing(public: PublicKey, signature: bytes, *, nonce: bytes, code: str, origin: str) -> bool:
    """True where the reader with this key said so."""
    return _right(public, _pairing(nonce, code, origin), signature)


def spelled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a card as JSON has them: a day as 2027-06-30, bytes in hexadecimal digits."""
    return {name: value.isoformat() if isinstance(value, date) else value.hex() if isinstance(value, bytes) else value
            for name, value in fields.items()}


def sign_gate(key: SigningKey, nonce: bytes, told: Mapping[str, Any]) -> bytes:
    """The reader says what a gate read: fields, the chip's identifier, the module that proved it."""
    return key.sign(_gate(nonce, told))


def is_gate(public: PublicKey, signature: bytes, *, nonce: bytes, told: Mapping[str, Any]) -> bool:
    """True where the reader with this key said so."""
    return _right(public, _gate(nonce, told), signature)


def _gate(nonce: bytes, told: Mapping[str, Any]) -> bytes:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return FORMAT + b"gate" + nonce + text.encode()


def _pairing(nonce: bytes, code: str, origin: str) -> bytes:
    return FORMAT + b"pair" + nonce + code.encode() + b"\0" + origin.encode()


def _right(public: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        return public.verify(message, signature)
    except MalformedSignature:
        return False
