"""From records to the commands that make cards of them, many at a time, and the proof that it was done.

All work is done a column at a time; the keys of all cards are encrypted in one call. Keys are named by reference: the
purpose for the card's own application, `id/purpose` for the others, whose keys are one level below those of the card.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from zhengka.formats.apdu import Command, Step, Transport, encode_command, exchange
from zhengka.formats.chip import asking, directory, secure, spelling
from zhengka.formats.chip.layout import DRAWN, PIN, PURPOSES
from zhengka.formats.chip.memory import CIPHERED, CYCLIC, LINEAR_FIXED, LINEAR_VARIABLE
from zhengka.formats.chip.profile import FREE, NEVER, SERIAL, WHOLE, Application, File, Profile
from zhengka.formats.chip.spelling import Record, RecordBroken
from zhengka.formats.suites import SUITES, Suite

__all__ = ["PIECE", "Draft", "ReadingPlan", "Record", "RecordBroken", "Script", "application_keys", "challenge",
           "compile_many", "compile_whole", "complete", "create_file", "draft_many", "expected_readback", "outline",
           "readback", "reading_plan", "reference"]

PIECE: Final = WHOLE
Columns = Mapping[str, Sequence[bytes]]
"""By reference one 16-byte key per card."""

Loads = Sequence[Sequence[list[list[bytes]]]]
"""Of each application the commands that load its keys, by key and card."""

Images = Sequence[list[list[list[bytes]]]]
"""Of each application what is written: by file, part and card (`spelling.images`)."""

_DONE = b"\x90\x00"
_CLOSED = b"\x69\x82"
_UNPROTECTED = b"\x69\x87"
_BLOCKED = b"\x69\x83"
_ABSENT = b"\x6a\x82"
_CLOSE = bytes.fromhex("80EA0000")
_SIZE = [bytes([size]) for size in range(256)]
_SLOT = "*"  # where a step of the plan takes the card's own challenge
_STRUCTURE: Final = {"linear": LINEAR_FIXED, "variable": LINEAR_VARIABLE, "cyclic": CYCLIC}


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


class Draft(NamedTuple):
    """What was compiled for some cards, so that a value can be filled in later and the rest is not done twice."""

    images: Images
    keys: Columns
    loads: Loads


def compile_many(profile: Profile, records: Sequence[Record], *, keys_by_slot: Columns, kek: bytes) -> list[Script]:
    """The scripts of many cards. `keys_by_slot` gives by reference one 16-byte key per record, `kek` the transport key;
    keys of other applications that it does not give are drawn from the card's own.

    Raises RecordBroken for a value that does not fit its field, and ValueError when keys are missing.
    """
    return draft_many(profile, records, keys_by_slot=keys_by_slot, kek=kek)[0]


def draft_many(profile: Profile, records: Sequence[Record], *, keys_by_slot: Columns, kek: bytes,
               ) -> tuple[list[Script], Draft]:
    """The scripts of `compile_many`, and what `complete` goes on from."""
    draft = _draft(profile, records, keys_by_slot, kek)
    return _scripts(profile, records, draft), draft


def complete(profile: Profile, records: Sequence[Record], draft: Draft, *, changed: str,
             ) -> tuple[list[Script], list[bytes]]:
    """What `compile_whole` gives for the cards of a draft of which one value is another one now: only what the files
    say by it is spelled again.
    """
    images = [[spelling.image(file, records) if _says(file, changed) else parts
               for file, parts in zip(each.files, image, strict=True)]
              for each, image in zip(profile.ours, draft.images, strict=True)]
    draft = draft._replace(images=images)
    return _scripts(profile, records, draft), _digests(profile, records, images, draft.keys)


def _says(file: File, name: str) -> bool:
    """Whether a file says a value of the record."""
    return any([field.asks and field.source == name for part in file.written for field in part])


def expected_readback(profile: Profile, records: Sequence[Record], keys_by_slot: Columns) -> list[bytes]:
    """The digest that `readback` must find for each card: over every answer, data and status word, in plan order."""
    return _digests(profile, records, _images(profile, records), application_keys(profile, keys_by_slot))


def compile_whole(
    profile: Profile, records: Sequence[Record], *, keys_by_slot: Columns, kek: bytes
) -> tuple[list[Script], list[bytes]]:
    """What `compile_many` and `expected_readback` give, each value spelled once for both."""
    scripts, draft = draft_many(profile, records, keys_by_slot=keys_by_slot, kek=kek)
    return scripts, _digests(profile, records, draft.images, draft.keys)


def reading_plan(profile: Profile) -> ReadingPlan:
    """Read every file, let every key prove itself, close the card, see that nobody reads or writes without a key what
    needs one, and that another's room is empty.
    """
    steps, select = [], ""
    for each in profile.ours:
        select = _hex(0xA4, 4, 0x0C, each.aid)
        steps.append(select)
        for file in each.files:
            steps += [_select(file).hex().upper(), *_reads(file)]
        steps.extend(f"008800{key.slot:02X}{secure.CHALLENGE:02X}{_SLOT}" for key in each.keys)
    steps.append(_CLOSE.hex().upper())
    for each in profile.ours:
        if select != (other := _hex(0xA4, 4, 0x0C, each.aid)):
            steps.append(select := other)
        for file in each.files:
            steps += _tries(each, file)
    steps.extend(_hex(0xA4, 4, 0x0C, each.aid) for each in profile.applications if each.reserve)
    return ReadingPlan(profile.suite, tuple(steps))


def readback(transport: Transport, plan: ReadingPlan, serial: str) -> bytes:
    """Read a card back by the plan; the digest of all that it answered, whatever it answered."""
    suite = SUITES[plan.suite]
    own = challenge(suite, serial).hex()
    steps: list[Step] = [(bytes.fromhex(step.replace(_SLOT, own)), None) for step in plan.steps]
    return suite.digest(b"".join(exchange(transport, steps)))


def challenge(suite: Suite, serial: str) -> bytes:
    """The 8-byte challenge by which the keys of the card with this serial prove themselves when it is read back."""
    return suite.digest(b"zhengka read-back " + serial.encode())[: secure.CHALLENGE]


def reference(profile: Profile, application: Application, purpose: str) -> str:
    """The name of a key: its purpose in the card's own application, `id/purpose` in the others."""
    return purpose if application.id == profile.main.id else f"{application.id}/{purpose}"


