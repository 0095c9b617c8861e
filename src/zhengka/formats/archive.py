"""What a zip file says of its list of members (central directory), without reading the list.

`zipfile` reads the whole list at once and makes an object of each entry, 20 times its bytes: who sent the file decides
how many. So ask here first, then open.
"""

import os
import struct
import zipfile
from typing import BinaryIO, Final, NamedTuple

METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Packings that `zipfile` unpacks a piece at a time; to the others it sets no bound: a few bytes become gigabytes."""

_END: Final = struct.Struct("<4s4H2LH")  # end of central directory record (APPNOTE 4.3.16)
_LOCATOR: Final = struct.Struct("<4sLQL")  # zip64 end of central directory locator (4.3.15)
_END_64: Final = struct.Struct("<4sQ2H2L4Q")  # zip64 end of central directory record (4.3.14)
_LONGEST_COMMENT: Final = 0xFFFF


class Listing(NamedTuple):
    """How many members the list is said to have, how many bytes it takes, and whether a comment follows it.

    The number may be a lie; the bytes are what `zipfile` reads, at least 46 for each member.
    """

    members: int
    size: int
    comment: bool


def listing(file: BinaryIO) -> Listing:
    """The listing of a seekable zip file. Raises `zipfile.BadZipFile` for what is none."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(length - _END.size - _LONGEST_COMMENT, 0))
    tail = file.read()
    bare = max(len(tail) - _END.size, 0)
    # zipfile looks for a record at the very end first, and for the last one that has a comment only then
    start = bare if tail[bare:].startswith(b"PK\5\6") and tail.endswith(b"\0\0") else tail.rfind(b"PK\5\6")
    if start < 0 or len(tail) - start < _END.size:
        raise zipfile.BadZipFile("there is no list of members")
    _, _, _, _, members, size, _, _ = _END.unpack_from(tail, start)
    more_members, more_bytes = _large(file, length - len(tail) + start)
    return Listing(max(members, more_members), max(size, more_bytes), len(tail) - start > _END.size)


def _large(file: BinaryIO, end: int) -> tuple[int, int]:
    """Members and bytes by the zip64 records, straight before the end record; zeros where there are none."""
    at = end - _LOCATOR.size - _END_64.size
    if at < 0:
        return 0, 0
    file.seek(at)
    found = file.read(_END_64.size + _LOCATOR.size)
    if not found.startswith(b"PK\6\6") or found[_END_64.size:_END_64.size + 4] != b"PK\6\7":
        return 0, 0
    *_, members, size, _ = _END_64.unpack_from(found)
    return members, size
