"""Authenticated encryption at rest: columns of short values in bulk, and files as streams.

A sealed value is: key version (1 byte) ‖ random nonce (12) ‖ SM4-CTR ciphertext (as long as the value) ‖
SM4-CMAC tag (16). The tag is over SM3(context) ‖ version ‖ nonce ‖ 3 zero bytes ‖ ciphertext, under a key of its
own. The context names the place of the value ("holder.phone"), so a value cannot be moved to another column.
GB/T 39786-2021 asks for both: the data hidden, and changes seen.

A file, or a frame of a stream, looks the same but is SM4-GCM (RFC 8998) under a third key, with SM3(context) ‖ version
as the data that is authenticated only: 8.4 ns a byte instead of 15.7, where there are no columns to work on at once.
Nonces are drawn at random: one key is good for 2^32 files and frames (4 PiB of frames), then it is rotated.
"""

import hmac
import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from zhengka.formats import sm3, sm4
from zhengka.formats.sm4 import BLOCK, SealBroken

__all__ = [
    "FRAME",
    "OVERHEAD",
    "KeyRing",
    "SealBroken",
    "SealedFile",
    "UnknownKeyVersion",
    "blind_index_many",
    "is_stream",
    "open_file",
    "open_many",
    "open_one",
    "open_stream",
    "seal_file",
    "seal_many",
    "seal_one",
    "seal_rows",
    "seal_stream",
]

FRAME = 1 << 20
"""Plain bytes in every frame of a sealed stream but the last."""
OVERHEAD = 29
"""Bytes that sealing adds to a value."""

_MAGIC = b"ZKS1"
_NONCE, _HEAD = 12, 13
_HEAD_PADDING = bytes(BLOCK - _HEAD)
_FEW = 8  # below this many values the matrices cost more than they save


class UnknownKeyVersion(SealBroken):
    """Sealed under a key version that the ring does not hold, or its version byte was changed."""


class KeyRing:
    """Versioned 32-byte keys. New values are sealed under `current`; every version held opens."""

    def __init__(self, versions: dict[int, bytes], current: int) -> None:
        """Versions are 1 to 255; ValueError for another number, another length of key, or a missing `current`."""
        if current not in versions:
            raise ValueError("the current key version is not in the ring")
        if any(not 1 <= version <= 255 or len(key) != 32 for version, key in versions.items()):
            raise ValueError("a key ring holds versions 1 to 255 of 32 bytes each")
        self.current = current
        self._keys = {version: _derive(key) for version, key in versions.items()}

    def pair(self, version: int) -> tuple[bytes, bytes]:
        """The encryption key and the tag key (16 bytes each) of a version; UnknownKeyVersion."""
        return self._of(version)[:2]

    def for_files(self, version: int) -> bytes:
        """The key (16 bytes) under which a version seals files; UnknownKeyVersion."""
        return self._of(version)[2]

    def _of(self, version: int) -> tuple[bytes, bytes, bytes]:
        try:
            return self._keys[version]
        except KeyError:
            raise UnknownKeyVersion(f"no key of version {version}") from None

    def __repr__(self) -> str:
        """Version numbers only."""
        return f"<KeyRing {sorted(self._keys)} current {self.current}>"


def seal_one(ring: KeyRing, value: bytes, *, context: bytes) -> bytes:
    """Seal one value: this is the format, in four lines. `seal_many` makes the same in bulk."""
    encryption, tagging = ring.pair(ring.current)
    head = bytes([ring.current]) + os.urandom(_NONCE)
    body = sm4.ctr(encryption, head[1:] + bytes(4), value)
    return head + body + sm4.cmac(tagging, sm3.digest(context) + head + _HEAD_PADDING + body)


def open_one(ring: KeyRing, sealed: bytes, *, context: bytes) -> bytes:
    """Undo `seal_one`; SealBroken when a bit, the key or the context differs."""
    if len(sealed) < OVERHEAD:
        raise SealBroken("shorter than a seal")
    encryption, tagging = ring.pair(sealed[0])
    head, body, tag = sealed[:_HEAD], sealed[_HEAD:-BLOCK], sealed[-BLOCK:]
    if not hmac.compare_digest(sm4.cmac(tagging, sm3.digest(context) + head + _HEAD_PADDING + body), tag):
        raise SealBroken("the seal does not fit")
    return sm4.ctr(encryption, head[1:] + bytes(4), body)


