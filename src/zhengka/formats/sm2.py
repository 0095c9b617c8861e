"""SM2 signatures and public-key encryption (GB/T 32918) by the system's own libcrypto.so.3.

A thin cffi binding without a compile step. The message digest e = SM3(Z ‖ M) is made here, with Z (GB/T 32918.2
clause 5.5) computed once per key; OpenSSL signs and checks e. Signatures are 64 bytes r ‖ s inside, DER only at
the edge. Each call releases the interpreter's lock; one OpenSSL context is never used by two threads at once.
"""

from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any, NoReturn, TypeVar

import cffi

from zhengka.formats import sm3

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

_DECLARATIONS = """
typedef struct { const char *key; unsigned int type; void *data; size_t size; size_t returned; } OSSL_PARAM;
void ERR_clear_error(void);
void *EVP_PKEY_Q_keygen(void *lib, const char *query, const char *type, ...);
void EVP_PKEY_free(void *key);
int EVP_PKEY_get_bn_param(const void *key, const char *name, void **number);
size_t EVP_PKEY_get1_encoded_public_key(void *key, unsigned char **point);
void *EVP_PKEY_CTX_new_from_name(void *lib, const char *name, const char *query);
void *EVP_PKEY_CTX_new_from_pkey(void *lib, void *key, const char *query);
void EVP_PKEY_CTX_free(void *context);
int EVP_PKEY_fromdata_init(void *context);
int EVP_PKEY_fromdata(void *context, void **key, int selection, OSSL_PARAM *params);
int EVP_PKEY_sign_init(void *context);
int EVP_PKEY_sign(void *context, unsigned char *out, size_t *size, const unsigned char *e, size_t length);
int EVP_PKEY_verify_init(void *context);
int EVP_PKEY_verify(void *context, const unsigned char *der, size_t size, const unsigned char *e, size_t length);
int EVP_PKEY_encrypt_init(void *context);
int EVP_PKEY_encrypt(void *context, unsigned char *out, size_t *size, const unsigned char *in, size_t length);
int EVP_PKEY_decrypt_init(void *context);
int EVP_PKEY_decrypt(void *context, unsigned char *out, size_t *size, const unsigned char *in, size_t length);
int BN_bn2binpad(const void *number, unsigned char *out, int size);
void *BN_bin2bn(const unsigned char *bytes, int size, void *number);
void BN_clear_free(void *number);
void *EC_GROUP_new_by_curve_name(int nid);
void *EC_POINT_new(const void *group);
void EC_POINT_clear_free(void *point);
int EC_POINT_mul(const void *group, void *r, const void *n, const void *q, const void *m, void *ctx);
size_t EC_POINT_point2oct(const void *group, const void *p, int form, unsigned char *out, size_t size, void *ctx);
void CRYPTO_free(void *memory, const char *file, int line);
"""


class MalformedKey(ValueError):
    """Not a private scalar in range, or not a point of the curve."""


class MalformedSignature(ValueError):
    """Not 64 bytes r ‖ s with both numbers in range, or not its DER."""


class DecryptionFailed(ValueError):
    """Not a ciphertext for this key, or changed on the way."""


class LibraryMissing(RuntimeError):
    """The system's OpenSSL cannot be used for SM2."""


class LibraryFailed(RuntimeError):
    """OpenSSL refused an operation that must succeed."""


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
            lambda context: _lib().EVP_PKEY_verify(context, der, len(der), digest, len(digest))
        )
        if outcome < 0:
            _fail("verify")
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
        lib, ffi = _lib(), _ffi()
        handle = _owned(lib.EVP_PKEY_Q_keygen(ffi.NULL, ffi.NULL, b"SM2"), lib.EVP_PKEY_free)
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
        lib, ffi = _lib(), _ffi()
        number = ffi.new("void **")
        if lib.EVP_PKEY_get_bn_param(self._key, b"priv", number) != 1:
            _fail("export")
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
    size = der[3] if len(der) > 3 else 0
    signature = _number(der[4 : 4 + size]) + _number(der[6 + size :])
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


