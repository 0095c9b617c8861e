"""CREATE FILE, SELECT, READ BINARY and UPDATE BINARY (ISO/IEC 7816-4 and 7816-9)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from zhengka.formats.apdu import Command
from zhengka.formats.chip.commands.run import Refused, Run, Session
from zhengka.formats.chip.memory import (
    CIPHERED,
    CYCLIC,
    FREE,
    LINEAR_FIXED,
    LINEAR_VARIABLE,
    NEVER,
    TRANSPARENT,
    Application,
    File,
    NoRoom,
)
from zhengka.formats.chip.secure import ALGORITHM, TELL_VERSIONS
from zhengka.formats.tlv import TlvBroken, decode, encode, encode_all, find

MASTER_FILE: Final = b"\x3f\x00"
APPLICATION: Final = 0x38
_RECORDS: Final = (LINEAR_FIXED, LINEAR_VARIABLE, CYCLIC)
_PLAIN_ABOUT: Final = encode(0x88, b"\x01")


@lru_cache(maxsize=256)  # a maker writes the same files to every card of a batch
def _template(data: bytes) -> Mapping[int, bytes]:
    """The entries of a file's template by tag (ISO/IEC 7816-4, 7.4.3)."""
    return {tag: value for tag, value in decode(find(data, 0x62))}


def create(run: Run, command: Command) -> bytes:
    """CREATE FILE with an FCP template: 82 structure, 83 identifier, and more by structure.

    An application: 84 name; A5 what its FCI says of it; 87 the free file whose content its FCI repeats as 9F0C.
    A file: 86 rights to read and to update; 88 short identifier; 80 size of a transparent one. For records, 82 goes on
    with data coding (1), bytes of a record at most (2) and number of records (1).
    """
    run.making()
    template = _readable(command.data)
    if template.get(0x82, b"") == bytes([APPLICATION]):
        _create_application(run, template)
    else:
        _create_any(run, template)
    return b""


def add(run: Run, command: Command) -> bytes:
    """CREATE FILE on a finished card: one more file of the current application, under its control key."""
    if not run.operational:  # until then class 04 belongs to the loading channel
        raise Refused(0x6E00)
    template = _readable(run.unprotected(command, run.secret_for("control")))
    for place, right in enumerate(template.get(0x86, b"")):
        slot = right & ~CIPHERED if place and right != NEVER else right
        if slot not in (FREE, NEVER) and slot not in run.application.keys:
            raise Refused(0x6A88)
    _create_any(run, template)
    return b""


def _readable(data: bytes) -> Mapping[int, bytes]:
    try:
        return _template(data)
    except TlvBroken:
        raise Refused(0x6A80) from None


def _create_any(run: Run, template: Mapping[int, bytes]) -> None:
    """A file of the current application, whatever its structure."""
    kind = template.get(0x82, b"")
    if kind[:1] == bytes([TRANSPARENT]) and len(kind) == 1:
        _create_file(run, template, size=template.get(0x80, b""), most=1, wanted={0x80, 0x82, 0x83, 0x86})
    elif len(kind) == 5 and kind[0] in _RECORDS:
        _create_file(run, template, size=kind[2:4], most=kind[4], wanted={0x82, 0x83, 0x86})
    else:
        raise Refused(0x6A80)


def _create_application(run: Run, template: Mapping[int, bytes]) -> None:
    if not {0x82, 0x83, 0x84} <= template.keys() <= {0x82, 0x83, 0x84, 0x87, 0xA5}:
        raise Refused(0x6A80)
    name, fid, extension = template[0x84], template[0x83], template.get(0x87, b"")
    if not 5 <= len(name) <= 16 or len(fid) != 2 or fid == MASTER_FILE or len(extension) not in (0, 2):
        raise Refused(0x6A80)
    if name in run.memory.applications:
        raise Refused(0x6A8A)
    if any(fid == other.fid for other in run.memory.applications.values()):
        raise Refused(0x6A89)
    run.take(len(template.get(0xA5, b"")))
    application = Application(name, fid, template.get(0xA5, b""), extension)
    run.keep(replace(run.memory.with_application(application), state="personalising"))
    run.session.name, run.session.fid = name, b""


def _create_file(run: Run, template: Mapping[int, bytes], *, size: bytes, most: int, wanted: set[int]) -> None:
    if template.keys() - {0x88} != wanted:
        raise Refused(0x6A80)
    application, fid, rights = run.application, template[0x83], template[0x86]
    if len(fid) != 2 or len(size) != 2 or len(rights) != 2 or not most or not 0 < int.from_bytes(size) <= 0x7FFF:
        raise Refused(0x6A80)
    if fid in application.files:
        raise Refused(0x6A89)
    sfi = _short(template.get(0x88), fid)
    if sfi and application.by_sfi(sfi):
        if 0x88 in template:
            raise Refused(0x6A89)
        sfi = 0
    structure, length = template[0x82][0], int.from_bytes(size)
    content = bytes(length) if structure == TRANSPARENT else b""
    file = File(fid, structure, length, most, sfi, rights[0], rights[1], content)
    run.take(file.reserved)
    run.keep_file(file)
    run.session.fid = fid