def seal_file(ring: KeyRing, value: bytes, *, context: bytes) -> bytes:
    """Seal one long value, such as a portrait or a frame of a stream."""
    head = bytes([ring.current]) + os.urandom(_NONCE)
    return head + sm4.gcm_encrypt(ring.for_files(ring.current), head[1:], value, sm3.digest(context) + head[:1])


def open_file(ring: KeyRing, sealed: bytes, *, context: bytes) -> bytes:
    """Undo `seal_file`, or `seal_one`, as which files were sealed at first; SealBroken when a bit, the key or the
    context differs.
    """
    if len(sealed) < OVERHEAD:
        raise SealBroken("shorter than a seal")
    head, body = sealed[:_HEAD], sealed[_HEAD:]
    try:
        return sm4.gcm_decrypt(ring.for_files(head[0]), head[1:], body, sm3.digest(context) + head[:1])
    except UnknownKeyVersion:
        raise
    except SealBroken:
        return open_one(ring, sealed, context=context)


def seal_many(ring: KeyRing, values: Sequence[bytes], *, context: bytes) -> list[bytes]:
    """Seal a column of values, in order, all under the current key and one context."""
    if len(values) < _FEW:
        return [seal_one(ring, value, context=context) for value in values]
    sealer = _Sealer(ring, ring.current, context)

    def seal_group(group: Sequence[bytes], lengths: sm4.Numbers, width: int) -> list[bytes]:
        return _slices(sealer.seal_group(sm4.matrix(group, width), lengths), lengths + OVERHEAD)

    return _in_groups(values, sm4.lengths_of(values), seal_group)


def seal_rows(ring: KeyRing, rows: sm4.Bytes, lengths: sm4.Numbers, *, context: bytes) -> sm4.Bytes:
    """`seal_many` of values that stand in the rows of a matrix, and stay there: no object is made for each.

    `rows` are whole blocks wide, zero behind each value's end; a length of -1 is no value. Each row of what is
    returned holds `OVERHEAD` bytes more than its value, and zeros behind them.
    """
    sealer = _Sealer(ring, ring.current, context)
    sealed = np.zeros((len(rows), rows.shape[1] + OVERHEAD), np.uint8)
    there = np.flatnonzero(lengths >= 0)
    for count, group in sm4.by_blocks(lengths[there]):
        places, width = there[group], count * BLOCK
        sealed[places, : width + OVERHEAD] = sealer.seal_group(rows[places, :width], lengths[places])
    return sealed


def open_many(ring: KeyRing, sealed: Sequence[bytes], *, context: bytes) -> list[bytes]:
    """Undo `seal_many`; versions may be mixed. SealBroken if any value is broken: then none is returned."""
    if len(sealed) < _FEW:
        return [open_one(ring, value, context=context) for value in sealed]
    lengths = sm4.lengths_of(sealed) - OVERHEAD
    if lengths.min() < 0:
        raise SealBroken("shorter than a seal")
    versions = np.fromiter((value[0] for value in sealed), np.int64, len(sealed))
    if (versions == versions[0]).all():
        return _in_groups(sealed, lengths, _Sealer(ring, int(versions[0]), context).open_group)
    opened = [b""] * len(sealed)
    for version in np.unique(versions).tolist():
        places = np.flatnonzero(versions == version).tolist()
        group = _Sealer(ring, version, context).open_group
        values = _in_groups([sealed[place] for place in places], lengths[places], group)
        for place, value in zip(places, values, strict=True):
            opened[place] = value
    return opened


def blind_index_many(key: bytes, values: Sequence[str]) -> list[bytes]:
    """16 bytes of HMAC-SM3 for each text, in order: equal texts are found without being stored in clear.

    The caller normalises the texts; `key` is used for nothing else.
    """
    return [index[:16] for index in sm3.hmac_many(key, [value.encode() for value in values])]


