"""The credential (电子凭证) in the QR code of a card: a short signed statement that this card was issued.

    profile byte ‖ key id (8) ‖ CBOR array (RFC 8949, shortest form) ‖ signature r ‖ s (64)

    array = [token (12 random bytes), issued, expires, status list, status index, class]

Dates are days since 2000-01-01. The signed bytes are the COSE `Sig_structure` of the array (RFC 9052).
No name and no number is inside: the token alone leads to the holder, in the register and nowhere else.
Decoding is strict: one statement has exactly one form, and all else is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import cbor2

from zhengka.formats import issuers
from zhengka.formats.issuers import (
    KEY_ID_SIZE,
    PROFILES,
    SIGNATURE_SIZE,
    SUITE_OF_PROFILE,
    BadKeySet,
    IssuerKey,
    KeyRefused,
    KeySet,
    issuer_key,
)

__all__ = [
    "BadCredential",
    "BadKeySet",
    "Credential",
    "IssuerKey",
    "KeyRefused",
    "KeySet",
    "Sealed",
    "decode",
    "encode_many",
    "issuer_key",
    "to_be_signed",
    "to_cose",
]

CONTENT_TYPE: Final = "application/vnd.zhengka.credential+cbor"
TOKEN_SIZE: Final = 12
DAY_ZERO: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
MOST_LISTS: Final = 2**32
LIST_SIZE: Final = 2**20
MOST_CLASSES: Final = 256

_HEAD: Final = bytes((0x86, 0x40 + TOKEN_SIZE))  # an array of six that begins with twelve bytes
_BODY_AT: Final = 1 + KEY_ID_SIZE
_SHORTEST: Final = _BODY_AT + len(_HEAD) + TOKEN_SIZE + 5 + SIGNATURE_SIZE
_LONGEST: Final = _SHORTEST + 4 * 4 + 1
_ZERO: Final = DAY_ZERO.toordinal()
_INTEGER_SIZES: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}  # how many bytes, least value

REASONS: Final = {
    "credential-length": "shorter or longer than any credential",
    "credential-profile": "the first byte is no known profile",
    "credential-shape": "the content is not the array that it must be",
    "credential-form": "a number is not written in its shortest form",
    "credential-trailing": "bytes are left over after the content",
    "credential-value": "a value is out of its range",
}


class BadCredential(ValueError):
    """Bytes that are no credential, or values that make none. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Credential:
    """What is signed. `expires` is the last day on which the card is good (有效期至).

    `status_list` and `status_index` say where the card's two bits stand; `holder_class` is a number of
    the card profile that tells nothing of category, grade or benefits.
    """

    token: bytes
    issued: date
    expires: date
    status_list: int
    status_index: int
    holder_class: int = 0

    def __post_init__(self) -> None:
        good = (
            len(self.token) == TOKEN_SIZE
            and DAY_ZERO <= self.issued <= self.expires <= LAST_DAY
            and 0 <= self.status_list < MOST_LISTS
            and 0 <= self.status_index < LIST_SIZE
            and 0 <= self.holder_class < MOST_CLASSES
        )
        if not good:
            raise BadCredential("credential-value")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload taken apart, its signature not yet checked: `suite` is only what it claims."""

    suite: str
    key_id: bytes
    credential: Credential
    body: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes over which the signature is made."""
        return issuers.sig_structure(self.suite, self.key_id, CONTENT_TYPE, self.body)


def to_be_signed(credential: Credential, *, suite: str, key_id: bytes) -> bytes:
    """The bytes that the issuer's key signs for this credential."""
    return issuers.sig_structure(suite, key_id, CONTENT_TYPE, _body(credential))


def encode_many(
    credentials: Sequence[Credential],
    *,
    suite: str,
    key_id: bytes,
    sign_many: Callable[[list[bytes]], Sequence[bytes]],
) -> list[bytes]:
    """The payloads of many credentials, signed in one call of `sign_many` (messages → 64 bytes each)."""
    bodies = [_body(credential) for credential in credentials]
    messages = [issuers.sig_structure(suite, key_id, CONTENT_TYPE, body) for body in bodies]
    head = bytes((PROFILES[suite],)) + key_id
    signatures = sign_many(messages)
    return [head + body + signature for body, signature in zip(bodies, signatures, strict=True)]


def decode(payload: bytes) -> Sealed:
    """Take a payload apart. Raises `BadCredential`; whether the signature is good is not asked here."""
    if not _SHORTEST <= len(payload) <= _LONGEST:
        raise BadCredential("credential-length")
    suite = SUITE_OF_PROFILE.get(payload[0])
    if suite is None:
        raise BadCredential("credential-profile")
    body = payload[_BODY_AT:-SIGNATURE_SIZE]
    return Sealed(suite, payload[1:_BODY_AT], _read_body(body), body, payload[-SIGNATURE_SIZE:])


def to_cose(payload: bytes) -> bytes:
    """The expanded form: a tagged COSE_Sign1 that other people's tools can check. Raises `BadCredential`."""
    sealed = decode(payload)
    return issuers.cose_sign1(sealed.suite, sealed.key_id, CONTENT_TYPE, sealed.body, sealed.signature)


def _body(credential: Credential) -> bytes:
    return cbor2.dumps(
        (
            credential.token,
            credential.issued.toordinal() - _ZERO,
            credential.expires.toordinal() - _ZERO,
            credential.status_list,
            credential.status_index,
            credential.holder_class,
        )
    )


def _read_body(body: bytes) -> Credential:
    """The one array that may stand here, read by hand: no general decoder sees a stranger's bytes."""
    at = len(_HEAD) + TOKEN_SIZE
    if not body.startswith(_HEAD):
        raise BadCredential("credential-shape")
    numbers = []
    for _ in range(5):
        number, at = _read_integer(body, at)
        numbers.append(number)
    if at != len(body):
        raise BadCredential("credential-trailing")
    issued, expires, status_list, status_index, holder_class = numbers
    token = body[len(_HEAD) : len(_HEAD) + TOKEN_SIZE]
    return Credential(token, _day(issued), _day(expires), status_list, status_index, holder_class)


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned integer of CBOR at this place and where the next item begins (RFC 8949, clause 4.2)."""
    first = data[at] if at < len(data) else 0xFF
    if first < 24:
        return first, at + 1
    size, least = _INTEGER_SIZES.get(first, (0, 0))
    end = at + 1 + size
    if size == 0 or end > len(data):
        raise BadCredential("credential-shape")
    number = int.from_bytes(data[at + 1 : end])
    if number < least:
        raise BadCredential("credential-form")
    return number, end


def _day(number: int) -> date:
    if number > LAST_DAY.toordinal() - _ZERO:
        raise BadCredential("credential-value")
    return date.fromordinal(_ZERO + number)
