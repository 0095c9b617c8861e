"""What changed in a status list from one version to the next (增量): signed, and small where little changed.

    magic "ZKSD" ‖ format 1 ‖ profile ‖ number u32 ‖ before u64 ‖ version u64 ‖ issued_at u64 ‖ next_update u64 ‖
    capacity u32 ‖ size u32 ‖ digest before (32) ‖ digest after (32) ‖ body (size bytes) ‖
    key id (8) ‖ signature r ‖ s (64)

It makes version `before` of the list into `version`, which has the two times and the capacity told here. The body tells
the places whose number changed, by their new numbers: now valid, then revoked, suspended, inactive, as `formats.gaps`
codes them. The digests are those of `formats.statuslist`, of the whole list before and after: a delta changes no other
list than its own, and nobody holds a result that was not published. The signature is made as that of a list, with the
content type of deltas of that kind; the magic of a claim list's delta is "ZKCD".
"""

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from zhengka.formats import gaps, issuers
from zhengka.formats.issuers import KEY_ID_SIZE, PROFILES, SIGNATURE_SIZE, KeySet
from zhengka.formats.statuslist import (
    STATUS_LIST,
    BadStatusList,
    Header,
    Kind,
    RollBack,
    Status,
    StatusList,
    check_signature,
    header_of,
    suite_of,
)

FORMAT: Final = 1

_HEAD: Final = struct.Struct(">4sBBIQQQQII32s32s")
_ORDER: Final = (Status.VALID, Status.REVOKED, Status.SUSPENDED, Status.INACTIVE)
_SAME: Final = 4
_TAIL: Final = KEY_ID_SIZE + SIGNATURE_SIZE


class Delta(NamedTuple):
    """What a delta says; nothing of it is to be trusted before `apply` took it."""

    header: Header
    before: int
    digest_before: bytes
    digest_after: bytes
    suite: str
    signed: bytes
    body: bytes


def build(before: StatusList, after: StatusList, *, suite: str, key_id: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The signed bytes that make one version of a list into a later one."""
    header = after.header
    if (before.number, before.header.capacity, before.kind) != (after.number, header.capacity, after.kind):
        raise BadStatusList("delta-other-list")
    if before.version >= after.version:
        raise RollBack
    told = after.cells()
    body = gaps.encode(np.where(told == before.cells(), np.uint8(_SAME), told), _ORDER)
    times = int(header.issued_at.timestamp()), int(header.next_update.timestamp())
    signed = _HEAD.pack(after.kind.delta_magic, FORMAT, PROFILES[suite], header.number, before.version, header.version,
                        *times, header.capacity, len(body), before.digest, after.digest) + body
    return signed + key_id + sign(issuers.sig_structure(suite, key_id, after.kind.delta_content_type, signed))


def apply(data: bytes, known: StatusList, *, keys: KeySet, at: datetime) -> StatusList:
    """The version that follows the one in hand. Raises `BadStatusList`; the list in hand stays as it is.

    `delta-other-list`: made for another list or another version of it; `RollBack`: for one that is behind us.
    """
    delta = read(data, kind=known.kind)
    check_signature(data[-_TAIL:], delta.signed, delta.suite, known.kind.delta_content_type, keys=keys, at=at)
    header = delta.header
    if (header.number, header.capacity) != (known.number, known.header.capacity):
        raise BadStatusList("delta-other-list")
    if header.version <= known.version:
        raise RollBack
    if (delta.before, delta.digest_before) != (known.version, known.digest):
        raise BadStatusList("delta-other-list")
    try:
        told = gaps.decode(delta.body, header.capacity, _ORDER, rest=_SAME)
    except gaps.BadGaps:
        raise BadStatusList("list-truncated") from None
    cells = np.where(told == _SAME, known.cells(), told)
    made = StatusList.of(header, cells, data[-_TAIL:-SIGNATURE_SIZE], known.kind)
    if made.digest != delta.digest_after:
        raise BadStatusList("delta-result")
    return made


def read(data: bytes, *, kind: Kind = STATUS_LIST) -> Delta:
    """What a delta says of itself, unchecked: from which version to which. Raises `BadStatusList`."""
    if data[:5] != kind.delta_magic + bytes((FORMAT,)):
        raise BadStatusList("list-format")
    if len(data) < _HEAD.size + _TAIL:
        raise BadStatusList("list-truncated")
    _, _, profile, number, before, version, issued, update, capacity, size, was, becomes = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + size + _TAIL:
        raise BadStatusList("list-truncated")
    if before >= version:
        raise BadStatusList("list-value")
    header = header_of((number, version, issued, update, capacity))
    signed = data[:-_TAIL]
    return Delta(header, before, was, becomes, suite_of(profile), signed, signed[_HEAD.size:])
