"""The two suites of algorithms behind one interface: SM (SM2, SM3, SM4) and INTL (P-256, SHA-256, AES-128).

Callers take `SUITES[name]` and never name an algorithm. Signatures are 64 bytes r ‖ s, public keys 65 bytes
04 ‖ x ‖ y, symmetric keys 16 bytes, in both suites.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NoReturn

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zhengka.formats import sm2, sm3, sm4
from zhengka.formats.sm2 import DecryptionFailed, MalformedKey, MalformedSignature

__all__ = [
    "INTL",
    "SM",
    "SUITES",
    "DecryptionFailed",
    "MalformedKey",
    "MalformedSignature",
    "PublicKey",
    "SigningKey",
    "Suite",
    "factor_blocks",
    "open_transport",
    "sixteens",
]

_P256 = ec.SECP256R1()
_ES256 = ec.ECDSA(hashes.SHA256())
_P256_ORDER = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)
_POINT = 65


class PublicKey(ABC):
    """A public key (公钥) of either suite."""

    suite: str
    point: bytes
    """65 bytes 04 ‖ x ‖ y."""
    key_id: bytes
    """8 bytes: the beginning of the digest of `point`."""

    @abstractmethod
    def verify(self, message: bytes, signature: bytes) -> bool:
        """False only for a wrong signature; MalformedSignature for what can be nobody's signature."""

    @abstractmethod
    def message_digest(self, message: bytes) -> bytes:
        """The 32 bytes that are signed in a message's place, for a token that signs digests."""

    @abstractmethod
    def encrypt(self, data: bytes) -> bytes:
        """Encrypt at least one byte to the owner of this key (key transport)."""

    def __eq__(self, other: object) -> bool:
        """Same suite and same point."""
        return isinstance(other, PublicKey) and (self.suite, self.point) == (other.suite, other.point)

    def __hash__(self) -> int:
        """Of suite and point."""
        return hash((self.suite, self.point))

    def __repr__(self) -> str:
        """Suite and key id."""
        return f"<PublicKey {self.suite} {self.key_id.hex()}>"


