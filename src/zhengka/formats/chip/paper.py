"""A script run on paper, for the linter: what a chip would hold after its commands, and where each byte comes from."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import ApduBroken, Command, decode_command
from zhengka.formats.chip import directory
from zhengka.formats.chip.profile import Profile
from zhengka.formats.tlv import TlvBroken, decode

MOST_COMMANDS: Final = 2000
_THE_SAME: Final = (b"\xe0", b"\xa4")
"""CREATE FILE and SELECT: the same commands for every card of a profile."""


class Finding(NamedTuple):
    """One fault: its code and where it was seen (a command's number from 1, a file or a field)."""

    code: str
    where: str


class Write(NamedTuple):
    """Where the data of a command came to lie: application and file, record (0 in a transparent one), offset."""

    place: tuple[bytes, bytes]
    record: int
    offset: int
    command: int
    size: int


_IN_A_FILE: Final = {0x80, 0x82, 0x83, 0x86}
"""Tags of a file's template: a short identifier of another than its own five last bits is no profile's."""


@dataclass(slots=True)
class Sheet:
    """One file on paper."""

    structure: bytes
    size: int
    most: int
    rights: bytes
    content: bytearray
    records: list[bytes] = field(default_factory=list)

    @property
    def reserved(self) -> int:
        """Bytes that it takes."""
        return self.size * self.most


@dataclass(slots=True)
class Paper:
    """What the chip would hold after the commands so far; `applications` name what each says in its FCI."""

    profile: Profile
    applications: dict[bytes, bytes] = field(default_factory=dict)
    files: dict[tuple[bytes, bytes], Sheet] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    keys: list[tuple[bytes, int]] = field(default_factory=list)
    listing: list[int] = field(default_factory=list)
    """Numbers of the commands that write the directory."""
    application: bytes = b""
    current: bytes = b""
    findings: list[Finding] = field(default_factory=list)

    def say(self, code: str, where: object) -> None:
        """Note a fault."""
        self.findings.append(Finding(code, str(where)))

    def lists(self, aid: bytes) -> bool:
        """Whether it is the name of a directory that this card has."""
        return bool(self.profile.listed) and aid in (directory.PSE, directory.PPSE)


def run(profile: Profile, commands: Sequence[bytes]) -> Paper:
    """The paper after the commands, with what was seen on the way."""
    page = Paper(profile)
    if len(commands) > MOST_COMMANDS:
        page.say("too-many-commands", len(commands))
    for number, apdu in enumerate(commands[:MOST_COMMANDS], 1):
        _run(page, number, apdu)
    return page


def shape(commands: Sequence[bytes]) -> object:
    """All that the run on paper asks of a script: commands without the data that they write, and how long those are."""
    return tuple([apdu if apdu[1:2] in _THE_SAME else (apdu[:5], len(apdu)) for apdu in commands])


def check_dates(page: Paper, record: Mapping[str, Any], days: Sequence[str]) -> None:
    """The record's dates come in this order."""
    order = [name for name in days if isinstance(record.get(name), date)]
    for first, second in itertools.pairwise(order):
        if record[first] > record[second]:
            page.say("dates-out-of-order", f"{first}, {second}")


def _run(page: Paper, number: int, apdu: bytes) -> None:
    try:
        command = _decode_again(apdu) if apdu[1:2] in _THE_SAME else decode_command(apdu)
    except ApduBroken:
        return page.say("not-a-command", number)
    work = _COMMANDS.get((command.cla, command.ins))
    if work is None:
        return page.say("command-not-allowed", number)
    return work(page, number, command)


_decode_again = lru_cache(maxsize=1024)(decode_command)


@lru_cache(maxsize=256)
def _template(data: bytes) -> Mapping[int, bytes]:
    """The entries of a file's template by tag, none where it is not one; the same for every card of a profile."""
    try:
        [(outer, inner)] = decode(data)
        fcp = {item.tag: item.value for item in decode(inner)}
    except (TlvBroken, ValueError):
        return {}
    return fcp if outer == 0x62 and {0x82, 0x83} <= fcp.keys() else {}


def _create(page: Paper, number: int, command: Command) -> None:
    fcp = _template(command.data)
    if not fcp:
        return page.say("bad-file-template", number)
    if fcp[0x82] == b"\x38":
        return _create_application(page, number, fcp)
    if not fcp.keys() <= _IN_A_FILE:
        page.say("bad-file-template", number)
    if (page.application, fcp[0x83]) in page.files:
        return page.say("file-made-twice", number)
    shape, size, most = fcp[0x82][:1], fcp.get(0x80, b""), 1
    if len(fcp[0x82]) == 5:
        size, most = fcp[0x82][2:4], fcp[0x82][4]
    length = int.from_bytes(size[:2])
    content = bytearray(length if shape == b"\x01" else 0)
    page.files[page.application, fcp[0x83]] = Sheet(shape, length, most, fcp.get(0x86, b""), content)
    page.current = fcp[0x83]
    return None


def _create_application(page: Paper, number: int, fcp: Mapping[int, bytes]) -> None:
    name, about = fcp.get(0x84, b""), fcp.get(0xA5, b"")
    wanted = {each.aid: (each.fid, each.about, each.extension) for each in page.profile.ours}
    if name in page.applications:
        page.say("application-made-twice", number)
    elif not page.lists(name) and wanted.get(name) != (fcp[0x83], about, fcp.get(0x87, b"")):
        page.say("wrong-application", number)
    elif page.lists(name):
        page.listing.append(number)
    page.application, page.current = name, b""
    page.applications[name] = about


def _select(page: Paper, number: int, command: Command) -> None:
    if command.p1 == 0x04:
        if command.data != page.application:
            page.say("wrong-application", number)
        return
    if (page.application, command.data) not in page.files:
        page.say("no-such-file", number)
    page.current = command.data


def _update(page: Paper, number: int, command: Command) -> None:
    offset, found = command.p1 * 256 + command.p2, page.files.get((page.application, page.current))
    if found is None:
        return page.say("no-such-file", number)
    if not command.data or offset + len(command.data) > len(found.content):
        return page.say("write-past-the-end", number)
    found.content[offset : offset + len(command.data)] = command.data
    page.writes.append(Write((page.application, page.current), 0, offset, number, len(command.data)))
    return None


def _append(page: Paper, number: int, command: Command) -> None:
    """A record more, in the file whose short identifier P2 tells: the five last bits of the long one."""
    places = [place for place, sheet in page.files.items()
              if place[0] == page.application and sheet.structure != b"\x01" and place[1][1:]
              and command.p2 == (place[1][1] & 0x1F) << 3]
    if command.p1 or len(places) != 1:
        return page.say("no-such-file", number)
    found = page.files[places[0]]
    fits = len(command.data) <= found.size if found.structure == b"\x04" else len(command.data) == found.size
    if not command.data or not fits or len(found.records) == found.most:
        return page.say("write-past-the-end", number)
    found.records.append(command.data)
    page.writes.append(Write(places[0], len(found.records), 0, number, len(command.data)))
    if page.lists(page.application):
        page.listing.append(number)
    return None


def _put_key(page: Paper, number: int, command: Command) -> None:
    if len(command.data) != 36 or command.p1:
        page.say("bad-key-command", number)
    if not page.application:
        page.say("key-outside-application", number)
    page.keys.append((page.application, command.p2))


_COMMANDS: Final[dict[tuple[int, int], Callable[[Paper, int, Command], None]]] = {
    (0x00, 0xE0): _create,
    (0x00, 0xA4): _select,
    (0x00, 0xD6): _update,
    (0x00, 0xE2): _append,
    (0x84, 0xD4): _put_key,
}
