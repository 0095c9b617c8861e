"""The status list (状态表): one small number for each card, signed, one static file for every gate.

    magic "ZKSL" ‖ format 2 ‖ profile ‖ number u32 ‖ version u64 ‖ issued_at u64 ‖ next_update u64 ‖
    capacity u32 ‖ size u32 ‖ body (size bytes) ‖ key id (8) ‖ signature r ‖ s (64)

Integers are big-endian, times are seconds since 1970 in UTC. The body tells the places of the cards that are revoked,
then suspended, then inactive, as `formats.gaps` codes them; all other cards are valid. In format 1, which is read and
not written any more, the body is raw deflate (RFC 1951) of the `bits`. The signature is made over the COSE
`Sig_structure` of all before the key id, with the content type of the list's kind. A list with a lower version than one
already seen is refused, however well signed, and so is another one of the same version: lists are compared by `digest`,

    SHA-256 of content type (UTF-8) ‖ 0 ‖ number u32 ‖ version u64 ‖ issued_at u64 ‖ next_update u64 ‖
    capacity u32 ‖ bits

which does not depend on how a list came: in which format, or by deltas (`formats.statusdelta`). `bits`, by which a list
is asked: card `index` stands in byte `index // 4`, bits `2 * (index % 4)` and the one above; what is left of the last
byte is zero. Which card has which index is random to all who lack the key of `index_for`.

A claim list (资格表) is of another kind: magic "ZKCL", content type with the claim's name, and for each card 1 where
the claim holds, 0 where it does not.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from zhengka.formats import gaps, issuers
from zhengka.formats.credential import LIST_SIZE, MOST_LISTS
from zhengka.formats.issuers import (
    KEY_ID_SIZE,
    PROFILES,
    SIGNATURE_SIZE,
    SUITE_OF_PROFILE,
    KeyRefused,
    KeySet,
)


class Status(IntEnum):
    """What a card's two bits say."""

    VALID = 0
    REVOKED = 1  # 注销
    SUSPENDED = 2  # 挂失
    INACTIVE = 3  # 未激活, or the activation year is over (年度激活过期)


class Kind(NamedTuple):
    """What a list is about: how its file and the files of its deltas begin, and the content type that is signed."""

    magic: bytes
    delta_magic: bytes
    content_type: str

    @property
    def delta_content_type(self) -> str:
        """Of its deltas."""
        return self.content_type.replace("-list", "-delta", 1)


STATUS_LIST: Final = Kind(b"ZKSL", b"ZKSD", "application/vnd.zhengka.status-list")
CONTENT_TYPE: Final = STATUS_LIST.content_type
FORMAT: Final = 2
ORDER: Final = (Status.REVOKED, Status.SUSPENDED, Status.INACTIVE)
"""The order of the sections of a body."""

_DEFLATED: Final = 1
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")

_HEADER: Final = struct.Struct(">4sBBIQQQII")
_DIGESTED: Final = struct.Struct(">IQQQI")
_TAIL: Final = KEY_ID_SIZE + SIGNATURE_SIZE
_LAST_SECOND: Final = int(datetime(2199, 12, 31, tzinfo=UTC).timestamp())
_HALF_BITS: Final = 10  # two halves make the twenty bits of LIST_SIZE
_HALF: Final = 1 << _HALF_BITS
_ROUNDS: Final = 10

REASONS: Final = {
    "list-format": "not a status list of this format",
    "list-truncated": "the status list is cut short, too long or damaged",
    "list-value": "a number of the status list is out of its range",
    "list-index": "the status list has no card with this index",
    "delta-other-list": "the delta was made for another list, or for another version of it",
    "delta-result": "the delta does not lead to the list that it promises",
    "list-rollback": "the status list is older than one already known, or another of the same version",
} | issuers.REASONS


