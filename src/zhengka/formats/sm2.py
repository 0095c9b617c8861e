"""SM2 signatures and public-key encryption (GB/T 32918) by the system's own libcrypto.so.3.

The message digest e = SM3(Z ‖ M) is made here, with Z (GB/T 32918.2 clause 5.5) computed once per key; OpenSSL signs
and checks e. Signatures are 64 bytes r ‖ s inside, DER only at the edge. One OpenSSL context is never used by two
threads at once.
"""

from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any, NoReturn, TypeVar

from zhengka.formats import libcrypto, sm3
from zhengka.formats.libcrypto import LibraryFailed, LibraryMissing, library

__all__ = [
    "DEFAULT_ID",
    "ORDER",
    "DecryptionFailed",
    "LibraryFailed",
    "LibraryMissing",
    "MalformedKey",
    "MalformedSignature",
    "PrivateKey",
    "PublicKey",
    "from_der",
    "library",
    "self_test",
    "to_der",
]

DEFAULT_ID = b"1234567812345678"
"""The distinguishing identifier (可辨别标识) of GM/T 0009-2012 clause 10 when nothing else was agreed."""

ORDER = int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", 16)
"""n, the order of the base point (GB/T 32918.5)."""

_CURVE = bytes.fromhex(  # a ‖ b ‖ xG ‖ yG, GB/T 32918.5
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)
_T = TypeVar("_T")
_P, _A, _B = 2**256 - 2**224 - 2**96 + 2**64 - 1, int.from_bytes(_CURVE[:32]), int.from_bytes(_CURVE[32:64])
_NID_SM2 = 1172
_PUBLIC, _KEYPAIR = 0x86, 0x87  # EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEYPAIR
_UNSIGNED, _TEXT, _OCTETS = 2, 4, 5  # OSSL_PARAM data types


class MalformedKey(ValueError):
    """Not a private scalar in range, or not a point of the curve."""


class MalformedSignature(ValueError):
    """Not 64 bytes r ‖ s with both numbers in range, or not its DER."""


class DecryptionFailed(ValueError):
    """Not a ciphertext for this key, or changed on the way."""


