"""SM3 (GB/T 32905-2016) and HMAC over it, by the OpenSSL that Python itself is linked to."""

import hashlib
import hmac as _hmac
from collections.abc import Iterable

SIZE = 32
"""Bytes in a digest."""

_BLOCK = 64
_BASE = hashlib.new("sm3")


def digest(data: bytes) -> bytes:
    """The 32-byte SM3 digest (杂凑值) of `data`."""
    state = _BASE.copy()
    state.update(data)
    return state.digest()


def hmac(key: bytes, message: bytes) -> bytes:
    """The 32-byte HMAC-SM3 (GB/T 15852.2) of `message` under a key of any length."""
    return _hmac.digest(key, message, "sm3")


def hmac_many(key: bytes, messages: Iterable[bytes]) -> list[bytes]:
    """`hmac` of every message, in order; the key's two blocks are hashed once for them all (RFC 2104 section 4)."""
    padded = (key if len(key) <= _BLOCK else digest(key)).ljust(_BLOCK, b"\0")
    inner, outer = _BASE.copy(), _BASE.copy()
    inner.update(bytes(byte ^ 0x36 for byte in padded))
    outer.update(bytes(byte ^ 0x5C for byte in padded))
    return [_finish(inner.copy(), outer.copy(), message) for message in messages]


def _finish(inner: "hashlib._Hash", outer: "hashlib._Hash", message: bytes) -> bytes:
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()