class BadStatusList(ValueError):
    """Bytes that are no status list to trust. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


class RollBack(BadStatusList):
    """A well-signed list that is older than one already known."""

    def __init__(self) -> None:
        super().__init__("list-rollback")


@dataclass(frozen=True, slots=True)
class Header:
    """What a list says of itself: `version` only ever grows, `capacity` is its number of cards."""

    number: int
    version: int
    issued_at: datetime
    next_update: datetime
    capacity: int = LIST_SIZE

    def __post_init__(self) -> None:
        good = (
            0 <= self.number < MOST_LISTS
            and 0 <= self.version < 2**64
            and 0 < self.capacity <= LIST_SIZE
            and 0 <= self.issued_at.timestamp() <= self.next_update.timestamp() <= _LAST_SECOND
        )
        if not good or self.issued_at.tzinfo is None or self.next_update.tzinfo is None:
            raise BadStatusList("list-value")


def claim_list(name: str) -> Kind:
    """The kind of the lists that tell which cards have a claim (资格); a signed list of one never passes for another's.

    `name`: small letters, digits, dots and hyphens, at most 64.
    """
    if not _NAME.fullmatch(name):
        raise BadStatusList("list-value")
    return Kind(b"ZKCL", b"ZKCD", f"application/vnd.zhengka.claim-list;claim={name}")


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list whose signature was checked: made by `parse` and `statusdelta.apply`."""

    header: Header
    key_id: bytes
    digest: bytes
    bits: bytes
    kind: Kind = STATUS_LIST

    @classmethod
    def of(cls, header: Header, cells: gaps.Cells, key_id: bytes, kind: Kind) -> Self:
        """A list of these numbers, one for each card."""
        return cls.of_bits(header, pack(cells), key_id, kind)

    @classmethod
    def of_bits(cls, header: Header, bits: bytes, key_id: bytes, kind: Kind) -> Self:
        """A list of these bits."""
        times = int(header.issued_at.timestamp()), int(header.next_update.timestamp())
        told = _DIGESTED.pack(header.number, header.version, *times, header.capacity)
        digest = hashlib.sha256(kind.content_type.encode() + b"\0" + told + bits).digest()
        return cls(header, key_id, digest, bits, kind)

    @property
    def number(self) -> int:
        """Which list it is."""
        return self.header.number

    @property
    def version(self) -> int:
        """Higher is newer."""
        return self.header.version

    @property
    def issued_at(self) -> datetime:
        """When it was signed, to the second, in UTC."""
        return self.header.issued_at

    def age(self, at: datetime) -> timedelta:
        """How old the list is at this time; negative if the clock is behind the list's."""
        return at - self.header.issued_at

    def status(self, index: int) -> Status:
        """The status of the card with this index. Raises `BadStatusList("list-index")`."""
        return Status(self.told(index))

    def told(self, index: int) -> int:
        """The small number of the card with this index, in a list of any kind. Raises as `status` does."""
        if not 0 <= index < self.header.capacity:
            raise BadStatusList("list-index")
        return self.bits[index >> 2] >> 2 * (index & 3) & 3

    def cells(self) -> gaps.Cells:
        """The numbers of all cards, one after the other."""
        shifts, three = np.array([0, 2, 4, 6], dtype=np.uint8), np.uint8(3)
        quarters = np.frombuffer(self.bits, dtype=np.uint8)[:, None] >> shifts & three
        return quarters.reshape(-1)[: self.header.capacity].astype(np.uint8)


def build(
    header: Header,
    changed: Iterable[tuple[int, int]] | NDArray[np.int64],
    *,
    suite: str,
    key_id: bytes,
    sign: Callable[[bytes], bytes],
    kind: Kind = STATUS_LIST,
) -> bytes:
    """The signed bytes of a list in which only the `changed` cards are not valid (of a claim: have it).

    `changed`: pairs (index, number), or an array of shape (n, 2); each index at most once.
    """
    body = gaps.encode(_cells(header.capacity, changed), ORDER)
    signed = _header_bytes(header, suite, len(body), kind) + body
    return signed + key_id + sign(issuers.sig_structure(suite, key_id, kind.content_type, signed))


def parse(data: bytes, *, keys: KeySet, at: datetime, known: StatusList | None = None,
          kind: Kind = STATUS_LIST) -> StatusList:
    """Check a list whole, once; asking it afterwards costs nothing.

    `known`: the newest list of this number seen before. Raises `RollBack` if that one is newer, or is
    another of the same version, and `BadStatusList` for everything else.
    """
    _, suite, signed = _read_header(data, kind)
    check_signature(data[len(signed):], signed, suite, kind.content_type, keys=keys, at=at)
    found = unchecked(data, kind=kind)
    _refuse_roll_back(found, known)
    return found