def application_keys(profile: Profile, keys_by_slot: Columns) -> dict[str, Sequence[bytes]]:
    """All keys of the cards by reference. A key that is not given is one level below the card's own key of the same
    purpose (密钥分散): its factor is the end of the application's name. The key that unblocks a PIN is one level below
    the application's control key, its factor the purpose; so is what lies in a PIN's slot before it was ever set, below
    that, and no PIN that one can type is equal to it.
    """
    suite, found = SUITES[profile.suite], dict(keys_by_slot)
    for each in profile.ours:
        factor = each.aid[-8:].rjust(8, b"\0")
        block = factor + bytes(byte ^ 0xFF for byte in factor)
        for key in sorted(each.keys, key=lambda key: [*PURPOSES, *DRAWN].index(key.purpose)):
            name, above, of = reference(profile, each, key.purpose), found.get(key.purpose, ()), block
            if key.purpose in DRAWN:
                above = found.get(reference(profile, each, DRAWN[key.purpose]), ())
                of = suite.digest(key.purpose.encode())[: len(block)]
            if above and name not in found and all([len(one) == len(of) for one in above]):
                found[name] = suite.ecb_each(above, [of] * len(above))
    return found


def outline(profile: Profile) -> list[tuple[str, str]]:
    """The script of any card of the profile as a person reads it: for each application in order what is made, loaded
    and written, keys by reference and values by name. No card's data, no key.
    """
    lines = []
    for each in profile.ours:
        lines.append(("CREATE FILE", f"{each.id} {each.aid.hex().upper()}"))
        lines += [("CREATE FILE", f"{file.fid.hex().upper()} {file.structure} {file.size}×{file.most} "
                   f"read {file.read}, update {file.update}") for file in each.files]
        lines += [("PUT KEY", f"slot {key.slot} ← {reference(profile, each, key.purpose)} "
                   f"{f'blocked, {key.tries} tries' if key.blocked else f'v{key.version}'}") for key in each.keys]
        for file in each.files:
            verb = "UPDATE BINARY" if file.transparent else "APPEND RECORD"
            lines += [(verb, f"{file.fid.hex().upper()} ← {' '.join(field.name for field in part)}")
                      for part in file.written if not file.blank]
    return lines


