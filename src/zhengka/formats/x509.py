"""Certificates of keys (X.509, RFC 5280) and lists of revoked ones, in both suites: made here, read by any reader.

What is signed is made first, whole; the signature comes from wherever the key lives and is put behind it. In SM the
algorithm is SM2 with SM3 (GM/T 0015, RFC 8998 for its identifiers), signed under the default distinguishing identifier:
`openssl verify` takes it with `-vfyopt distid:1234567812345678`, of a chain one link at a time, since OpenSSL 3.0 takes
the empty identifier for every certificate above the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from zhengka.formats.suites import PublicKey

_ALGORITHMS: Final = {"SM": "1.2.156.10197.1.501", "INTL": "1.2.840.10045.4.3.2"}
"""SM2 with SM3, ECDSA with SHA-256."""
_CURVES: Final = {"SM": "1.2.156.10197.1.301", "INTL": "1.2.840.10045.3.1.7"}
_EC: Final = "1.2.840.10045.2.1"
_KEY_ID, _KEY_USAGE, _BASIC, _AUTHORITY_KEY_ID, _CRL_NUMBER = (
    "2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35", "2.5.29.20")
_SEQUENCE, _SET, _BITS, _OCTETS, _TRUE = 0x30, 0x31, 0x03, 0x04, b"\x01\x01\xff"
_SIGNS_DATA, _SIGNS_CERTIFICATES = b"\x07\x80", b"\x01\x06"
"""keyUsage as unused bits and bits: digitalSignature; keyCertSign and cRLSign."""
MOST: Final = 1 << 159
"""Serial numbers are positive and have 20 bytes at most (RFC 5280 section 4.1.2.2)."""


@dataclass(frozen=True)
class Name:
    """Whose certificate it is: country (2 letters), organisation, common name."""

    country: str
    organisation: str
    common: str


@dataclass(frozen=True)
class Issuer:
    """Who signs: its name and public key; of a root the subject itself."""

    name: Name
    public: PublicKey


@dataclass(frozen=True)
class Wanted:
    """What a certificate says. `below`: of an authority how many authorities may stand between it and a signing key;
    None: a signing key. Times are whole seconds.
    """

    serial: int
    name: Name
    public: PublicKey
    not_before: datetime
    not_after: datetime
    below: int | None = None


def certificate_body(wanted: Wanted, issuer: Issuer) -> bytes:
    """The bytes that the issuer signs (TBSCertificate). ValueError for another suite, a serial or days out of range."""
    if not 0 < wanted.serial < MOST:
        raise ValueError("a serial number is positive and has 20 bytes at most")
    if wanted.public.suite != issuer.public.suite:
        raise ValueError("a key and its issuer are of one suite")
    if wanted.not_after <= wanted.not_before:
        raise ValueError("a certificate ends after it begins")
    authority = wanted.below is not None
    basic = _sequence(_TRUE, _integer(wanted.below or 0)) if authority else _sequence()
    usage = _SIGNS_CERTIFICATES if authority else _SIGNS_DATA
    extensions = _sequence(
        _extension(_BASIC, basic, critical=True),
        _extension(_KEY_USAGE, _tlv(_BITS, usage), critical=True),
        _extension(_KEY_ID, _tlv(_OCTETS, wanted.public.key_id)),
        _authority_key_id(issuer))
    return _sequence(
        _tlv(0xA0, _integer(2)), _integer(wanted.serial), _algorithm(issuer), _name(issuer.name),
        _sequence(_time(wanted.not_before), _time(wanted.not_after)), _name(wanted.name), _public(wanted.public),
        _tlv(0xA3, extensions))


def revocation_body(issuer: Issuer, revoked: Sequence[tuple[int, datetime]], *, number: int, at: datetime,
                    next_at: datetime) -> bytes:
    """The bytes that the issuer signs of a list of revoked certificates (TBSCertList): serials and since when."""
    entries = [_sequence(_integer(serial), _time(since)) for serial, since in sorted(revoked)]
    extensions = _sequence(_authority_key_id(issuer), _extension(_CRL_NUMBER, _integer(number)))
    return _sequence(
        _integer(1), _algorithm(issuer), _name(issuer.name), _time(at), _time(next_at),
        *([_sequence(*entries)] if entries else []), _tlv(0xA0, extensions))


def signed(body: bytes, signature: bytes, suite: str) -> bytes:
    """The certificate or list in DER: what was signed, and the 64-byte signature r ‖ s of its issuer."""
    if len(signature) != 64:
        raise ValueError("a signature is 64 bytes")
    der = _sequence(_integer(int.from_bytes(signature[:32])), _integer(int.from_bytes(signature[32:])))
    return _sequence(body, _sequence(_oid(_ALGORITHMS[suite])), _tlv(_BITS, b"\0" + der))


def _algorithm(issuer: Issuer) -> bytes:
    return _sequence(_oid(_ALGORITHMS[issuer.public.suite]))


def _public(key: PublicKey) -> bytes:
    return _sequence(_sequence(_oid(_EC), _oid(_CURVES[key.suite])), _tlv(_BITS, b"\0" + key.point))


def _authority_key_id(issuer: Issuer) -> bytes:
    return _extension(_AUTHORITY_KEY_ID, _sequence(_tlv(0x80, issuer.public.key_id)))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _sequence(_oid(oid), _TRUE if critical else b"", _tlv(_OCTETS, value))


def _name(name: Name) -> bytes:
    if not (len(name.country) == 2 and name.country.isascii() and name.country.isupper()):
        raise ValueError("a country is two letters")
    told = (("2.5.4.6", _tlv(0x13, name.country.encode())), ("2.5.4.10", _text(name.organisation)),
            ("2.5.4.3", _text(name.common)))
    return _sequence(*(_tlv(_SET, _sequence(_oid(oid), value)) for oid, value in told))


def _text(text: str) -> bytes:
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise ValueError("a name is 1 to 64 printable characters")
    return _tlv(0x0C, text.encode())


def _time(moment: datetime) -> bytes:
    """UTCTime to 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5)."""
    moment = moment.astimezone(UTC)
    if moment.year < 2050:
        return _tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return _tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _tlv(0x06, b"".join(map(_base128, [40 * first + second, *rest])))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _integer(number: int) -> bytes:
    return _tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _sequence(*parts: bytes) -> bytes:
    return _tlv(_SEQUENCE, b"".join(parts))


def _tlv(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + value