def seal_stream(ring: KeyRing, reader: BinaryIO, writer: BinaryIO, *, context: bytes) -> int:
    """Seal all that `reader` gives, a frame of 1 MiB at a time; the number of plain bytes.

    Each frame is bound to its stream, its place and whether it is the last, so that cut, repeated or
    exchanged frames are refused.
    """
    stream = os.urandom(BLOCK)
    writer.write(_MAGIC + stream)
    total = 0
    for place, frame, last in _frames(reader, FRAME):
        writer.write(seal_file(ring, frame, context=_frame_context(context, stream, place, last)))
        total += len(frame)
    return total


def is_stream(head: bytes) -> bool:
    """True for the first bytes (four at least) of what `seal_stream` wrote."""
    return head.startswith(_MAGIC)


def open_stream(ring: KeyRing, reader: BinaryIO, writer: BinaryIO, *, context: bytes) -> int:
    """Undo `seal_stream`; SealBroken when anything was changed, cut, added or moved.

    Only authentic frames are written, but the whole is there only when this returns: until then keep it apart.
    """
    head = reader.read(len(_MAGIC) + BLOCK)
    if len(head) != len(_MAGIC) + BLOCK or not head.startswith(_MAGIC):
        raise SealBroken("not a sealed stream")
    stream, total = head[len(_MAGIC) :], 0
    for place, frame, last in _frames(reader, FRAME + OVERHEAD):
        value = open_file(ring, frame, context=_frame_context(context, stream, place, last))
        writer.write(value)
        total += len(value)
    return total


