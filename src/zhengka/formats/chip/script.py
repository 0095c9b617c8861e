"""From records to the commands that make cards of them, many at a time, and the proof that it was done.

A record gives every field of the profile by name: digits, text and name as str, number as int, date as
datetime.date, bytes as bytes. All work is done a column at a time; the keys of all cards are encrypted in one call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import Command, Transport, encode_command
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.profile import FREE, NEVER, SERIAL, Field, File, Profile
from zhengka.formats.suites import SUITES, Suite

Record = Mapping[str, Any]
PIECE: Final = 224
"""Most bytes of a file that one command reads or writes: with padding and MAC of a loading channel it still fits."""

_DONE = b"\x90\x00"
_CLOSED = b"\x69\x82"
_CLOSE = bytes.fromhex("80EA0000")
_SIZE = [bytes([size]) for size in range(256)]
_SLOT = "*"  # where a step of the plan takes the card's own challenge


class RecordBroken(ValueError):
    """A record that does not fit the profile: `code`, the field, and which record it was (from 0)."""

    def __init__(self, code: str, field: str, place: int) -> None:
        super().__init__(code, field, place)
        self.code, self.field, self.place = code, field, place

    def __str__(self) -> str:
        """Place, field and code; never the value."""
        return f"record {self.place}, {self.field}: {self.code}"


class Script(NamedTuple):
    """What makes one card: its serial and the commands in order; every one must be answered 9000."""

    serial: str
    commands: list[bytes]


class ReadingPlan(NamedTuple):
    """How a finished card is read back, the same for all cards of a profile.

    Each step is a command in hexadecimal digits; `*` stands for the challenge that comes from the card's serial. The
    plan ends by closing the card and by one read that must then be refused.
    """

    suite: str
    steps: tuple[str, ...]

    @classmethod
    def from_steps(cls, suite: str, steps: object) -> "ReadingPlan":
        """A plan as it stands in a package; ValueError when it is none."""
        if suite not in SUITES or not isinstance(steps, list) or not 1 <= len(steps) <= 1000:
            raise ValueError("not a reading plan")
        if not all(
            isinstance(step, str) and re.fullmatch(r"([0-9A-F]{2})+(\*([0-9A-F]{2})?)?", step) for step in steps
        ):
            raise ValueError("not a reading plan")
        return cls(suite, tuple(steps))


def compile_many(
    profile: Profile, records: Sequence[Record], *, keys_by_slot: Mapping[str, Sequence[bytes]], kek: bytes
) -> list[Script]:
    """The scripts of many cards. `keys_by_slot` gives by purpose one 16-byte key per record, `kek` the transport key.

    Raises RecordBroken for a value that does not fit its field, and ValueError when keys are missing.
    """
    return _scripts(profile, records, _images(profile, records), keys_by_slot, kek)


def expected_readback(
    profile: Profile, records: Sequence[Record], keys_by_slot: Mapping[str, Sequence[bytes]]
) -> list[bytes]:
    """The digest that `readback` must find for each card: over every answer, data and status word, in plan order."""
    return _digests(profile, records, _images(profile, records), keys_by_slot)


def compile_whole(
    profile: Profile, records: Sequence[Record], *, keys_by_slot: Mapping[str, Sequence[bytes]], kek: bytes
) -> tuple[list[Script], list[bytes]]:
    """What `compile_many` and `expected_readback` give, each value spelled once for both."""
    images = _images(profile, records)
    return _scripts(profile, records, images, keys_by_slot, kek), _digests(profile, records, images, keys_by_slot)


def reading_plan(profile: Profile) -> ReadingPlan:
    """Read every file, let every key prove itself, close the card, see that what is closed is closed."""
    steps = [_hex(0xA4, 4, 0x0C, profile.aid)]
    for file in profile.files:
        steps.append(_select(file).hex().upper())
        steps.extend(_hex(0xB0, at >> 8, at & 0xFF, le=min(PIECE, file.size - at)) for at in range(0, file.size, PIECE))
    steps.extend(f"008800{key.slot:02X}{secure.CHALLENGE:02X}{_SLOT}" for key in profile.keys)
    steps.append(_CLOSE.hex().upper())
    for file in _guarded(profile):
        steps.append(_select(file).hex().upper())
        steps.append(_hex(0xB0, 0, 0, le=1))
    return ReadingPlan(profile.suite, tuple(steps))


def readback(transport: Transport, plan: ReadingPlan, serial: str) -> bytes:
    """Read a card back by the plan; the digest of all that it answered, whatever it answered."""
    suite = SUITES[plan.suite]
    own = challenge(suite, serial).hex()
    return suite.digest(b"".join([transport.transmit(bytes.fromhex(step.replace(_SLOT, own))) for step in plan.steps]))


def challenge(suite: Suite, serial: str) -> bytes:
    """The 8-byte challenge by which the keys of the card with this serial prove themselves when it is read back."""
    return suite.digest(b"zhengka read-back " + serial.encode())[: secure.CHALLENGE]


def _scripts(
    profile: Profile,
    records: Sequence[Record],
    images: Sequence[list[bytes]],
    keys_by_slot: Mapping[str, Sequence[bytes]],
    kek: bytes,
) -> list[Script]:
    suite = SUITES[profile.suite]
    begin = asking.create_application(profile.aid, profile.fid)
    creates = [begin, *[_create_file(profile, file) for file in profile.files]]
    puts = [
        secure.put_key_many(suite, kek, key, _column(keys_by_slot, key.purpose, len(records))) for key in profile.keys
    ]
    writes = [_writes(file, image) for file, image in zip(profile.files, images, strict=True)]
    rows = zip(records, zip(*puts, strict=True), zip(*writes, strict=True), strict=True)
    return [
        Script(str(record[SERIAL]), [*creates, *loaded, *chain.from_iterable(written)])
        for record, loaded, written in rows
    ]


def _digests(
    profile: Profile,
    records: Sequence[Record],
    images: Sequence[list[bytes]],
    keys_by_slot: Mapping[str, Sequence[bytes]],
) -> list[bytes]:
    suite = SUITES[profile.suite]
    challenges = [challenge(suite, str(record[SERIAL])) for record in records]
    parts = [[_DONE] * len(records)]
    for file, image in zip(profile.files, images, strict=True):
        parts.append(_answers_to_reads(file, image))
    for key in profile.keys:
        proofs = secure.answers(suite, _column(keys_by_slot, key.purpose, len(records)), challenges)
        parts.append([proof + _DONE for proof in proofs])
    end = _DONE + (_DONE + _CLOSED) * len(_guarded(profile))
    return [suite.digest(b"".join(row) + end) for row in zip(*parts, strict=True)]


def _images(profile: Profile, records: Sequence[Record]) -> list[list[bytes]]:
    """The content of every file, one column per file; zeros at the end are left off, as a new file is all zeros."""
    images = []
    for file in profile.files:
        columns = [_encode(field, records) for field in file.fields]
        images.append([b"".join(row).rstrip(b"\0") for row in zip(*columns, strict=True)])
    return images


def _encode(field: Field, records: Sequence[Record]) -> list[bytes]:
    """One column as bytes, each of the field's size; RecordBroken names the first value that does not fit."""
    spell, name, size = _SPELL[field.kind], field.name, field.size
    try:
        column = [spell(record[name], size) for record in records]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        column = []
    if len(column) == len(records) and all([len(value) == size for value in column]):
        return column
    for place, record in enumerate(records):
        _check_one(field, record, place)
    raise RecordBroken("bad-value", name, 0)


