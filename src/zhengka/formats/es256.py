"""Many ES256 signatures of one key checked at a time, each call outside the interpreter's lock (RFC 7518, clause 3.4).

`suites.INTL` says the same of one signature, but `cryptography` keeps the lock while it looks: threads gain nothing.
"""

from collections.abc import Iterable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from zhengka.formats import libcrypto
from zhengka.formats.suites import INTL

_ORDER: Final = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)
_PUBLIC: Final = 0x86  # EVP_PKEY_PUBLIC_KEY
_TEXT, _OCTETS = 4, 5  # OSSL_PARAM_UTF8_STRING, OSSL_PARAM_OCTET_STRING


def check_many(point: bytes, signed: Iterable[tuple[bytes, bytes]]) -> list[bool]:
    """For each (SHA-256 of a message, signature of 64 bytes) whether the key with this point (65 bytes) signed it.

    MalformedKey for a point that is not on the curve.
    """
    INTL.public_key(point)
    lib, ffi = libcrypto.lib(), libcrypto.ffi()
    key = _imported(point)
    context = libcrypto.owned(lib.EVP_PKEY_CTX_new_from_pkey(ffi.NULL, key, ffi.NULL), lib.EVP_PKEY_CTX_free)
    if lib.EVP_PKEY_verify_init(context) != 1:
        libcrypto.fail("begin to check ES256")
    found = []
    for digest, signature in signed:
        der = _der(signature)
        found.append(bool(der) and lib.EVP_PKEY_verify(context, der, len(der), digest, len(digest)) == 1)
    lib.ERR_clear_error()
    return found


def _der(signature: bytes) -> bytes:
    """The signature as OpenSSL takes it; nothing for one that can be nobody's."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    possible = len(signature) == 64 and 0 < r < _ORDER and 0 < s < _ORDER
    return encode_dss_signature(r, s) if possible else b""


def _imported(point: bytes) -> Any:
    lib, ffi = libcrypto.lib(), libcrypto.ffi()
    parts = [(ffi.new("char[]", name), kind, ffi.from_buffer(data), len(data)) for name, kind, data in (
        (b"group", _TEXT, b"P-256"), (b"pub", _OCTETS, point))]
    params = ffi.new("OSSL_PARAM[]", [(name, kind, data, size, 0) for name, kind, data, size in parts] + [()])
    maker = libcrypto.owned(lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"EC", ffi.NULL), lib.EVP_PKEY_CTX_free)
    key = ffi.new("void **")
    lib.EVP_PKEY_fromdata_init(maker)
    if lib.EVP_PKEY_fromdata(maker, key, _PUBLIC, params) != 1:
        libcrypto.fail("import a key")
    return libcrypto.owned(key[0], lib.EVP_PKEY_free)