class SigningKey(ABC):
    """A private key (私钥) of either suite. Only `scalar` lets the secret out."""

    public: PublicKey

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of one message."""
        return self.sign_many([message])[0]

    @abstractmethod
    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """The 64-byte signatures of all messages, in order; other threads run meanwhile."""

    @abstractmethod
    def scalar(self) -> bytes:
        """The 32 secret bytes, in clear: only for wrapping them under another key."""

    @abstractmethod
    def decrypt(self, data: bytes) -> bytes:
        """Undo `PublicKey.encrypt`; DecryptionFailed when it was not made for this key or was changed."""

    def __repr__(self) -> str:
        """Suite and id of the public half."""
        return f"<SigningKey {self.public.suite} {self.public.key_id.hex()}>"

    def __reduce__(self) -> NoReturn:
        """Private keys never travel in a pickle, so never in a job or a cache."""
        raise TypeError("a private key cannot be pickled")


class Suite(ABC):
    """One family of algorithms."""

    name: str
    cipher: sm4.CipherName
    """What the functions of `formats.sm4` take as `cipher`."""

    @abstractmethod
    def digest(self, data: bytes) -> bytes:
        """The 32-byte digest."""

    @abstractmethod
    def generate(self) -> SigningKey:
        """A new key pair."""

    @abstractmethod
    def private_key(self, scalar: bytes) -> SigningKey:
        """The key pair of 32 secret bytes; MalformedKey when they are out of range."""

    @abstractmethod
    def public_key(self, point: bytes) -> PublicKey:
        """The public key of 65 bytes 04 ‖ x ‖ y; MalformedKey when they are not a point of the curve."""

    def ecb(self, key: bytes, blocks: bytes) -> bytes:
        """Encrypt whole 16-byte blocks one by one under a 16-byte key."""
        return sm4.ecb_encrypt(key, blocks, cipher=self.cipher)

    def ecb_each(self, keys: Sequence[bytes], blocks: Sequence[bytes]) -> list[bytes]:
        """Encrypt one 16-byte block under each 16-byte key."""
        return sm4.ecb_each(keys, blocks, cipher=self.cipher)

    def cmac_many(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """The 16-byte CMACs of all messages under a 16-byte key, in order."""
        return sm4.cmac_many(key, messages, cipher=self.cipher)

    def diversify(self, master: bytes, factors: Sequence[bytes]) -> list[bytes]:
        """The 16-byte keys (密钥分散) of all 8-byte factors under one master key: E(master, factor ‖ ~factor).

        Levels chain: the key of a region factor is the master key of its cards. ValueError for another length.
        """
        return sixteens(self.ecb(master, factor_blocks(factors)))

    def __repr__(self) -> str:
        """Name of the suite."""
        return f"<Suite {self.name}>"


class _SmPublic(PublicKey):
    suite = "SM"

    def __init__(self, key: sm2.PublicKey) -> None:
        self._key, self.point = key, key.point
        self.key_id = sm3.digest(key.point)[:8]

    def verify(self, message: bytes, signature: bytes) -> bool:
        return self._key.verify(message, signature)

    def message_digest(self, message: bytes) -> bytes:
        return self._key.message_digest(message)

    def encrypt(self, data: bytes) -> bytes:
        return self._key.encrypt(data)


class _SmSigning(SigningKey):
    def __init__(self, key: sm2.PrivateKey) -> None:
        self._key = key
        self.public = _SmPublic(key.public)

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        return self._key.sign_many(messages)

    def scalar(self) -> bytes:
        return self._key.scalar()

    def decrypt(self, data: bytes) -> bytes:
        return self._key.decrypt(data)


class _Sm(Suite):
    name, cipher = "SM", "sm4"

    def digest(self, data: bytes) -> bytes:
        return sm3.digest(data)

    def generate(self) -> SigningKey:
        return _SmSigning(sm2.PrivateKey.generate())

    def private_key(self, scalar: bytes) -> SigningKey:
        return _SmSigning(sm2.PrivateKey.from_scalar(scalar))

    def public_key(self, point: bytes) -> PublicKey:
        return _SmPublic(sm2.PublicKey(point))


class _IntlPublic(PublicKey):
    suite = "INTL"

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self.point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.key_id = hashlib.sha256(self.point).digest()[:8]

    def verify(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            raise MalformedSignature("a signature is 64 bytes")
        numbers = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        if not all(1 <= number < _P256_ORDER for number in numbers):
            raise MalformedSignature("r or s is out of range")
        try:
            self._key.verify(encode_dss_signature(*numbers), message, _ES256)
        except InvalidSignature:
            return False
        return True

    def message_digest(self, message: bytes) -> bytes:
        return hashlib.sha256(message).digest()

    def encrypt(self, data: bytes) -> bytes:
        """ECIES: an ephemeral point, then AES-256-GCM under a key that HKDF-SHA256 draws from the ECDH secret."""
        if not data:
            raise ValueError("nothing to encrypt")
        own = ec.generate_private_key(_P256)
        point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point + _ecies(own.exchange(ec.ECDH(), self._key), point + self.point).encrypt(bytes(12), data, None)


class _IntlSigning(SigningKey):
    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = _IntlPublic(key.public_key())

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        return [_raw(self._key.sign(message, _ES256)) for message in messages]

    def scalar(self) -> bytes:
        return self._key.private_numbers().private_value.to_bytes(32)

    def decrypt(self, data: bytes) -> bytes:
        return open_transport(data, self.public, self._agree)

    def _agree(self, point: bytes) -> bytes:
        return self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_P256, point))


class _Intl(Suite):
    name, cipher = "INTL", "aes"

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    def generate(self) -> SigningKey:
        return _IntlSigning(ec.generate_private_key(_P256))

    def private_key(self, scalar: bytes) -> SigningKey:
        if len(scalar) != 32 or not 1 <= int.from_bytes(scalar) < _P256_ORDER:
            raise MalformedKey("a private scalar is 32 bytes between 1 and n-1")
        return _IntlSigning(ec.derive_private_key(int.from_bytes(scalar), _P256))

    def public_key(self, point: bytes) -> PublicKey:
        if len(point) != _POINT or point[0] != 4:
            raise MalformedKey("a public point is 65 bytes and begins with 04")
        try:
            return _IntlPublic(ec.EllipticCurvePublicKey.from_encoded_point(_P256, point))
        except ValueError:
            raise MalformedKey("not a point of the curve P-256") from None


def factor_blocks(factors: Sequence[bytes]) -> bytes:
    """What is enciphered for each 8-byte factor: factor ‖ ~factor. ValueError for another length."""
    if set(map(len, factors)) - {8}:
        raise ValueError("a diversification factor is 8 bytes")
    left = np.frombuffer(b"".join(factors), np.uint64)
    return np.stack([left, ~left], axis=1).tobytes()


def sixteens(data: bytes) -> list[bytes]:
    """Every 16 bytes of whole blocks, in order."""
    blocks: list[bytes] = np.frombuffer(data, "V16").tolist()
    return blocks


def open_transport(data: bytes, public: PublicKey, agree: Callable[[bytes], bytes]) -> bytes:
    """Undo `PublicKey.encrypt` of INTL where the private half of `public` can only `agree`: the ECDH secret's 32 bytes
    for another's point, which was found to lie on the curve. DecryptionFailed.
    """
    point = data[:_POINT]
    try:
        INTL.public_key(point)
        return _ecies(agree(point), point + public.point).decrypt(bytes(12), data[_POINT:], None)
    except (ValueError, InvalidTag):
        raise DecryptionFailed("not a ciphertext for this key") from None


def _ecies(secret: bytes, points: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"zhengka key transport" + points).derive(secret))


def _raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


SM: Suite = _Sm()
"""国密: SM2 with the default distinguishing identifier, SM3, SM4."""
INTL: Suite = _Intl()
"""P-256, SHA-256, AES-128."""
SUITES: dict[str, Suite] = {SM.name: SM, INTL.name: INTL}
