"""SM3 (GB/T 32905-2016) and HMAC over it, by the OpenSSL that Python itself is linked to."""

import hashlib
import hmac as _hmac

SIZE = 32
"""Bytes in a digest."""

_BASE = hashlib.new("sm3")


def digest(data: bytes) -> bytes:
    """The 32-byte SM3 digest (杂凑值) of `data`."""
    state = _BASE.copy()
    state.update(data)
    return state.digest()


def hmac(key: bytes, message: bytes) -> bytes:
    """The 32-byte HMAC-SM3 (GB/T 15852.2) of `message` under a key of any length."""
    return _hmac.digest(key, message, "sm3")
