"""Certificates of keys (X.509, RFC 5280) and lists of revoked ones, in both suites: made here, read by any reader.

What is signed is made first, whole; the signature comes from wherever the key lives and is put behind it. In SM the
algorithm is SM2 with SM3 (GM/T 0015, RFC 8998 for its identifiers), signed under the default distinguishing identifier:
`openssl verify` takes it with `-vfyopt distid:1234567812345678`, of a chain one link at a time, since OpenSSL 3.0 takes
the empty identifier for every certificate above the last.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import InvalidVersion, NameOID, load_der_x509_certificate, load_pem_x509_certificate

from zhengka.formats.suites import SUITES, PublicKey

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

MOST_BYTES: Final = 8192
"""Bytes of a certificate at most, as text or not."""
_VERSION, _PUBLIC = 0xA0, 6
"""Tag of the version, and which of the fields after it is the key (RFC 5280 section 4.1)."""


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


class CertificateBroken(ValueError):
    """Bytes that are no certificate which we take: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        """The code."""
        return f"the certificate is not taken: {self.code}"


@dataclass(frozen=True)
class Own:
    """A certificate by which somebody vouches for a key of their own: what it says, and its DER."""

    serial: int
    name: str
    public: PublicKey
    not_before: datetime
    not_after: datetime
    der: bytes


def read_own(data: bytes) -> Own:
    """A certificate (DER or PEM) that its own key signed, so that whoever made it holds that key: of this module, or of
    `openssl req -x509`, with its common name. CertificateBroken.
    """
    if len(data) > MOST_BYTES:
        raise CertificateBroken("too-large")
    try:
        read = load_pem_x509_certificate if data.lstrip().startswith(b"-----") else load_der_x509_certificate
        found = read(data)
        public = _public_of(found.tbs_certificate_bytes)
        if found.signature_algorithm_oid.dotted_string != _ALGORITHMS[public.suite]:
            raise CertificateBroken("unknown-algorithm")
        names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        signed_by_it = public.verify(found.tbs_certificate_bytes, _raw(found.signature))
        own = Own(found.serial_number, name, public, found.not_valid_before_utc, found.not_valid_after_utc,
                  found.public_bytes(Encoding.DER))
    except CertificateBroken:
        raise
    except (ValueError, IndexError, OverflowError, InvalidVersion):  # a point off its curve, a number too large …
        raise CertificateBroken("no-certificate") from None
    if not signed_by_it:
        raise CertificateBroken("not-by-its-own-key")
    if not own.name or own.not_after <= own.not_before:
        raise CertificateBroken("no-name-or-days")
    return own


def as_pem(der: bytes) -> bytes:
    """A certificate as text (RFC 7468)."""
    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


def _public_of(body: bytes) -> PublicKey:
    """The key that a certificate is about, from the bytes that are signed (TBSCertificate)."""
    [(_, inner)] = _elements(body)
    fields = [value for tag, value in _elements(inner) if tag != _VERSION]
    if len(fields) < _PUBLIC:
        raise CertificateBroken("no-certificate")
    (_, kind), (_, bits) = _elements(fields[_PUBLIC - 1])
    (_, algorithm), (_, curve) = _elements(kind)
    suite = {_oid(dotted): suite for suite, dotted in _CURVES.items()}.get(_tlv(0x06, curve))
    if suite is None or _tlv(0x06, algorithm) != _oid(_EC):
        raise CertificateBroken("unknown-algorithm")
    return SUITES[suite].public_key(bits[1:])


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and value of each element in DER, of one-byte tags; ValueError where it is cut."""
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(data[at:at + count]), at + count
        if at + size > len(data):
            raise ValueError("an element is cut")
        found.append((tag, data[at:at + size]))
        at += size
    return found


def _raw(der: bytes) -> bytes:
    """A signature r ‖ s of a DER one."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


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
