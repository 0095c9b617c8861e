"""What an issuer signs, and which issuers' keys a verifier trusts.

Every signature of this project is made over an ordinary COSE `Sig_structure` (RFC 9052, clause 4.4), so
that any COSE tool can check the expanded form. A verifier takes the algorithm from its own set of keys by
the key id; what a payload says about itself is only compared with it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Self

import cbor2

from zhengka.formats.suites import SUITES, PublicKey

PROFILES: Final = {"SM": 0x11, "INTL": 0x12}
"""Suite name to the first byte of everything signed: 0x11 SM2 with SM3, 0x12 ES256."""

ALGORITHMS: Final = {"SM": -65537, "INTL": -7}
"""Suite name to the COSE algorithm. ES256 is registered (RFC 9053); SM2 is not: a private-use value."""

SUITE_OF_PROFILE: Final = {profile: suite for suite, profile in PROFILES.items()}
CREDENTIAL: Final = "credential"
STATUS: Final = "status"
VOUCHER: Final = "voucher"
PURPOSES: Final = frozenset((CREDENTIAL, STATUS, VOUCHER))
_CARDS: Final = frozenset((CREDENTIAL, STATUS))
KEY_ID_SIZE: Final = 8
SIGNATURE_SIZE: Final = 64

_MOST_KEYS: Final = 10_000
_FORMAT: Final = 1

REASONS: Final = {
    "key-unknown": "no trusted issuer has this key",
    "key-purpose": "this issuer's key is not for this kind of thing",
    "algorithm-mismatch": "the signature claims another algorithm than the key is for",
    "key-not-yet": "the issuer's key is not valid yet",
    "key-expired": "the issuer's key is no longer valid",
    "key-revoked": "the issuer's key was revoked",
    "signature-wrong": "the signature is not by the issuer named",
}


class KeyRefused(ValueError):
    """A signature that no trusted key vouches for. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


class BadKeySet(ValueError):
    """Text that is no set of issuer keys, or keys that contradict each other."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key of an issuer, trusted from `not_before` up to, not including, `not_after`.

    From `revoked_at` on everything signed by it is refused, whenever it was signed: after a theft nobody
    can tell an old signature from a new one with an old date. All times are aware.
    """

    public: PublicKey
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    purposes: frozenset[str] = _CARDS

    def __post_init__(self) -> None:
        times = (self.not_before, self.not_after, self.revoked_at)
        if any(time is not None and time.tzinfo is None for time in times):
            raise BadKeySet("times of a key need a time zone")
        if self.not_before >= self.not_after or not self.purposes or not self.purposes <= PURPOSES:
            raise BadKeySet("a key needs a period and known purposes")

    @property
    def key_id(self) -> bytes:
        """Eight bytes: the beginning of the digest of the public point."""
        return self.public.key_id

    @property
    def suite(self) -> str:
        """`SM` or `INTL`."""
        return self.public.suite

    def check_time(self, at: datetime) -> None:
        """Raise `KeyRefused` unless the key is good at this time."""
        if self.revoked_at is not None and at >= self.revoked_at:
            raise KeyRefused("key-revoked")
        if at < self.not_before:
            raise KeyRefused("key-not-yet")
        if at >= self.not_after:
            raise KeyRefused("key-expired")


class KeySet:
    """The issuers' keys that a verifier trusts, found by key id."""

    def __init__(self, keys: Iterable[IssuerKey] = ()) -> None:
        self._keys: dict[bytes, IssuerKey] = {}
        for key in keys:
            if key.key_id in self._keys:
                raise BadKeySet("two keys have one key id")
            self._keys[key.key_id] = key

    def __iter__(self) -> Iterator[IssuerKey]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def trusted(self, key_id: bytes, *, suite: str, purpose: str, at: datetime) -> IssuerKey:
        """The key of this id, if it is of this suite, for this purpose and good at this time.

        Raises `KeyRefused`.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise KeyRefused("key-unknown")
        if key.suite != suite:
            raise KeyRefused("algorithm-mismatch")
        if purpose not in key.purposes:
            raise KeyRefused("key-purpose")
        key.check_time(at)
        return key

    def to_json(self) -> str:
        """The set as text that `from_json` reads; keys in the order of their ids."""
        keys = [_to_dict(self._keys[key_id]) for key_id in sorted(self._keys)]
        return json.dumps({"format": _FORMAT, "keys": keys}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a set. Raises `BadKeySet` for anything that `to_json` would not have written."""
        try:
            content = json.loads(text)
            if content["format"] != _FORMAT or len(content["keys"]) > _MOST_KEYS:
                raise BadKeySet("not a set of issuer keys of this format")
            return cls(_from_dict(entry) for entry in content["keys"])
        except BadKeySet:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadKeySet("not a set of issuer keys") from None


def issuer_key(
    suite: str,
    point: bytes,
    *,
    not_before: datetime,
    not_after: datetime,
    revoked_at: datetime | None = None,
    purposes: Iterable[str] = _CARDS,
) -> IssuerKey:
    """A trusted key from its parts: `point` is 65 bytes 04 ‖ x ‖ y. A point off the curve is refused."""
    return IssuerKey(SUITES[suite].public_key(point), not_before, not_after, revoked_at, frozenset(purposes))


def sig_structure(suite: str, key_id: bytes, content_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: COSE `Sig_structure` of one signer, no external data (RFC 9052, 4.4)."""
    return _before_payload(suite, key_id, content_type) + cbor2.dumps(payload)


def protected_header(suite: str, key_id: bytes, content_type: str) -> bytes:
    """Algorithm (1), content type (3) and key id (4) as the protected header (RFC 9052, clause 3.1)."""
    return cbor2.dumps({1: ALGORITHMS[suite], 3: content_type, 4: key_id})


def cose_sign1(suite: str, key_id: bytes, content_type: str, payload: bytes, signature: bytes) -> bytes:
    """The same signature as a tagged `COSE_Sign1` (RFC 9052, clause 4.2), for other people's tools."""
    header = protected_header(suite, key_id, content_type)
    return cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature]))


def check_signature(key: IssuerKey, message: bytes, signature: bytes) -> None:
    """Raise `KeyRefused("signature-wrong")` unless `key` signed `message`."""
    try:
        good = key.public.verify(message, signature)
    except ValueError:  # r or s out of range: nobody's signature
        good = False
    if not good:
        raise KeyRefused("signature-wrong")


@lru_cache(maxsize=256)
def _before_payload(suite: str, key_id: bytes, content_type: str) -> bytes:
    header = protected_header(suite, key_id, content_type)
    return b"\x84" + cbor2.dumps("Signature1") + cbor2.dumps(header) + cbor2.dumps(b"")


def _to_dict(key: IssuerKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id.hex(),
        "suite": key.suite,
        "point": key.public.point.hex(),
        "not_before": key.not_before.isoformat(),
        "not_after": key.not_after.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "purposes": sorted(key.purposes),
    }


def _from_dict(entry: dict[str, Any]) -> IssuerKey:
    if set(entry) != {"key_id", "suite", "point", "not_before", "not_after", "revoked_at", "purposes"}:
        raise BadKeySet("a key has a field too many or too few")
    revoked = entry["revoked_at"]
    key = issuer_key(
        entry["suite"],
        bytes.fromhex(entry["point"]),
        not_before=datetime.fromisoformat(entry["not_before"]),
        not_after=datetime.fromisoformat(entry["not_after"]),
        revoked_at=None if revoked is None else datetime.fromisoformat(revoked),
        purposes=entry["purposes"],
    )
    if key.key_id.hex() != entry["key_id"]:
        raise BadKeySet("a key id does not belong to its point")
    return key
