"""A second pair of eyes on a script before anything is signed: it runs the commands on paper and reads the files.

Written apart from the compiler and sharing none of its encoders: a fault in one is seen by the other. It sees sizes,
rights, encodings, capacity and order; it cannot see inside an encrypted key.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import ApduBroken, Command, decode_command
from zhengka.formats.chip.fields import READ
from zhengka.formats.chip.profile import FREE, NEVER, Field, File, Profile
from zhengka.formats.chip.script import Script
from zhengka.formats.tlv import TlvBroken, decode

MOST_COMMANDS: Final = 2000


class Finding(NamedTuple):
    """One fault: its code and where it was seen (a command's number from 1, a file or a field)."""

    code: str
    where: str


@dataclass(slots=True)
class _Paper:
    """What the chip would hold after the commands so far."""

    profile: Profile
    files: dict[bytes, bytearray] = field(default_factory=dict)
    rights: dict[bytes, bytes] = field(default_factory=dict)
    writes: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    application: bytes = b""
    current: bytes = b""
    findings: list[Finding] = field(default_factory=list)
    slots: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.slots = {key.purpose: key.slot for key in self.profile.keys} | {FREE: 0, NEVER: 255}

    def say(self, code: str, where: object) -> None:
        self.findings.append(Finding(code, str(where)))


def lint(profile: Profile, script: Script, record: Mapping[str, Any]) -> list[Finding]:
    """Every fault of a script against its profile and the record it was made from; an empty list is a clean script."""
    paper = _on_paper(profile, script.commands)
    for file in profile.files:
        _check_content(paper, file, record)
    if script.serial != record.get("serial"):
        paper.say("serial-differs", "serial")
    _check_dates(paper, record)
    return paper.findings


def lint_many(
    profile: Profile, scripts: Sequence[Script], records: Sequence[Mapping[str, Any]]
) -> list[list[Finding]]:
    """`lint` of every script against its own record, in order.

    Scripts that differ in nothing but the bytes which they write are run on paper once, to learn where each byte comes
    to lie. Then every card's own bytes are read and compared with its own record, a field at a time. Where one is not
    clean, each of them is looked at alone.
    """
    findings: list[list[Finding]] = [[] for _ in scripts]
    alike: dict[object, list[int]] = defaultdict(list)
    for place, script in enumerate(scripts):
        alike[_shape(script.commands)].append(place)
    for places in alike.values():
        if not _all_clean(profile, [scripts[place] for place in places], [records[place] for place in places]):
            for place in places:
                findings[place] = lint(profile, scripts[place], records[place])
    return findings


def _shape(commands: Sequence[bytes]) -> object:
    """All that the run on paper asks of a script: commands without the data that they write, and how long those are."""
    return tuple([apdu if apdu[1:2] in _THE_SAME else (apdu[:5], len(apdu)) for apdu in commands])


def _all_clean(profile: Profile, scripts: Sequence[Script], records: Sequence[Mapping[str, Any]]) -> bool:
    """True where `lint` finds nothing in any of these scripts, which are of one shape."""
    paper = _on_paper(profile, scripts[0].commands)
    for days in {tuple([record.get(name) for name in _DAYS]) for record in records}:
        _check_dates(paper, dict(zip(_DAYS, days, strict=True)))
    if paper.findings or [script.serial for script in scripts] != [record.get("serial") for record in records]:
        return False
    for file in profile.files:
        writes = [write[1:] for write in paper.writes if write[0] == file.fid]
        contents = [_content(file.size, writes, script.commands) for script in scripts]
        if not _fields_agree(file, contents, records):
            return False
    return True


def _content(size: int, writes: Sequence[tuple[int, int, int]], commands: Sequence[bytes]) -> bytes:
    """One card's own content of a file, from the writes of its shape: offset, number of the command, bytes."""
    content = bytearray(size)
    for offset, number, length in writes:
        content[offset : offset + length] = commands[number - 1][5 : 5 + length]
    return bytes(content)


def _fields_agree(file: File, contents: Sequence[bytes], records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every card's content of a file says what its record says, and nothing else."""
    at = 0
    for item in file.fields:
        read, end = READ[item.kind], at + item.size
        try:
            values = [read(content[at:end]) for content in contents]
        except (ValueError, IndexError):
            return False
        if values != [record.get(item.name) for record in records]:
            return False
        at = end
    nothing = bytes(file.size - at)
    return all([content[at:] == nothing for content in contents])


def _on_paper(profile: Profile, commands: Sequence[bytes]) -> _Paper:
    """What the commands make, and every fault that can be seen without the record."""
    paper = _Paper(profile)
    if len(commands) > MOST_COMMANDS:
        paper.say("too-many-commands", len(commands))
    for number, apdu in enumerate(commands[:MOST_COMMANDS], 1):
        _run(paper, number, apdu)
    _check_keys(paper)
    _check_memory(paper)
    for file in profile.files:
        _check_form(paper, file)
    return paper


def _run(paper: _Paper, number: int, apdu: bytes) -> None:
    try:
        command = _decode_again(apdu) if apdu[1:2] in _THE_SAME else decode_command(apdu)
    except ApduBroken:
        return paper.say("not-a-command", number)
    work = _COMMANDS.get((command.cla, command.ins))
    if work is None:
        return paper.say("command-not-allowed", number)
    return work(paper, number, command)


_decode_again = lru_cache(maxsize=1024)(decode_command)
_THE_SAME: Final = (b"\xe0", b"\xa4")
"""CREATE FILE and SELECT: the same commands for every card of a profile."""


@lru_cache(maxsize=256)
def _template(data: bytes) -> Mapping[int, bytes]:
    """The entries of a file's template by tag, none where it is not one; the same for every card of a profile."""
    try:
        [(outer, inner)] = decode(data)
        fcp = {item.tag: item.value for item in decode(inner)}
    except (TlvBroken, ValueError):
        return {}
    return fcp if outer == 0x62 and {0x82, 0x83} <= fcp.keys() else {}


def _create(paper: _Paper, number: int, command: Command) -> None:
    fcp = _template(command.data)
    if not fcp:
        return paper.say("bad-file-template", number)
    if fcp[0x82] == b"\x38":
        if paper.application or (fcp.get(0x84), fcp[0x83]) != (paper.profile.aid, paper.profile.fid):
            paper.say("wrong-application", number)
        paper.application = fcp.get(0x84, b"")
        return None
    if fcp[0x83] in paper.files:
        return paper.say("file-made-twice", number)
    paper.files[fcp[0x83]] = bytearray(int.from_bytes(fcp.get(0x80, b"")))
    paper.rights[fcp[0x83]] = fcp.get(0x86, b"")
    paper.current = fcp[0x83]
    return None


def _select(paper: _Paper, number: int, command: Command) -> None:
    if command.p1 == 0x04:
        if command.data != paper.application:
            paper.say("wrong-application", number)
        return
    if command.data not in paper.files:
        paper.say("no-such-file", number)
    paper.current = command.data


def _update(paper: _Paper, number: int, command: Command) -> None:
    offset, content = command.p1 * 256 + command.p2, paper.files.get(paper.current)
    if content is None:
        return paper.say("no-such-file", number)
    if not command.data or offset + len(command.data) > len(content):
        return paper.say("write-past-the-end", number)
    content[offset : offset + len(command.data)] = command.data
    paper.writes.append((paper.current, offset, number, len(command.data)))
    return None


def _put_key(paper: _Paper, number: int, command: Command) -> None:
    if len(command.data) != 36 or command.p1:
        paper.say("bad-key-command", number)
    if not paper.application:
        paper.say("key-outside-application", number)
    paper.keys.append(command.p2)


_COMMANDS: Final[dict[tuple[int, int], Callable[[_Paper, int, Command], None]]] = {
    (0x00, 0xE0): _create,
    (0x00, 0xA4): _select,
    (0x00, 0xD6): _update,
    (0x84, 0xD4): _put_key,
}


def _check_keys(paper: _Paper) -> None:
    for key in paper.profile.keys:
        if paper.keys.count(key.slot) != 1:
            paper.say("key-not-loaded-once", key.purpose)
    for slot in set(paper.keys) - {key.slot for key in paper.profile.keys}:
        paper.say("key-in-unknown-slot", slot)


def _check_memory(paper: _Paper) -> None:
    profile = paper.profile
    units = 1 + len(paper.files) + len(set(paper.keys))
    if sum(map(len, paper.files.values())) + units * profile.overhead > profile.capacity:
        paper.say("too-big-for-the-chip", profile.id)
    for fid in paper.files.keys() - {file.fid for file in profile.files}:
        paper.say("unknown-file", fid.hex())


def _check_form(paper: _Paper, file: File) -> None:
    content = paper.files.get(file.fid)
    if content is None or len(content) != file.size:
        paper.say("file-missing" if content is None else "wrong-size", file.title)
    elif paper.rights[file.fid] != bytes([paper.slots[file.read], paper.slots[file.update]]):
        paper.say("wrong-rights", file.title)


def _check_content(paper: _Paper, file: File, record: Mapping[str, Any]) -> None:
    content = paper.files.get(file.fid)
    if content is None or len(content) != file.size:
        return
    at = 0
    for item in file.fields:
        _check_field(paper, item, bytes(content[at : at + item.size]), record)
        at += item.size
    if content[at:].strip(b"\0"):
        paper.say("bytes-outside-fields", file.title)


def _check_field(paper: _Paper, item: Field, spelled: bytes, record: Mapping[str, Any]) -> None:
    try:
        value = READ[item.kind](spelled)
    except (ValueError, IndexError):
        return paper.say("bad-encoding", item.name)
    if value != record.get(item.name):
        paper.say("differs-from-record", item.name)
    return None


_DAYS: Final = ("issued", "activation_until", "valid_until")
"""Dates in the order in which they must come."""


def _check_dates(paper: _Paper, record: Mapping[str, Any]) -> None:
    order = [name for name in _DAYS if isinstance(record.get(name), date)]
    for first, second in itertools.pairwise(order):
        if record[first] > record[second]:
            paper.say("dates-out-of-order", f"{first}, {second}")
