"""Which places of a row hold which small number, in hardly more bits than that needs: Rice-coded gaps.

The numbers come in an agreed order, one section for each. A section tells which of the places that are *still free*
hold its number (places of earlier sections are left out and counted no more); who is in no section holds the rest.

    section = count u32 ‖ how u8 ‖ length u32 ‖ unary, length bits ‖ remainders, count × k bits

`how`: its low five bits are k (0 to 20); its top bit says that the section names the free places which do *not* hold
the number, as is shorter where most do; the two between are zero. Each named place is told by its gap: how many free
places lie between it and the named one before (before the first one: those in front of it). A gap g is g >> k zeros
and a one in `unary`, and its k low bits in `remainders`, the highest first. Bits fill bytes from the top; either part
begins on a byte, and is filled up with zeros. Integers are big-endian. A section without a name is nine zero bytes, or
has the top bit of `how` set alone: every free place.

Places that are spread by chance have gaps of a geometric distribution, for which this is within some 4 % of what log2
of the number of possible rows asks (ADR 0020); k is chosen to make the section shortest.
"""

import math
import struct
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.uint8]

_HEAD: Final = struct.Struct(">IBI")
_MOST_K: Final = 20
_K: Final = 0x1F
_OTHERS: Final = 0x80


class BadGaps(ValueError):
    """Bytes that no row of this size is told by."""


def encode(cells: Cells, order: Iterable[int]) -> bytes:
    """The places of a row that hold each number of the `order`, one section after the other."""
    sections = []
    for number in order:
        holds = cells == number
        sections.append(_section(holds))
        cells = cells[~holds]
    return b"".join(sections)


def decode(body: bytes, size: int, order: Iterable[int], *, rest: int) -> Cells:
    """The row of `size` places that these sections tell; `rest` is what stands where none of them says anything.

    Raises `BadGaps`; needs memory by `size` only, whatever the bytes claim.
    """
    cells, free, at = np.full(size, rest, dtype=np.uint8), np.arange(size), 0
    for number in order:
        holds, at = _read(body, at, free.size)
        cells[free[holds]] = number
        free = free[~holds]
    if at != len(body):
        raise BadGaps
    return cells


def _section(holds: NDArray[np.bool_]) -> bytes:
    others = 2 * int(np.count_nonzero(holds)) > holds.size
    gaps = np.diff(np.flatnonzero(holds != others), prepend=-1) - 1
    k = _best_k(gaps)
    ends = np.cumsum((gaps >> k) + 1)
    length = int(ends[-1]) if ends.size else 0
    unary = np.zeros(length, dtype=np.uint8)
    unary[ends - 1] = 1
    remainders = np.empty((gaps.size, k), dtype=np.uint8)
    for bit in range(k):
        remainders[:, bit] = gaps >> (k - 1 - bit) & 1
    head = _HEAD.pack(gaps.size, k | (_OTHERS if others else 0), length)
    return head + np.packbits(unary).tobytes() + np.packbits(remainders).tobytes()


def _best_k(gaps: NDArray[np.int64]) -> int:
    """The k that makes the section shortest; the smaller one of two."""
    if not gaps.size:
        return 0
    guess = int(math.log2(float(gaps.mean()) + 1))
    near = range(max(guess - 2, 0), min(guess + 1, _MOST_K) + 1)
    return min(near, key=lambda k: int((gaps >> k).sum()) + k * gaps.size)


def _read(body: bytes, at: int, free: int) -> tuple[NDArray[np.bool_], int]:
    """Which of the free places hold the number of the section that begins here, and where the next one begins."""
    if len(body) - at < _HEAD.size:
        raise BadGaps
    count, how, length = _HEAD.unpack_from(body, at)
    k, at = how & _K, at + _HEAD.size
    if max(count, length) > free or k > _MOST_K or how & ~(_K | _OTHERS) or (not count and k):
        raise BadGaps
    unary, at = _bits(body, at, length)
    remainders, at = _bits(body, at, count * k)
    ends = np.flatnonzero(unary)
    if ends.size != count or (length and not unary[-1]):
        raise BadGaps
    gaps = np.diff(ends, prepend=-1) - 1 << k
    for bit, row in enumerate(remainders.reshape(count, k).T):
        gaps |= row.astype(np.int64) << (k - 1 - bit)
    places = np.cumsum(gaps + 1) - 1
    if count and places[-1] >= free:
        raise BadGaps
    holds = np.full(free, bool(how & _OTHERS))
    holds[places] = not how & _OTHERS
    return holds, at


def _bits(body: bytes, at: int, length: int) -> tuple[Cells, int]:
    """So many bits from this byte on, and where the next byte is. The bits that fill up are zero."""
    end = at + (length + 7) // 8
    if end > len(body):
        raise BadGaps
    bits = np.unpackbits(np.frombuffer(body, dtype=np.uint8, count=end - at, offset=at))
    if bits[length:].any():
        raise BadGaps
    return bits[:length], end