def unchecked(data: bytes, *, kind: Kind = STATUS_LIST) -> StatusList:
    """What a list says, whoever signed it: for who has it from a place of its own, such as its publisher."""
    header, _, signed = _read_header(data, kind)
    key_id, body = data[len(signed): len(signed) + KEY_ID_SIZE], signed[_HEADER.size:]
    if data[4] == _DEFLATED:
        return StatusList.of_bits(header, _inflate(body, (header.capacity + 3) // 4), key_id, kind)
    try:
        cells = gaps.decode(body, header.capacity, ORDER, rest=Status.VALID)
    except gaps.BadGaps:
        raise BadStatusList("list-truncated") from None
    return StatusList.of(header, cells, key_id, kind)


def check_signature(tail: bytes, signed: bytes, suite: str, content_type: str, *, keys: KeySet, at: datetime) -> None:
    """Raise `BadStatusList` unless the key that the tail names (key id ‖ signature) is trusted with lists and signed
    this.
    """
    key_id, signature = tail[:KEY_ID_SIZE], tail[KEY_ID_SIZE:]
    try:
        key = keys.trusted(key_id, suite=suite, purpose=issuers.STATUS, at=at)
        issuers.check_signature(key, issuers.sig_structure(suite, key_id, content_type, signed), signature)
    except KeyRefused as refused:
        raise BadStatusList(refused.code) from None


def index_for(number: int, list_key: bytes) -> tuple[int, int]:
    """List and index of the card with this running number: a permutation of each list under `list_key`.

    A balanced Feistel network of ten rounds over the twenty bits of a list, its round functions drawn
    from SHAKE256(list key, list number). `list_key`: at least 16 secret bytes.
    """
    if not 0 <= number < MOST_LISTS * LIST_SIZE:
        raise BadStatusList("list-value")
    list_number, place = divmod(number, LIST_SIZE)
    left, right = divmod(place, _HALF)
    for table in _round_tables(list_key, list_number):
        left, right = right, left ^ int(table[right])
    return list_number, left * _HALF + right


def indexes_for(numbers: NDArray[np.int64], list_key: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`index_for` of many running numbers: the lists and the indexes, as two arrays."""
    if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < MOST_LISTS * LIST_SIZE:
        raise BadStatusList("list-value")
    lists = numbers // LIST_SIZE
    indexes = np.empty_like(lists)
    for list_number in np.unique(lists).tolist():
        here = lists == list_number
        left, right = np.divmod(numbers[here] % LIST_SIZE, _HALF)
        for table in _round_tables(list_key, list_number):
            left, right = right, left ^ table[right]
        indexes[here] = left * _HALF + right
    return lists, indexes


@lru_cache(maxsize=64)
def _round_tables(list_key: bytes, list_number: int) -> NDArray[np.int64]:
    """One table of 1,024 ten-bit values for each round of a list's permutation."""
    if len(list_key) < 16:
        raise BadStatusList("list-value")
    seed = b"zhengka status index" + list_number.to_bytes(8) + list_key
    drawn = hashlib.shake_256(seed).digest(_ROUNDS * _HALF * 2)
    return (np.frombuffer(drawn, dtype=">u2").astype(np.int64) % _HALF).reshape(_ROUNDS, _HALF)


def pack(cells: gaps.Cells) -> bytes:
    """The `bits` of a list with these numbers."""
    padded = np.zeros((cells.size + 3) // 4 * 4, dtype=np.uint8)
    padded[: cells.size] = cells
    return bytes(np.bitwise_or.reduce(padded.reshape(-1, 4) << np.array([0, 2, 4, 6], dtype=np.uint8), axis=1))


def _cells(capacity: int, changed: Iterable[tuple[int, int]] | NDArray[np.int64]) -> gaps.Cells:
    pairs = changed if isinstance(changed, np.ndarray) else np.array(list(changed), dtype=np.int64)
    pairs = pairs.reshape(-1, 2)
    indexes, numbers = pairs[:, 0], pairs[:, 1]
    if np.any((indexes < 0) | (indexes >= capacity) | (numbers < 0) | (numbers > max(Status))):
        raise BadStatusList("list-value")
    said = np.zeros(capacity, dtype=bool)
    said[indexes] = True
    if int(np.count_nonzero(said)) != indexes.size:
        raise BadStatusList("list-value")
    cells = np.zeros(capacity, dtype=np.uint8)
    cells[indexes] = numbers
    return cells


def _header_bytes(header: Header, suite: str, size: int, kind: Kind) -> bytes:
    issued, update = int(header.issued_at.timestamp()), int(header.next_update.timestamp())
    numbers = (header.number, header.version, issued, update, header.capacity, size)
    return _HEADER.pack(kind.magic, FORMAT, PROFILES[suite], *numbers)


def _read_header(data: bytes, kind: Kind) -> tuple[Header, str, bytes]:
    """The header, the suite claimed, and the part that is signed."""
    if data[:4] != kind.magic or data[4:5] not in (bytes((_DEFLATED,)), bytes((FORMAT,))):
        raise BadStatusList("list-format")
    if len(data) < _HEADER.size + _TAIL:
        raise BadStatusList("list-truncated")
    _, _, profile, number, version, issued, update, capacity, size = _HEADER.unpack_from(data)
    if len(data) != _HEADER.size + size + _TAIL:
        raise BadStatusList("list-truncated")
    return header_of((number, version, issued, update, capacity)), suite_of(profile), data[:-_TAIL]


def suite_of(profile: int) -> str:
    """The suite of a profile byte. Raises `BadStatusList("list-format")`."""
    suite = SUITE_OF_PROFILE.get(profile)
    if suite is None:
        raise BadStatusList("list-format")
    return suite


def header_of(numbers: tuple[int, int, int, int, int]) -> Header:
    """A header from number, version, the seconds of its two times, and capacity. Raises `BadStatusList`."""
    number, version, issued, update, capacity = numbers
    if max(issued, update) > _LAST_SECOND:
        raise BadStatusList("list-value")
    return Header(number, version, datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(update, UTC), capacity)


def _inflate(body: bytes, size: int) -> bytes:
    """Exactly `size` bytes, never more in memory."""
    stream = zlib.decompressobj(-15)
    try:
        bits = stream.decompress(body, size + 1)
    except zlib.error:
        raise BadStatusList("list-truncated") from None
    if len(bits) != size or not stream.eof or stream.unused_data:
        raise BadStatusList("list-truncated")
    return bits


def _refuse_roll_back(found: StatusList, known: StatusList | None) -> None:
    if known is None or known.number != found.number:
        return
    if found.version < known.version or (found.version == known.version and found.digest != known.digest):
        raise RollBack
