"""Commands to a chip, spelled: what a host sends to make, write and read applications, files and records.

Each function gives the bytes of one command (ISO/IEC 7816-4 and 7816-9). Rights are two bytes, to read and to update:
00 free, FF never, or a key's slot.
"""

from collections.abc import Sequence

from zhengka.formats.apdu import Command, encode_command
from zhengka.formats.chip.memory import TRANSPARENT
from zhengka.formats.chip.secure import TELL_KEYS, TELL_STATE
from zhengka.formats.tlv import encode, encode_all

_CODING = 0x21
"""Data coding byte: records are written over, one data unit is a byte (ISO/IEC 7816-4)."""


def create_application(name: bytes, fid: bytes, *, about: bytes = b"", extension: bytes = b"") -> bytes:
    """CREATE FILE for an application. `about` is what stands in A5 of its FCI; `extension` the identifier of a file,
    free to read, whose content the FCI repeats as 9F0C.
    """
    more = [(0x87, extension)] if extension else []
    more += [(0xA5, about)] if about else []
    return _create([(0x82, b"\x38"), (0x83, fid), (0x84, name), *more])


def create_transparent(fid: bytes, size: int, rights: bytes, *, sfi: int | None = None) -> bytes:
    """CREATE FILE for a transparent file. Without `sfi` the five last bits of `fid` are the short identifier."""
    return _create([(0x82, bytes([TRANSPARENT])), (0x83, fid), (0x80, size.to_bytes(2)), (0x86, rights), *_short(sfi)])


def create_records(
    fid: bytes, structure: int, *, size: int, most: int, rights: bytes, sfi: int | None = None
) -> bytes:
    """CREATE FILE for `most` records of `size` bytes: LINEAR_FIXED, LINEAR_VARIABLE (of at most) or CYCLIC."""
    shape = bytes([structure, _CODING]) + size.to_bytes(2) + bytes([most])
    return _create([(0x82, shape), (0x83, fid), (0x86, rights), *_short(sfi)])


def select_application(name: bytes) -> bytes:
    """SELECT by name, with the FCI as the answer."""
    return encode_command(Command(0x00, 0xA4, 0x04, 0x00, name, 256))


def read_binary(sfi: int, *, offset: int = 0, size: int = 256) -> bytes:
    """READ BINARY by short identifier, at an offset of at most 255; 256 means all that is there."""
    return encode_command(Command(0x00, 0xB0, 0x80 | sfi, offset, b"", size))


def read_record(sfi: int, number: int, *, size: int = 256) -> bytes:
    """READ RECORD by number, from 1; 256 means the whole record."""
    return encode_command(Command(0x00, 0xB2, number, sfi << 3 | 4, b"", size))


def tell_keys() -> bytes:
    """GET DATA for the keys of the selected application."""
    return _get_data(TELL_KEYS, b"")


def tell_state(challenge: bytes, places: Sequence[tuple[bytes, int]] = ()) -> bytes:
    """GET DATA for a receipt of the selected application; `challenge` is 8 bytes, `places` are the files that it shall
    vouch for, each with the number of a record, or 0 for a transparent one.
    """
    return _get_data(TELL_STATE, challenge + b"".join([fid + bytes([number]) for fid, number in places]))


def append_record(sfi: int, data: bytes) -> bytes:
    """APPEND RECORD."""
    return encode_command(Command(0x00, 0xE2, 0, sfi << 3, data))


def update_record(sfi: int, number: int, data: bytes) -> bytes:
    """UPDATE RECORD by number, from 1; number 0 writes over the oldest of a cyclic file."""
    return encode_command(Command(0x00, 0xDC, number, sfi << 3 | (4 if number else 3), data))


def _get_data(tag: int, data: bytes) -> bytes:
    return encode_command(Command(0x00, 0xCA, tag >> 8, tag & 0xFF, data, 256))


def _short(sfi: int | None) -> Sequence[tuple[int, bytes]]:
    return [] if sfi is None else [(0x88, bytes([sfi << 3]) if sfi else b"")]


def _create(template: Sequence[tuple[int, bytes]]) -> bytes:
    return encode_command(Command(0x00, 0xE0, 0, 0, encode(0x62, encode_all(list(template)))))