class PublicKey:
    """An SM2 public key (公钥), proved to be a point of the curve; OpenSSL's own object is made on first use."""

    def __init__(self, point: bytes, *, identifier: bytes = DEFAULT_ID) -> None:
        """Take 65 bytes 04 ‖ x ‖ y; MalformedKey when they are not a point of the curve."""
        if len(point) != 65 or point[0] != 4:
            raise MalformedKey("a public point is 65 bytes and begins with 04")
        if not _on_curve(int.from_bytes(point[1:33]), int.from_bytes(point[33:])):
            raise MalformedKey("not a point of the SM2 curve")
        self.point = point
        self._identifier = identifier

    @cached_property
    def _key(self) -> Any:
        return _import(self.point, None)

    @cached_property
    def _verifying(self) -> "_Contexts":
        return _Contexts(self._key, "EVP_PKEY_verify_init")

    @cached_property
    def _encrypting(self) -> "_Contexts":
        return _Contexts(self._key, "EVP_PKEY_encrypt_init")

    @cached_property
    def _z(self) -> bytes:
        bits = (len(self._identifier) * 8).to_bytes(2)
        return sm3.digest(bits + self._identifier + _CURVE + self.point[1:])

    def message_digest(self, message: bytes) -> bytes:
        """The digest e = SM3(Z ‖ M): the 32 bytes that are signed (GB/T 32918.2 clause 6.1)."""
        return sm3.digest(self._z + message)

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether the 64-byte signature fits e; MalformedSignature when it can be nobody's."""
        der = to_der(signature)
        outcome = self._verifying.use(
            lambda context: libcrypto.lib().EVP_PKEY_verify(context, der, len(der), digest, len(digest))
        )
        if outcome < 0:
            libcrypto.fail("verify")
        return bool(outcome == 1)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64-byte signature (签名值) fits the message; MalformedSignature as in `verify_digest`."""
        return self.verify_digest(self.message_digest(message), signature)

    def encrypt(self, data: bytes) -> bytes:
        """Encrypt at least one byte to this key; the ASN.1 form of GB/T 35276 clause 7.2."""
        if not data:
            raise ValueError("SM2 cannot encrypt nothing")
        return self._encrypting.use(lambda context: _transform("EVP_PKEY_encrypt", context, data))


class PrivateKey:
    """An SM2 private key (私钥). Its scalar leaves only through `scalar()`."""

    def __init__(self, handle: Any, point: bytes, *, identifier: bytes = DEFAULT_ID) -> None:
        """Use `generate` or `from_scalar`."""
        self._key = handle
        self.public = PublicKey(point, identifier=identifier)
        self._signing = _Contexts(handle, "EVP_PKEY_sign_init")
        self._decrypting = _Contexts(handle, "EVP_PKEY_decrypt_init")

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new key from OpenSSL's random generator."""
        lib, ffi = libcrypto.lib(), libcrypto.ffi()
        handle = libcrypto.owned(lib.EVP_PKEY_Q_keygen(ffi.NULL, ffi.NULL, b"SM2"), lib.EVP_PKEY_free)
        out = ffi.new("unsigned char **")
        size = lib.EVP_PKEY_get1_encoded_public_key(handle, out)
        point = ffi.buffer(out[0], size)[:]
        lib.CRYPTO_free(out[0], b"", 0)
        return cls(handle, point)

    @classmethod
    def from_scalar(cls, scalar: bytes, *, identifier: bytes = DEFAULT_ID) -> "PrivateKey":
        """The key of a 32-byte scalar d, 1 ≤ d ≤ n−2 (GB/T 32918.1 clause 6.1); MalformedKey otherwise."""
        if len(scalar) != 32 or not 1 <= int.from_bytes(scalar) <= ORDER - 2:
            raise MalformedKey("a private scalar is 32 bytes between 1 and n-2")
        point = _multiply_base(scalar)
        return cls(_import(point, scalar), point, identifier=identifier)

    def scalar(self) -> bytes:
        """The 32-byte private scalar, in clear: only for wrapping it under another key."""
        lib, ffi = libcrypto.lib(), libcrypto.ffi()
        number = ffi.new("void **")
        if lib.EVP_PKEY_get_bn_param(self._key, b"priv", number) != 1:
            libcrypto.fail("export")
        out = ffi.new("unsigned char[32]")
        lib.BN_bn2binpad(number[0], out, 32)
        lib.BN_clear_free(number[0])
        return bytes(ffi.buffer(out))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature r ‖ s of one message."""
        return self.sign_digests([self.public.message_digest(message)])[0]

    def sign_many(self, messages: Iterable[bytes]) -> list[bytes]:
        """The signatures of many messages, in order."""
        return self.sign_digests(map(self.public.message_digest, messages))

    def sign_digests(self, digests: Iterable[bytes]) -> list[bytes]:
        """The signatures of ready digests e (32 bytes each), in order."""
        return self._signing.use(lambda context: _sign_all(context, digests))

    def decrypt(self, data: bytes) -> bytes:
        """Undo `PublicKey.encrypt`; DecryptionFailed when it was not made for this key or was changed."""
        try:
            return self._decrypting.use(lambda context: _transform("EVP_PKEY_decrypt", context, data))
        except LibraryFailed:
            raise DecryptionFailed("not an SM2 ciphertext for this key") from None

    def __reduce__(self) -> NoReturn:
        """Private keys never travel in a pickle."""
        raise TypeError("a private key cannot be pickled")


def to_der(signature: bytes) -> bytes:
    """64 bytes r ‖ s as the DER of GB/T 35276 clause 7.3; MalformedSignature unless 1 ≤ r, s < n."""
    if len(signature) != 64:
        raise MalformedSignature("a signature is 64 bytes")
    numbers = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not all(1 <= number < ORDER for number in numbers):
        raise MalformedSignature("r or s is out of range")
    body = b"".join(map(_der_integer, numbers))
    return bytes([0x30, len(body)]) + body


def from_der(der: bytes) -> bytes:
    """The 64 bytes r ‖ s of a DER signature; MalformedSignature unless it is exactly the DER of one."""
    signature = _raw(der) if len(der) > 3 else b""
    if to_der(signature) != der:
        raise MalformedSignature("not the DER of r and s")
    return signature


def self_test() -> None:
    """Prove the library with the signature of GB/T 32918.5 annex A; LibraryMissing or LibraryFailed otherwise."""
    key = PrivateKey.from_scalar(bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"))
    signature = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    fits = key.public.verify(b"message digest", signature)
    own = key.public.verify(b"message digest", key.sign(b"message digest"))
    if not fits or not own or key.public.verify(b"Message digest", signature):
        raise LibraryFailed("libcrypto.so.3 does not agree with GB/T 32918.5")


class _Contexts:
    """Ready OpenSSL contexts of one key and one operation, each in the hands of one thread at a time."""

    def __init__(self, key: Any, init: str) -> None:
        self._key, self._init = key, init
        self._idle: list[Any] = []

    def use(self, work: Callable[[Any], _T]) -> _T:
        context = self._take()
        try:
            return work(context)
        finally:
            self._idle.append(context)

    def _take(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            lib, ffi = libcrypto.lib(), libcrypto.ffi()
            new = lib.EVP_PKEY_CTX_new_from_pkey(ffi.NULL, self._key, ffi.NULL)
            context = libcrypto.owned(new, lib.EVP_PKEY_CTX_free)
            if getattr(lib, self._init)(context) != 1:
                libcrypto.fail(self._init)
            return context


@cache
def _group() -> Any:
    group = libcrypto.lib().EC_GROUP_new_by_curve_name(_NID_SM2)
    if not group:
        raise LibraryMissing("libcrypto.so.3 was built without SM2: use the one of Debian's package libssl3")
    return group


def _on_curve(x: int, y: int) -> bool:
    """GB/T 32918.1 clause 6.2.1; the cofactor is 1, so every point but infinity is good. Public numbers only."""
    return x < _P and y < _P and (y * y - (x * x + _A) * x - _B) % _P == 0


def _import(point: bytes, scalar: bytes | None) -> Any:
    """An EVP_PKEY of a public point, with its private scalar if there is one."""
    lib, ffi = libcrypto.lib(), libcrypto.ffi()
    fields = [(b"group", _TEXT, b"SM2"), (b"pub", _OCTETS, point)]
    if scalar:
        fields.append((b"priv", _UNSIGNED, scalar[::-1]))  # native order of x86-64 and ARM: little end first
    parts = [(ffi.new("char[]", name), kind, ffi.from_buffer(data), len(data)) for name, kind, data in fields]
    params = ffi.new("OSSL_PARAM[]", [(name, kind, data, size, 0) for name, kind, data, size in parts] + [()])
    name = lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL)
    context, key = libcrypto.owned(name, lib.EVP_PKEY_CTX_free), ffi.new("void **")
    lib.EVP_PKEY_fromdata_init(context)
    if lib.EVP_PKEY_fromdata(context, key, _KEYPAIR if scalar else _PUBLIC, params) != 1:
        libcrypto.fail("import a key")
    return libcrypto.owned(key[0], lib.EVP_PKEY_free)


def _multiply_base(scalar: bytes) -> bytes:
    """The public point of a private scalar, 65 bytes."""
    lib, ffi, group = libcrypto.lib(), libcrypto.ffi(), _group()
    number = libcrypto.owned(lib.BN_bin2bn(scalar, 32, ffi.NULL), lib.BN_clear_free)
    point = libcrypto.owned(lib.EC_POINT_new(group), lib.EC_POINT_clear_free)
    out = ffi.new("unsigned char[65]")
    if lib.EC_POINT_mul(group, point, number, ffi.NULL, ffi.NULL, ffi.NULL) != 1:
        libcrypto.fail("public point")
    lib.EC_POINT_point2oct(group, point, 4, out, 65, ffi.NULL)
    return bytes(ffi.buffer(out))


def _sign_all(context: Any, digests: Iterable[bytes]) -> list[bytes]:
    sign, ffi = libcrypto.lib().EVP_PKEY_sign, libcrypto.ffi()
    out, size = ffi.new("unsigned char[80]"), ffi.new("size_t *")
    signatures = []
    for digest in digests:
        size[0] = 80
        if len(digest) != 32 or sign(context, out, size, digest, 32) != 1:
            libcrypto.fail("sign")
        signatures.append(_raw(ffi.buffer(out, size[0])[:]))  # our own library writes DER as it must be
    return signatures


def _transform(name: str, context: Any, data: bytes) -> bytes:
    """Run EVP_PKEY_encrypt or EVP_PKEY_decrypt."""
    ffi, call = libcrypto.ffi(), getattr(libcrypto.lib(), name)
    size = ffi.new("size_t *")
    if call(context, ffi.NULL, size, data, len(data)) != 1:
        libcrypto.fail(name)
    out = ffi.new("unsigned char[]", size[0])
    if call(context, out, size, data, len(data)) != 1:
        libcrypto.fail(name)
    return bytes(ffi.buffer(out, size[0]))


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1)
    return bytes([2, len(content)]) + content


def _raw(der: bytes) -> bytes:
    """Numbers r and s of a DER signature, 32 bytes each; whether it is well formed is told from the round trip."""
    size = der[3]
    return der[4 : 4 + size][-32:].rjust(32, b"\0") + der[6 + size :][-32:].rjust(32, b"\0")