def _check_one(field: Field, record: Record, place: int) -> None:
    if field.name not in record:
        raise RecordBroken("missing", field.name, place)
    try:
        size = len(_SPELL[field.kind](record[field.name], field.size))
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise RecordBroken("bad-value", field.name, place) from None
    if size != field.size:
        raise RecordBroken("wrong-length", field.name, place)


def _digits(value: str, _size: int) -> bytes:
    if not value.isdecimal() or not value.isascii():
        raise ValueError("not digits")
    return bytes.fromhex(value)


@lru_cache(maxsize=1024)  # the cards of a batch share a few days
def _date(value: date, _size: int) -> bytes:
    return bytes.fromhex(f"{value.year:04}{value.month:02}{value.day:02}")


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size)


def _text(value: str, size: int) -> bytes:
    return _padded(value.encode("ascii"), size)


def _name(value: str, size: int) -> bytes:
    return _padded(value.encode("gb18030"), size)


def _bytes(value: bytes, size: int) -> bytes:
    return len(value).to_bytes(2) + value.ljust(size - 2, b"\0")


def _padded(value: bytes, size: int) -> bytes:
    if b"\0" in value:
        raise ValueError("a zero byte")
    return value.ljust(size, b"\0")


_SPELL: Final[dict[str, Callable[[Any, int], bytes]]] = {
    "digits": _digits,
    "date": _date,
    "number": _number,
    "text": _text,
    "name": _name,
    "bytes": _bytes,
}


def _column(keys_by_slot: Mapping[str, Sequence[bytes]], purpose: str, count: int) -> Sequence[bytes]:
    keys = keys_by_slot.get(purpose, ())
    if len(keys) != count or any([len(key) != 16 for key in keys]):
        raise ValueError(f"one 16-byte key per card is needed for {purpose}")
    return keys


def _writes(file: File, image: list[bytes]) -> list[list[bytes]]:
    """The commands that write one file of every card: SELECT, then as many UPDATE BINARY as its content needs."""
    select = _select(file)
    heads = [bytes([0x00, 0xD6, at >> 8, at & 0xFF]) for at in range(0, file.size, PIECE)]
    return [[select, *[head + _SIZE[len(piece)] + piece for head, piece in zip(heads, _pieces(content), strict=False)]]
            for content in image]


def _answers_to_reads(file: File, image: list[bytes]) -> list[bytes]:
    """What SELECT and the reads of one file answer, for every card."""
    return [_DONE + _DONE.join(_pieces(content.ljust(file.size, b"\0"))) + _DONE for content in image]


def _pieces(content: bytes) -> list[bytes]:
    """A file's content as the data of the commands that write or read it."""
    if 0 < len(content) <= PIECE:
        return [content]
    return [content[at : at + PIECE] for at in range(0, len(content), PIECE)]


def _guarded(profile: Profile) -> list[File]:
    return [file for file in profile.files if file.read != FREE]


def _create_file(profile: Profile, file: File) -> bytes:
    rights = bytes([_right(profile, file.read), _right(profile, file.update)])
    return asking.create_transparent(file.fid, file.size, rights)


def _right(profile: Profile, right: str) -> int:
    return {FREE: 0x00, NEVER: 0xFF}[right] if right in (FREE, NEVER) else profile.slot(right)


def _select(file: File) -> bytes:
    return encode_command(Command(0x00, 0xA4, 0x00, 0x0C, file.fid))


def _hex(ins: int, p1: int, p2: int, data: bytes = b"", le: int | None = None) -> str:
    return encode_command(Command(0x00, ins, p1, p2, data, le)).hex().upper()