def library(name: str = "libcrypto.so.3") -> Any:
    """The opened system library; LibraryMissing, naming the package to install, where there is none."""
    try:
        return _ffi().dlopen(name)
    except OSError:
        raise LibraryMissing(f"{name} is missing: install Debian's package libssl3") from None


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
            lib, ffi = _lib(), _ffi()
            new = lib.EVP_PKEY_CTX_new_from_pkey(ffi.NULL, self._key, ffi.NULL)
            context = _owned(new, lib.EVP_PKEY_CTX_free)
            if getattr(lib, self._init)(context) != 1:
                _fail(self._init)
            return context


@cache
def _ffi() -> cffi.FFI:
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi


@cache
def _lib() -> Any:
    return library()


@cache
def _group() -> Any:
    group = _lib().EC_GROUP_new_by_curve_name(_NID_SM2)
    if not group:
        raise LibraryMissing("libcrypto.so.3 was built without SM2: use the one of Debian's package libssl3")
    return group


def _fail(what: str) -> NoReturn:
    _lib().ERR_clear_error()
    raise LibraryFailed(f"libcrypto.so.3 failed: {what}")


def _owned(pointer: Any, free: Any) -> Any:
    if not pointer:
        _fail("no memory or no such algorithm")
    return _ffi().gc(pointer, free)


def _on_curve(x: int, y: int) -> bool:
    """GB/T 32918.1 clause 6.2.1; the cofactor is 1, so every point but infinity is good. Public numbers only."""
    return x < _P and y < _P and (y * y - (x * x + _A) * x - _B) % _P == 0


def _import(point: bytes, scalar: bytes | None) -> Any:
    """An EVP_PKEY of a public point, with its private scalar if there is one."""
    lib, ffi = _lib(), _ffi()
    fields = [(b"group", _TEXT, b"SM2"), (b"pub", _OCTETS, point)]
    if scalar:
        fields.append((b"priv", _UNSIGNED, scalar[::-1]))  # native order of x86-64 and ARM: little end first
    parts = [(ffi.new("char[]", name), kind, ffi.from_buffer(data), len(data)) for name, kind, data in fields]
    params = ffi.new("OSSL_PARAM[]", [(name, kind, data, size, 0) for name, kind, data, size in parts] + [()])
    name = lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL)
    context, key = _owned(name, lib.EVP_PKEY_CTX_free), ffi.new("void **")
    lib.EVP_PKEY_fromdata_init(context)
    if lib.EVP_PKEY_fromdata(context, key, _KEYPAIR if scalar else _PUBLIC, params) != 1:
        _fail("import a key")
    return _owned(key[0], lib.EVP_PKEY_free)


def _multiply_base(scalar: bytes) -> bytes:
    """The public point of a private scalar, 65 bytes."""
    lib, ffi, group = _lib(), _ffi(), _group()
    number = _owned(lib.BN_bin2bn(scalar, 32, ffi.NULL), lib.BN_clear_free)
    point = _owned(lib.EC_POINT_new(group), lib.EC_POINT_clear_free)
    out = ffi.new("unsigned char[65]")
    if lib.EC_POINT_mul(group, point, number, ffi.NULL, ffi.NULL, ffi.NULL) != 1:
        _fail("public point")
    lib.EC_POINT_point2oct(group, point, 4, out, 65, ffi.NULL)
    return bytes(ffi.buffer(out))


def _sign_all(context: Any, digests: Iterable[bytes]) -> list[bytes]:
    lib, ffi = _lib(), _ffi()
    out, size = ffi.new("unsigned char[80]"), ffi.new("size_t *")
    signatures = []
    for digest in digests:
        size[0] = 80
        if len(digest) != 32 or lib.EVP_PKEY_sign(context, out, size, digest, 32) != 1:
            _fail("sign")
        signatures.append(from_der(ffi.buffer(out, size[0])[:]))
    return signatures


def _transform(name: str, context: Any, data: bytes) -> bytes:
    """Run EVP_PKEY_encrypt or EVP_PKEY_decrypt."""
    ffi, call = _ffi(), getattr(_lib(), name)
    size = ffi.new("size_t *")
    if call(context, ffi.NULL, size, data, len(data)) != 1:
        _fail(name)
    out = ffi.new("unsigned char[]", size[0])
    if call(context, out, size, data, len(data)) != 1:
        _fail(name)
    return bytes(ffi.buffer(out, size[0]))


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1)
    return bytes([2, len(content)]) + content


def _number(content: bytes) -> bytes:
    """A DER integer's content as 32 bytes; what does not fit is told from the round trip."""
    return content[-32:].rjust(32, b"\0")