def create_file(application: Application, file: File) -> bytes:
    """The command that makes one file of an application that is being made."""
    update = _right(application, file.update) | (CIPHERED if file.cipher else 0)
    rights = bytes([_right(application, file.read), update])
    if file.transparent:
        return asking.create_transparent(file.fid, file.size, rights)
    return asking.create_records(file.fid, _STRUCTURE[file.structure], size=file.size, most=file.most, rights=rights)


def _images(profile: Profile, records: Sequence[Record]) -> Images:
    return [spelling.images(each, records) for each in profile.ours]


def _draft(profile: Profile, records: Sequence[Record], keys_by_slot: Columns, kek: bytes) -> Draft:
    images, keys = _images(profile, records), application_keys(profile, keys_by_slot)
    loads = [[[[one] for one in secure.put_key_many(SUITES[profile.suite], kek, key, _column(
        keys, reference(profile, each, key.purpose), len(records)))] for key in each.keys] for each in profile.ours]
    return Draft(images, keys, loads)


def _scripts(profile: Profile, records: Sequence[Record], draft: Draft) -> list[Script]:
    columns = [column for each, image, loads in zip(profile.ours, draft.images, draft.loads, strict=True)
               for column in _commands(each, image, loads, len(records))]
    columns.append([_directory(profile)] * len(records))
    return [Script(str(record[SERIAL]), list(chain.from_iterable(row)))
            for record, row in zip(records, zip(*columns, strict=True), strict=True)]


def _commands(application: Application, image: list[list[list[bytes]]], loads: Sequence[list[list[bytes]]],
              count: int) -> list[list[list[bytes]]]:
    """Columns of commands that make one application of every card: files, keys, contents."""
    begin = asking.create_application(
        application.aid, application.fid, about=application.about, extension=application.extension)
    made = [[[begin, *[create_file(application, file) for file in application.files]]] * count, *loads]
    for file, parts in zip(application.files, image, strict=True):
        if not file.blank:
            made += [_writes(file, part) if file.transparent else _appends(file, part) for part in parts]
    return made


def _directory(profile: Profile) -> list[bytes]:
    entries = [directory.Entry(each.aid, each.label, place) for place, each in enumerate(profile.listed, 1)]
    return [*directory.pse(entries), *directory.ppse(entries)] if entries else []


def _digests(profile: Profile, records: Sequence[Record], images: Images, keys: Columns) -> list[bytes]:
    suite = SUITES[profile.suite]
    challenges = [challenge(suite, str(record[SERIAL])) for record in records]
    parts = []
    for each, image in zip(profile.ours, images, strict=True):
        parts.append([_DONE] * len(records))
        for file, columns in zip(each.files, image, strict=True):
            parts += _answers_to_reads(file, columns, len(records))
        for key in each.keys:
            if key.purpose == PIN:  # it proves nothing: it is blocked, and says so
                parts.append([_BLOCKED] * len(records))
                continue
            column = _column(keys, reference(profile, each, key.purpose), len(records))
            parts.append([proof + _DONE for proof in secure.answers(suite, column, challenges)])
    end = _end(profile)
    return [suite.digest(b"".join(row) + end) for row in zip(*parts, strict=True)]


