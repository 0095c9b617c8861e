"""What a file is, by its content and never by its name, and whether it can be opened safely."""

import codecs
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from zhengka.core.errors import Refusal
from zhengka.formats import archive as archives

LARGEST_TEXT = 1 << 30
LARGEST_WORKBOOK = 256 << 20
LARGEST_UNPACKED = 3 << 30
HIGHEST_RATIO = 120
"""A sheet of holders packs 10 to 40 times; a bomb a thousand times."""
SMALL = 8 << 20
"""A member below this size may be packed as tightly as it likes."""
MOST_MEMBERS = 1_000
MOST_LISTED = 1 << 20
"""Most bytes of a workbook's list of members."""
PIECE = 1 << 20

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MARKUP = (b"<", b"%PDF", b"{\\rtf")


@dataclass(frozen=True)
class Envelope:
    """What was found: `form` is "xlsx" or "csv"; `encoding` of a text: utf-8, utf-8-sig or gb18030."""

    form: str
    encoding: str = ""


def inspect(file: BinaryIO) -> Envelope:
    """What the (seekable) file is. Raises a `Refusal` named `file-…`; the file is read once, a piece at a time."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(1 << 16)
    file.seek(0)
    if not head.strip():
        raise Refusal("file-empty")
    if head.startswith(b"PK"):
        return _workbook(file, size)
    if head.startswith(_OLE):
        raise Refusal("file-encrypted" if _holds_package(file) else "file-old-excel")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_MARKUP):
        raise Refusal("file-not-a-spreadsheet")
    return _text(file, size)


def _holds_package(file: BinaryIO) -> bool:
    """True for the OLE container in which a password-protected .xlsx is kept (MS-OFFCRYPTO 2.3.4)."""
    mark, tail = "EncryptedPackage".encode("utf-16-le"), b""
    while piece := file.read(PIECE):
        if mark in tail + piece:
            return True
        tail = piece[-len(mark):]
    return False


def _text(file: BinaryIO, size: int) -> Envelope:
    if size > LARGEST_TEXT:
        raise Refusal("file-too-large", bytes=size, most=LARGEST_TEXT)
    fault: UnicodeDecodeError | None = None
    for encoding in ("utf-8", "gb18030"):
        try:
            _decode(file, encoding)
        except UnicodeDecodeError as bad:
            fault = bad
            if "unexpected end" in bad.reason or "incomplete" in bad.reason:
                raise Refusal("file-truncated") from None
            continue
        file.seek(0)
        marked = encoding == "utf-8" and file.read(3) == codecs.BOM_UTF8
        return Envelope("csv", "utf-8-sig" if marked else encoding)
    raise Refusal("file-not-a-spreadsheet") from fault


def _decode(file: BinaryIO, encoding: str) -> None:
    """Decode all; `Refusal` for NUL, which no text holds."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    while piece := file.read(PIECE):
        if b"\0" in piece:
            raise Refusal("file-not-a-spreadsheet")
        decoder.decode(piece)
    decoder.decode(b"", final=True)


def _workbook(file: BinaryIO, size: int) -> Envelope:
    if size > LARGEST_WORKBOOK:
        raise Refusal("file-too-large", bytes=size, most=LARGEST_WORKBOOK)
    try:
        listing = archives.listing(file)
        if listing.members > MOST_MEMBERS or listing.size > MOST_LISTED:
            raise Refusal("file-bomb")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _sizes(members)
            if "xl/workbook.xml" not in {member.filename for member in members}:
                raise Refusal("file-not-a-spreadsheet")
            for member in members:
                _unpack(archive, member)
    except zipfile.BadZipFile as bad:
        broken = "CRC" in str(bad)
        raise Refusal("file-damaged" if broken else "file-truncated") from None
    except (zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise Refusal("file-damaged") from None
    return Envelope("xlsx")


def _sizes(members: list[zipfile.ZipInfo]) -> None:
    """What the archive says of itself, before anything is unpacked."""
    if any(member.flag_bits & 1 for member in members):
        raise Refusal("file-encrypted")
    packed = any(member.file_size > SMALL and member.file_size > HIGHEST_RATIO * max(member.compress_size, 1)
                 for member in members)
    if packed or len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_UNPACKED:
        raise Refusal("file-bomb")
    if any(member.compress_type not in archives.METHODS for member in members):
        raise Refusal("file-damaged")
    if len({member.filename for member in members}) != len(members):
        raise Refusal("file-damaged")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Unpack a member to nowhere: its true size and checksum are what the archive says; it defines no entities."""
    with archive.open(member) as stream:
        head = stream.read(4096)
        if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
            raise Refusal("file-bomb")
        while stream.read(PIECE):
            pass