class SealedFile(io.RawIOBase):
    """A sealed stream as a file to read and to seek in, such as an archive: opened a frame at a time, in memory alone.

    Reading raises SealBroken where the frame was changed, cut or moved; frames that nobody reads are not looked at.
    """

    def __init__(self, ring: KeyRing, source: BinaryIO, *, context: bytes) -> None:
        """`source` is a file that can seek, as `seal_stream` wrote it; it is closed with this one."""
        size = source.seek(0, io.SEEK_END) - len(_MAGIC) - BLOCK
        source.seek(0)
        head = source.read(len(_MAGIC) + BLOCK)
        if size < OVERHEAD or not head.startswith(_MAGIC):
            raise SealBroken("not a sealed stream")
        self._ring, self._source, self._context, self._stream = ring, source, context, head[len(_MAGIC):]
        self._count = -(-size // (FRAME + OVERHEAD))
        self._size, self._at = size - self._count * OVERHEAD, 0
        self._open: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the clear bytes."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError("before the beginning")
        self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """The next clear bytes, at most to the end of their frame."""
        if self._at >= self._size:
            return 0
        place, within = divmod(self._at, FRAME)
        piece = self._frame(place)[within:within + len(buffer)]
        buffer[:len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the sealed file, too."""
        self._source.close()
        super().close()

    def _frame(self, place: int) -> bytes:
        if self._open[0] != place:
            self._source.seek(len(_MAGIC) + BLOCK + place * (FRAME + OVERHEAD))
            sealed = _fill(self._source, FRAME + OVERHEAD)
            context = _frame_context(self._context, self._stream, place, place == self._count - 1)
            self._open = place, open_file(self._ring, sealed, context=context)
        return self._open[1]


class _Sealer:
    """One key version and one context: seals and opens groups of values that fill the same number of blocks."""

    def __init__(self, ring: KeyRing, version: int, context: bytes) -> None:
        self._version = version
        self._encryption, self._tagging = ring.pair(version)
        self._chain = sm4.chain_of(self._tagging, sm3.digest(context))

    def seal_group(self, rows: sm4.Bytes, lengths: sm4.Numbers) -> sm4.Bytes:
        """The values in the rows, sealed: rows that are `OVERHEAD` wider."""
        count, width = rows.shape
        heads = np.zeros((count, BLOCK), np.uint8)
        heads[:, 0] = self._version
        heads[:, 1:_HEAD] = np.frombuffer(os.urandom(_NONCE * count), np.uint8).reshape(count, _NONCE)
        bodies = rows ^ self._stream(heads, width)
        _cut(bodies, lengths)
        sealed = np.zeros((count, width + OVERHEAD), np.uint8)
        sealed[:, :_HEAD], sealed[:, _HEAD : _HEAD + width] = heads[:, :_HEAD], bodies
        sealed[_tag_places(lengths)] = self._tags(heads, bodies, lengths)
        return sealed

    def open_group(self, sealed: Sequence[bytes], lengths: sm4.Numbers, width: int) -> list[bytes]:
        cells = sm4.matrix(sealed, width + OVERHEAD)
        heads = np.zeros((len(sealed), BLOCK), np.uint8)
        heads[:, :_HEAD] = cells[:, :_HEAD]
        bodies = cells[:, _HEAD : _HEAD + width].copy()
        _cut(bodies, lengths)
        if (cells[_tag_places(lengths)] ^ self._tags(heads, bodies, lengths)).any():
            raise SealBroken("a seal in the column does not fit")
        return _slices(bodies ^ self._stream(heads, width), lengths)

    def _stream(self, heads: sm4.Bytes, width: int) -> sm4.Bytes:
        return sm4.keystream_rows(self._encryption, heads[:, 1:_HEAD], width // BLOCK)

    def _tags(self, heads: sm4.Bytes, bodies: sm4.Bytes, lengths: sm4.Numbers) -> sm4.Bytes:
        return sm4.cmac_rows(self._tagging, np.hstack([heads, bodies]), lengths + BLOCK, chain=self._chain)


def _in_groups(
    values: Sequence[bytes],
    lengths: sm4.Numbers,
    work: Callable[[Sequence[bytes], sm4.Numbers, int], list[bytes]],
) -> list[bytes]:
    """Give `work` the values block count by block count, and put what it makes back in order."""
    done: list[bytes] = [b""] * len(values)
    for count, places in sm4.by_blocks(lengths):
        if len(places) == len(values):
            return work(values, lengths, count * BLOCK)
        order = places.tolist()
        made = work([values[place] for place in order], lengths[places], count * BLOCK)
        for place, value in zip(order, made, strict=True):
            done[place] = value
    return done


def _cut(bodies: sm4.Bytes, lengths: sm4.Numbers) -> None:
    """Zero what lies behind the end of each value."""
    low = int(lengths.min())
    if low == int(lengths.max()):
        bodies[:, low:] = 0
    else:
        bodies[:, low:] *= np.arange(low, bodies.shape[1]) < lengths[:, None]


def _tag_places(lengths: sm4.Numbers) -> tuple[Any, Any]:
    """Where the tags stand, as an index: columns side by side where all values are equally long."""
    first = _HEAD + int(lengths[0])
    if (lengths == lengths[0]).all():
        return slice(None), slice(first, first + BLOCK)
    return np.arange(len(lengths))[:, None], lengths[:, None] + np.arange(_HEAD, _HEAD + BLOCK)


def _slices(rows: sm4.Bytes, lengths: sm4.Numbers) -> list[bytes]:
    width, joined = rows.shape[1], rows.tobytes()
    starts = range(0, width * len(rows), width) if width else [0] * len(rows)
    return [joined[start : start + length] for start, length in zip(starts, lengths.tolist(), strict=True)]


def _frames(reader: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """(place, bytes, is the last) of all that the reader gives; an empty stream is one empty last frame."""
    place, frame = 0, _fill(reader, size)
    while True:
        following = _fill(reader, size) if len(frame) == size else b""
        yield place, frame, not following
        if not following:
            return
        place, frame = place + 1, following


def _fill(reader: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes, or fewer at the end only: a pipe may give less at a time."""
    parts: list[bytes] = []
    while size and (part := reader.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _frame_context(context: bytes, stream: bytes, place: int, last: bool) -> bytes:
    return b"zhengka stream" + sm3.digest(context) + stream + place.to_bytes(8) + bytes([last])


def _derive(key: bytes) -> tuple[bytes, bytes, bytes]:
    return (sm3.hmac(key, b"zhengka seal encryption")[:16], sm3.hmac(key, b"zhengka seal tag")[:16],
            sm3.hmac(key, b"zhengka seal file")[:16])
