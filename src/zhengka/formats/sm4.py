"""SM4 (GB/T 32907-2016), one block or a million at a time; AES (FIPS 197) beside it under the same names.

Every function takes `cipher`, "sm4" by default. The bulk functions exist because a call costs more than a
block: many short messages are laid out as the rows of a matrix and go through the cipher a column at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.cmac import CMAC
from numpy.typing import NDArray

from zhengka.formats import libcrypto

BLOCK = 16
"""Bytes in a block, of SM4 and of AES."""

CipherName = Literal["sm4", "aes"]
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

_ALGORITHMS: dict[CipherName, type[SM4] | type[AES]] = {"sm4": SM4, "aes": AES}
_ECB: dict[CipherName, bytes] = {"sm4": b"SM4-ECB", "aes": b"AES-128-ECB"}
_NO_CHAIN = bytes(BLOCK)
_GROUP = 1 << 20


class SealBroken(ValueError):
    """Sealed bytes were changed, cut or put in another place, or the key is another one."""


def ecb_encrypt(key: bytes, blocks: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Encrypt whole 16-byte blocks one by one, without chaining (GB/T 17964, ECB). ValueError for a part of a block."""
    context = _ecb(key, cipher).encryptor()
    return context.update(blocks) + context.finalize()


def ecb_decrypt(key: bytes, blocks: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Undo `ecb_encrypt`."""
    context = _ecb(key, cipher).decryptor()
    return context.update(blocks) + context.finalize()


def ecb_each(keys: Sequence[bytes], blocks: Sequence[bytes], *, cipher: CipherName = "sm4") -> list[bytes]:
    """One 16-byte block encrypted under each 16-byte key; what `ecb_encrypt` of each gives, in one context."""
    lib, ffi = libcrypto.lib(), libcrypto.ffi()
    algorithm = libcrypto.owned(lib.EVP_CIPHER_fetch(ffi.NULL, _ECB[cipher], ffi.NULL), lib.EVP_CIPHER_free)
    context = libcrypto.owned(lib.EVP_CIPHER_CTX_new(), lib.EVP_CIPHER_CTX_free)
    out, size, none = ffi.new("unsigned char[32]"), ffi.new("int *"), ffi.NULL
    start, update, block = lib.EVP_EncryptInit_ex, lib.EVP_EncryptUpdate, ffi.buffer(out, BLOCK)
    start(context, algorithm, none, bytes(BLOCK), none)
    done = []
    for key, plain in zip(keys, blocks, strict=True):
        if len(key) != BLOCK or len(plain) != BLOCK:
            raise ValueError("a key and a block are 16 bytes each")
        if start(context, none, none, key, none) != 1 or update(context, out, size, plain, BLOCK) != 1:
            libcrypto.fail("encrypt")
        done.append(block[:])
    return done


def cbc_encrypt(key: bytes, start: bytes, blocks: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Encrypt whole 16-byte blocks, chained from the 16-byte vector `start` on (GB/T 17964, CBC), without padding."""
    context = Cipher(_ALGORITHMS[cipher](key), modes.CBC(start)).encryptor()
    return context.update(blocks) + context.finalize()


def cbc_decrypt(key: bytes, start: bytes, blocks: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Undo `cbc_encrypt`."""
    context = Cipher(_ALGORITHMS[cipher](key), modes.CBC(start)).decryptor()
    return context.update(blocks) + context.finalize()


def ctr(key: bytes, counter: bytes, data: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Encrypt or decrypt `data` of any length from the 16-byte start `counter` on (GB/T 17964, CTR)."""
    context = Cipher(_ALGORITHMS[cipher](key), modes.CTR(counter)).encryptor()
    return context.update(data) + context.finalize()


def gcm_encrypt(key: bytes, nonce: bytes, data: bytes, also: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Ciphertext and 16-byte tag (GCM, RFC 8998 for SM4). `also` is authenticated, not hidden.

    A nonce (12 bytes) must never come twice under one key. Raises `cryptography`'s UnsupportedAlgorithm
    where its OpenSSL has no SM4-GCM.
    """
    context = Cipher(_ALGORITHMS[cipher](key), modes.GCM(nonce)).encryptor()
    context.authenticate_additional_data(also)
    return context.update(data) + context.finalize() + context.tag


def gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, also: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """Undo `gcm_encrypt`; SealBroken when anything differs."""
    if len(sealed) < BLOCK:
        raise SealBroken("shorter than its own tag")
    body, tag = sealed[:-BLOCK], sealed[-BLOCK:]
    context = Cipher(_ALGORITHMS[cipher](key), modes.GCM(nonce, tag)).decryptor()
    context.authenticate_additional_data(also)
    try:
        return context.update(body) + context.finalize()
    except InvalidTag:
        raise SealBroken("the tag does not fit") from None


class AtWork:
    """One key that works message after message, in CBC, CMAC and ECB: to make a context costs as much as many blocks,
    so each is made once, when it is first needed. Each message begins anew: of the chain, what the message before left
    is taken out of the first block.

    Not for two threads at once.
    """

    __slots__ = ("_after", "_algorithm", "_before", "_block", "_decrypt", "_each", "_encrypt", "_mac")

    def __init__(self, key: bytes, *, cipher: CipherName = "sm4") -> None:
        """`key` is 16 bytes."""
        self._algorithm = _ALGORITHMS[cipher](key)
        self._mac: CMAC | None = None
        self._encrypt: Callable[[bytes], bytes] | None = None
        self._decrypt: Callable[[bytes], bytes] | None = None
        self._block: Callable[[bytes], bytes] | None = None
        self._each: Callable[[bytes], bytes] | None = None
        self._before = self._after = 0

    def __repr__(self) -> str:
        """Never the key."""
        return "<AtWork>"

    def __deepcopy__(self, _memo: object) -> "AtWork":
        """The same key at work elsewhere, as in a copy of a chip: no context can be copied, so each is made anew."""
        other = object.__new__(AtWork)
        other._algorithm, other._mac, other._encrypt, other._decrypt = self._algorithm, None, None, None
        other._block, other._each, other._before, other._after = None, None, 0, 0
        return other

    def cmac(self, message: bytes) -> bytes:
        """What `cmac` gives under this key."""
        if self._mac is None:
            self._mac = CMAC(self._algorithm)
        context = self._mac.copy()
        context.update(message)
        return context.finalize()

    def seal(self, seed: bytes, blocks: bytes) -> bytes:
        """Whole blocks in CBC from the vector that one block `seed` gives when it is encrypted."""
        return self._chained(seed + blocks)[BLOCK:]

    def unseal(self, seed: bytes, blocks: bytes) -> bytes:
        """Undo `seal`; ValueError for parts of a block."""
        if len(blocks) % BLOCK:
            raise ValueError("not whole blocks")
        if not blocks:
            return b""
        if self._decrypt is None or self._block is None:
            self._decrypt = Cipher(self._algorithm, modes.CBC(_NO_CHAIN)).decryptor().update
            self._block = _ecb_of(self._algorithm).encryptor().update
        mask = int.from_bytes(self._block(seed)) ^ self._after
        self._after = int.from_bytes(blocks[-BLOCK:])
        plain = self._decrypt(blocks)
        return (int.from_bytes(plain[:BLOCK]) ^ mask).to_bytes(BLOCK) + plain[BLOCK:]

    def ecb_decrypt(self, blocks: bytes) -> bytes:
        """What `ecb_decrypt` gives under this key."""
        if len(blocks) % BLOCK:
            raise ValueError("not whole blocks")
        if self._each is None:
            self._each = _ecb_of(self._algorithm).decryptor().update
        return self._each(blocks)

    def _chained(self, blocks: bytes) -> bytes:
        """CBC from a vector of zeros; at least one whole block."""
        if len(blocks) % BLOCK:
            raise ValueError("not whole blocks")
        if self._encrypt is None:
            self._encrypt = Cipher(self._algorithm, modes.CBC(_NO_CHAIN)).encryptor().update
        first = int.from_bytes(blocks[:BLOCK]) ^ self._before
        done = self._encrypt(first.to_bytes(BLOCK) + blocks[BLOCK:])
        self._before = int.from_bytes(done[-BLOCK:])
        return done


def cmac(key: bytes, message: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """The 16-byte CMAC of one message (GB/T 15852.1 algorithm 5, RFC 4493 for AES)."""
    context = CMAC(_ALGORITHMS[cipher](key))
    context.update(message)
    return context.finalize()


def cmac_many(key: bytes, messages: Sequence[bytes], *, cipher: CipherName = "sm4") -> list[bytes]:
    """The CMAC of every message, in order; equal to `cmac` of each, a handful of calls for them all."""
    lengths = lengths_of(messages)
    tags = np.empty((len(messages), BLOCK), np.uint8)
    for count, places in by_blocks(np.maximum(lengths, 1)):
        rows = matrix([messages[place] for place in places.tolist()], count * BLOCK)
        tags[places] = cmac_rows(key, rows, lengths[places], cipher=cipher)
    return slices(tags)


def cmac_rows(
    key: bytes, rows: Bytes, lengths: Numbers, *, cipher: CipherName = "sm4", chain: bytes = _NO_CHAIN
) -> Bytes:
    """The CMACs (n × 16) of the rows of a zero-padded matrix whose messages all fill the same number of blocks.

    `lengths` are the messages' own lengths. `chain` is what `chain_of` gave for whole blocks that stand
    before every row.
    """
    context = _ecb(key, cipher).encryptor()
    body, last = rows[:, :-BLOCK], _last_blocks(context, rows, lengths)
    if len(rows) <= rows.shape[1] // BLOCK:
        whole = np.hstack([body, last])
        tags = [_cbc_last(key, row.tobytes(), chain, cipher) for row in whole]
        return np.frombuffer(b"".join(tags), np.uint8).reshape(-1, BLOCK)
    state = np.broadcast_to(np.frombuffer(chain, np.uint8), last.shape)
    for column in range(0, body.shape[1], BLOCK):
        state = _encrypt(context, body[:, column : column + BLOCK] ^ state)
    return _encrypt(context, last ^ state)


def chain_of(key: bytes, blocks: bytes, *, cipher: CipherName = "sm4") -> bytes:
    """The CBC-MAC state after whole `blocks`: the start that `cmac_rows` takes as `chain`."""
    return _cbc_last(key, blocks, _NO_CHAIN, cipher)


def keystream_rows(key: bytes, nonces: Bytes, count: int, *, cipher: CipherName = "sm4") -> Bytes:
    """CTR key stream (n × 16·count) of n 12-byte nonces, each followed by a 32-bit counter from 0 on."""
    counters = np.empty((len(nonces), count, BLOCK), np.uint8)
    counters[:, :, :12] = nonces[:, None, :]
    counters[:, :, 12:] = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4)
    stream = ecb_encrypt(key, counters.tobytes(), cipher=cipher)
    return np.frombuffer(stream, np.uint8).reshape(len(nonces), count * BLOCK)


def lengths_of(values: Sequence[bytes]) -> Numbers:
    """The length of every value."""
    return np.fromiter(map(len, values), np.int64, len(values))


def by_blocks(lengths: Numbers) -> Iterator[tuple[int, Numbers]]:
    """Groups of places whose lengths fill the same number of 16-byte blocks: (blocks, places).

    A group has at most 1 MiB, or one place, so that a long column never needs much memory at once.
    """
    counts = (lengths + (BLOCK - 1)) // BLOCK
    for count in np.unique(counts).tolist():
        places = np.flatnonzero(counts == count)
        size = max(1, _GROUP // (BLOCK * max(1, count)))
        for start in range(0, len(places), size):
            yield count, places[start : start + size]


def matrix(values: Sequence[bytes], width: int) -> Bytes:
    """The values as rows of `width` bytes, padded with zeros."""
    joined = b"".join([value.ljust(width, b"\0") for value in values])
    return np.frombuffer(joined, np.uint8).reshape(len(values), width)


def slices(rows: Bytes) -> list[bytes]:
    """Every row of a matrix as bytes."""
    width, joined = rows.shape[1], rows.tobytes()
    return [joined[start : start + width] for start in range(0, len(joined), width)]


def _ecb(key: bytes, cipher: CipherName) -> Cipher[modes.ECB]:
    return _ecb_of(_ALGORITHMS[cipher](key))


def _ecb_of(algorithm: SM4 | AES) -> Cipher[modes.ECB]:
    return Cipher(algorithm, modes.ECB())  # noqa: S305 - the standards' own block operation


def _encrypt(context: CipherContext, blocks: Bytes) -> Bytes:
    return np.frombuffer(context.update(blocks.tobytes()), np.uint8).reshape(-1, BLOCK)


def _last_blocks(context: CipherContext, rows: Bytes, lengths: Numbers) -> Bytes:
    """The last block of each row, padded and masked with the subkeys of RFC 4493 section 2.3."""
    first = _double(context.update(bytes(BLOCK)))
    second = _double(first)
    last = rows[:, -BLOCK:].copy()
    tail = lengths - (rows.shape[1] - BLOCK)
    whole = tail == BLOCK
    last[whole] ^= np.frombuffer(first, np.uint8)
    part = np.flatnonzero(~whole)
    last[part, tail[part]] = 0x80
    last[part] ^= np.frombuffer(second, np.uint8)
    return last


def _double(block: bytes) -> bytes:
    """Multiply by x in GF(2^128), as CMAC counts bits."""
    number = int.from_bytes(block) << 1
    if number >> 128:
        number ^= (1 << 128) | 0x87
    return number.to_bytes(BLOCK)


def _cbc_last(key: bytes, blocks: bytes, start: bytes, cipher: CipherName) -> bytes:
    return cbc_encrypt(key, start, blocks, cipher=cipher)[-BLOCK:]
