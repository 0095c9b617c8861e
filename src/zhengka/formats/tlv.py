"""BER-TLV data objects (ISO/IEC 7816-4:2020, clause 6; ISO/IEC 8825-1), strict and bounded.

Only definite lengths in their shortest form are taken, so that one object has one encoding: what was signed or
counted is what is read. No padding bytes between objects. Two-byte tags below 9F1F are taken: EMV and the transit
cards use them.
"""

from typing import NamedTuple

MAX_DEPTH = 8
MAX_SIZE = 0xFFFF


class TlvBroken(ValueError):
    """The bytes are not the BER-TLV that a card of ours writes; `code` says why in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Tlv(NamedTuple):
    """One data object: tag as the number its bytes spell (0x9F0C), value as raw bytes."""

    tag: int
    value: bytes


def encode_length(size: int) -> bytes:
    """BER-TLV length field, shortest form (ISO/IEC 7816-4, 6.3)."""
    if not 0 <= size <= MAX_SIZE:
        raise TlvBroken("too-long")
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(digits)]) + digits


def encode(tag: int, value: bytes) -> bytes:
    """One data object as bytes. The tag must itself be a well-formed tag of one to three bytes."""
    if tag <= 0:
        raise TlvBroken("bad-tag")
    spelled = tag.to_bytes((tag.bit_length() + 7) // 8)
    if _read_tag(spelled, 0) != (tag, len(spelled)):
        raise TlvBroken("bad-tag")
    return spelled + encode_length(len(value)) + value


def encode_all(objects: list[tuple[int, bytes]]) -> bytes:
    """Several data objects, one after the other: the value of a template."""
    return b"".join(encode(tag, value) for tag, value in objects)


def decode(data: bytes) -> list[Tlv]:
    """The data objects at the top level of `data`; raises TlvBroken if a byte is missing or left over."""
    if len(data) > MAX_SIZE + 8:
        raise TlvBroken("too-long")
    objects, at = [], 0
    while at < len(data):
        tag, at = _read_tag(data, at)
        size, at = _read_length(data, at)
        if at + size > len(data):
            raise TlvBroken("truncated")
        objects.append(Tlv(tag, data[at : at + size]))
        at += size
    return objects


def is_constructed(tag: int) -> bool:
    """Whether the value of this tag is itself made of data objects (bit 6 of the first byte, ISO/IEC 7816-4, 6.4)."""
    first = tag >> 8 * (max(tag.bit_length() - 1, 0) // 8)
    return bool(first & 0x20)


def walk(data: bytes, *, depth: int = MAX_DEPTH) -> list[tuple[int, ...]]:
    """The path of tags to every object in `data`, parents first; refuses more than `depth` levels."""
    if depth == 0:
        raise TlvBroken("too-deep")
    paths: list[tuple[int, ...]] = []
    for tag, value in decode(data):
        paths.append((tag,))
        if is_constructed(tag):
            paths.extend((tag, *rest) for rest in walk(value, depth=depth - 1))
    return paths


def find(data: bytes, *path: int) -> bytes:
    """The value at the end of `path`, each tag inside the one before; the first match wins."""
    for step in path:
        values = [item.value for item in decode(data) if item.tag == step]
        if not values:
            raise TlvBroken("missing")
        data = values[0]
    return data


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first in (0x00, 0xFF):
        raise TlvBroken("bad-tag")
    if first & 0x1F != 0x1F:
        return first, at + 1
    for end in (at + 2, at + 3):
        if end > len(data):
            raise TlvBroken("truncated")
        last = data[end - 1]
        if not last & 0x80:
            return _checked_tag(data[at:end]), end
    raise TlvBroken("bad-tag")


def _checked_tag(spelled: bytes) -> int:
    if spelled[1] == 0x80:
        raise TlvBroken("bad-tag")
    return int.from_bytes(spelled)


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise TlvBroken("truncated")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first - 0x80
    if count not in (1, 2):
        raise TlvBroken("bad-length")
    digits = data[at + 1 : at + 1 + count]
    if len(digits) < count:
        raise TlvBroken("truncated")
    size = int.from_bytes(digits)
    if len(encode_length(size)) != 1 + count:
        raise TlvBroken("bad-length")
    return size, at + 1 + count
