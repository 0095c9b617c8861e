"""The directories by which a reader finds what a card of several applications holds (应用目录).

PSE, `1PAY.SYS.DDF01`, for readers with contacts: records in a file (EMV Book 1, 12.2). PPSE, `2PAY.SYS.DDF01`, for
contactless ones: all in the FCI (EMV Contactless Book B, 3.3). Neither says whose card it is.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from zhengka.formats.apdu import OK, Transport, decode_response
from zhengka.formats.chip import asking
from zhengka.formats.chip.memory import LINEAR_VARIABLE
from zhengka.formats.tlv import TlvBroken, decode, encode, encode_all, find

PSE: Final = b"1PAY.SYS.DDF01"
PPSE: Final = b"2PAY.SYS.DDF01"
SFI: Final = 1
MOST: Final = 10
"""Records of the PSE, each one application."""

_RECORD: Final = 64
_RIGHTS: Final = b"\x00\xff"


class Entry(NamedTuple):
    """One application of the card: its name (AID), what a person reads, and its rank, 1 before 2."""

    aid: bytes
    label: str
    priority: int


def pse(listed: Sequence[Entry], *, fid: bytes = b"\xdf\x11") -> list[bytes]:
    """The commands that make the directory for readers with contacts."""
    about = encode_all([(0x88, bytes([SFI])), (0x5F2D, b"zh")])
    make = [
        asking.create_application(PSE, fid, about=about),
        asking.create_records(b"\x00\x01", LINEAR_VARIABLE, size=_RECORD, most=MOST, rights=_RIGHTS),
    ]
    return make + [asking.append_record(SFI, encode(0x70, _spell(entry))) for entry in listed]


def ppse(listed: Sequence[Entry], *, fid: bytes = b"\xdf\x12") -> list[bytes]:
    """The command that makes the directory for contactless readers."""
    about = encode(0xBF0C, b"".join(_spell(entry) for entry in listed))
    return [asking.create_application(PPSE, fid, about=about)]


def applications(card: Transport) -> list[Entry]:
    """What the card says that it holds, first things first: by PPSE, or else by PSE; nothing if it has neither."""
    return sorted(_by_fci(card) or _by_records(card), key=lambda entry: entry.priority)


def _by_fci(card: Transport) -> list[Entry]:
    data, sw = decode_response(card.transmit(asking.select_application(PPSE)))
    return entries(data, 0x6F, 0xA5, 0xBF0C) if sw == OK else []


def _by_records(card: Transport) -> list[Entry]:
    data, sw = decode_response(card.transmit(asking.select_application(PSE)))
    try:
        sfi = find(data, 0x6F, 0xA5, 0x88)[0] if sw == OK else 0
    except (TlvBroken, IndexError):
        sfi = 0
    found: list[Entry] = []
    for number in range(1, MOST + 1) if 1 <= sfi <= 30 else ():
        data, sw = decode_response(card.transmit(asking.read_record(sfi, number)))
        if sw != OK:
            break
        found += entries(data, 0x70)
    return found


def entries(data: bytes, *path: int) -> list[Entry]:
    """The entries inside a template; what is not one is passed over, as a reader must (EMV Book 1, 12.3.2)."""
    try:
        inner = decode(find(data, *path))
    except TlvBroken:
        return []
    found = []
    for tag, value in inner:
        try:
            told = dict(decode(value)) if tag == 0x61 else {}
        except TlvBroken:
            continue
        if 5 <= len(told.get(0x4F, b"")) <= 16:
            label = told.get(0x50, b"").decode("ascii", "replace")
            found.append(Entry(told[0x4F], label, (told.get(0x87) or b"\0")[0] & 0x0F))
    return found


def _spell(entry: Entry) -> bytes:
    told = [(0x4F, entry.aid), (0x50, entry.label.encode("ascii")), (0x87, bytes([entry.priority]))]
    return encode(0x61, encode_all(told))