def _short(told: bytes | None, fid: bytes) -> int:
    """The short identifier: five top bits of tag 88, none if that is empty, or else the end of the long one (7.4.4)."""
    if told is None:
        sfi = fid[1] & 0x1F
        return sfi if sfi != 31 else 0
    if not told:
        return 0
    if len(told) != 1 or told[0] & 7 or not 1 <= told[0] >> 3 <= 30:
        raise Refused(0x6A80)
    return told[0] >> 3


def select(run: Run, command: Command) -> bytes:
    """SELECT by DF name (P1 04), or by file identifier (P1 00, 01, 02); P2 0C asks for no answer, 04 for the FCP."""
    if command.p2 not in (0x00, 0x04, 0x0C) or command.p1 not in (0x00, 0x01, 0x02, 0x04):
        raise Refused(0x6A86)
    if command.p1 == 0x04:
        return _enter(run, run.memory.applications.get(command.data), command.p2)
    if command.data == MASTER_FILE and command.p1 == 0x00:
        run.session = Session(channel=run.session.channel, inside=run.session.inside)
        return b""
    by_fid = next((each for each in run.memory.applications.values() if each.fid == command.data), None)
    inside = run.session.name and command.data in run.application.files
    if command.p1 == 0x01 or (command.p1 == 0x00 and by_fid and not inside):
        return _enter(run, by_fid, command.p2)
    file = run.application.files.get(command.data)
    if file is None:
        raise Refused(0x6A82)
    run.session.fid = file.fid
    return _fcp(file) if command.p2 == 0x04 else b""


def _enter(run: Run, application: Application | None, wanted: int) -> bytes:
    if application is None:
        raise Refused(0x6A82)
    if application.name != run.session.name:
        run.session.proven.clear()
    run.session.name, run.session.fid = application.name, b""
    if application.locked:
        raise Refused(0x6283)
    return b"" if wanted == 0x0C else _fci(application, run.suite.name)


def _fci(application: Application, suite: str) -> bytes:
    """The file control information of an application: its name, and what it says of itself (ISO/IEC 7816-4, 7.4).

    One that says nothing of itself, because no standard has words for it, tells of its keys under 85 (proprietary, not
    in BER-TLV): slot, version and algorithm of each, so that a gate knows by which to prove itself.
    """
    if not application.published and application.keys:
        told = b"".join(bytes([slot, application.keys[slot].entry.version, ALGORITHM[suite]])
                        for slot in sorted(application.keys))
        return encode(0x6F, encode_all([(0x84, application.name), (TELL_VERSIONS, told), (0xA5, _PLAIN_ABOUT)]))
    about = application.about or _PLAIN_ABOUT
    repeated = application.files.get(application.extension)
    if repeated is not None and repeated.read == FREE:
        about += encode(0x9F0C, repeated.content)
    return encode(0x6F, encode_all([(0x84, application.name), (0xA5, about)]))


def _fcp(file: File) -> bytes:
    """The file control parameters of a file, as they were given when it was made."""
    if file.structure == TRANSPARENT:
        shape = [(0x80, file.size.to_bytes(2)), (0x82, b"\x01")]
    else:
        shape = [(0x82, bytes([file.structure, 0x21]) + file.size.to_bytes(2) + bytes([file.most]))]
    short = [(0x88, bytes([file.sfi << 3]))] if file.sfi else []
    rights = (0x86, bytes([file.read, file.update]))
    return encode(0x62, encode_all([*shape, (0x83, file.fid), rights, *short]))


def read(run: Run, command: Command) -> bytes:
    """READ BINARY (ISO/IEC 7816-4, 11.2.3) at an offset of the selected file, or of the one with an SFI."""
    file, offset = _at(run, command)
    run.may_read(file)
    if command.le is None:
        raise Refused(0x6700)
    piece = file.content[offset : offset + command.le]
    if len(piece) < command.le and command.le != 256:
        raise Refused(0x6C00 | len(piece))
    run.session.fid = file.fid
    return piece


def update(run: Run, command: Command) -> bytes:
    """UPDATE BINARY (ISO/IEC 7816-4, 11.2.5), in clear or, with class 04, under line protection."""
    file, offset = _at(run, command)
    data = run.to_write(file, command)
    if not data:
        raise Refused(0x6700)
    try:
        run.keep_file(file.written(offset, data))
    except NoRoom:
        raise Refused(0x6A84) from None
    run.session.fid = file.fid
    return b""


def _at(run: Run, command: Command) -> tuple[File, int]:
    """The file and the offset that P1 and P2 mean: 15 bits, or an SFI and 8 bits (11.2.2)."""
    if command.p1 & 0x80:
        if command.p1 & 0x60 or not command.p1 & 0x1F:
            raise Refused(0x6A86)
        file, offset = run.file(command.p1 & 0x1F), command.p2
    else:
        file, offset = run.file(0), command.p1 << 8 | command.p2
    if file.structure != TRANSPARENT:
        raise Refused(0x6981)
    if offset >= file.size:
        raise Refused(0x6B00)
    return file, offset