def _end(profile: Profile) -> bytes:
    """What the plan's end is answered: the card closes, what needs a key is refused, another's room is empty."""
    answers, current = _DONE, profile.ours[-1]
    for each in profile.ours:
        if each is not current:
            answers, current = answers + _DONE, each
        for file in each.files:
            answers += b"" if each.sfi_of(file) else _DONE
            answers += b"" if file.read == FREE else _CLOSED
            answers += {FREE: b"", NEVER: _CLOSED}.get(file.update, _UNPROTECTED)
    return answers + _ABSENT * (len(profile.applications) - len(profile.ours))


def _column(keys_by_slot: Columns, name: str, count: int) -> Sequence[bytes]:
    keys = keys_by_slot.get(name, ())
    if len(keys) != count or any([len(key) != 16 for key in keys]):
        raise ValueError(f"one 16-byte key per card is needed for {name}")
    return keys


def _writes(file: File, column: list[bytes]) -> list[list[bytes]]:
    """The commands that write one file of every card: SELECT, then as many UPDATE BINARY as its content needs."""
    select = _select(file)
    heads = [bytes([0x00, 0xD6, at >> 8, at & 0xFF]) for at in range(0, file.size, PIECE)]
    return [[select, *[head + _SIZE[len(piece)] + piece for head, piece in zip(heads, _pieces(content), strict=False)]]
            for content in column]


def _appends(file: File, column: list[bytes]) -> list[list[bytes]]:
    head = bytes([0x00, 0xE2, 0x00, file.sfi << 3])
    return [[head + _SIZE[len(record)] + record] for record in column]


def _reads(file: File) -> list[str]:
    """The commands that read one file which is selected. Of one in which nothing was written the first piece does."""
    if not file.transparent:
        return [_hex(0xB2, number, 4, le=256) for number in range(1, len(file.records) + 1)]
    size = min(file.size, PIECE) if file.blank else file.size
    return [_hex(0xB0, at >> 8, at & 0xFF, le=min(PIECE, size - at)) for at in range(0, size, PIECE)]


def _tries(application: Application, file: File) -> list[str]:
    """Commands of somebody without a key, on a finished card: to read what is guarded, and to write."""
    short = application.sfi_of(file)
    steps = [] if short else [_select(file).hex().upper()]
    at = 0x80 | short if short else 0
    if file.read != FREE:
        steps.append(f"00B0{at:02X}0001" if file.transparent else f"00B201{short << 3 | 4:02X}00")
    if file.update != FREE:
        steps.append(f"00D6{at:02X}000100" if file.transparent else f"00E200{short << 3:02X}0100")
    return steps


def _answers_to_reads(file: File, columns: list[list[bytes]], count: int) -> list[list[bytes]]:
    """What SELECT and the reads of one file answer, for every card."""
    selected = [[_DONE] * count]
    if not file.transparent:
        return selected + [[record + _DONE for record in column] for column in columns]
    size = min(file.size, PIECE) if file.blank else file.size
    return selected + [
        [_DONE.join(_pieces(content.ljust(size, b"\0"))) + _DONE for content in column] for column in columns]


def _pieces(content: bytes) -> list[bytes]:
    """A file's content as the data of the commands that write or read it."""
    if 0 < len(content) <= PIECE:
        return [content]
    return [content[at : at + PIECE] for at in range(0, len(content), PIECE)]


def _right(application: Application, right: str) -> int:
    return {FREE: 0x00, NEVER: 0xFF}[right] if right in (FREE, NEVER) else application.slot(right)


def _select(file: File) -> bytes:
    return encode_command(Command(0x00, 0xA4, 0x00, 0x0C, file.fid))


def _hex(ins: int, p1: int, p2: int, data: bytes = b"", le: int | None = None) -> str:
    return encode_command(Command(0x00, ins, p1, p2, data, le)).hex().upper()
