"""The voucher (凭证): a signed promise of one use of one service, at one place, within one time.

    profile byte ‖ key id (8) ‖ CBOR array (RFC 8949, shortest form) ‖ signature r ‖ s (64)

    array = [code (10 random bytes), operator, venue, service, rule, gives, companions, from, until]

The profile byte, the key id and the signed bytes are those of a credential (`formats.credential`), under a content type
of its own. It is signed by the gate that issued it, or by the platform. Times are seconds since 2000-01-01 (UTC); it is
good from `begins` up to, not including, `ends`. An empty venue is any venue of the operator. Nothing in it tells of the
holder: no name, number, token, category or grade. Decoding is strict: one voucher has exactly one form.

Its text is `HTTPS://HOST/P/<decimal digits>`, for the same reasons as that of a card's code (`formats.qr`).
"""

import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import cbor2

from zhengka.formats import issuers, qr
from zhengka.formats.idnumber import plain
from zhengka.formats.issuers import KEY_ID_SIZE, PROFILES, SIGNATURE_SIZE, SUITE_OF_PROFILE, KeySet

CONTENT_TYPE: Final = "application/vnd.zhengka.voucher+cbor"
CODE_SIZE: Final = 10
"""80 random bits: nobody guesses one (T22)."""
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
"""What an operator, venue, service or rule is called in a voucher and in a gate's log."""
GIVES: Final = rf"(?:{NAME}|fixed:[1-9][0-9]{{0,7}})"
"""What a benefit is called there: the rule book's own word (`formats.rulebook.Rule.benefit`)."""
MOST_COMPANIONS: Final = 9
FORM: Final = qr.Form(13, "M")
"""The code of a voucher on a screen or slip: 69 modules; the longest voucher and a host of 27 characters fit."""

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HEAD: Final = bytes((0x89, 0x40 + CODE_SIZE))  # an array of nine that begins with ten bytes
_BODY_AT: Final = 1 + KEY_ID_SIZE
_LONGEST: Final = qr.LONGEST_PAYLOAD
_NAME: Final = re.compile(NAME, re.ASCII)
_GIVES: Final = re.compile(GIVES, re.ASCII)
_VENUE: Final = re.compile(f"(?:{NAME})?", re.ASCII)
_TEXT: Final = re.compile(r"(?:HTTPS?://[A-Z0-9.\-]{1,253}(?::[0-9]{1,5})?/P/)?([1-9][0-9]{2,619})/?", re.ASCII)
_BASE: Final = re.compile(r"(HTTPS?://[A-Z0-9.\-]{1,253}(?::[0-9]{1,5})?)/?", re.ASCII)
_SIZES: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}  # how many bytes, least value
_NUMBER, _WORDS = 0, 3  # major types of CBOR

REASONS: Final = {
    "voucher-text": "not the text of a voucher's code",
    "voucher-length": "shorter or longer than any voucher",
    "voucher-profile": "the first byte is no known profile",
    "voucher-shape": "the content is not the array that it must be",
    "voucher-form": "a number or length is not written in its shortest form",
    "voucher-trailing": "bytes are left over after the content",
    "voucher-value": "a value is out of its range",
    "voucher-not-yet": "the voucher's time has not come yet",
    "voucher-expired": "the voucher's time is over",
    "voucher-elsewhere": "the voucher is for another operator, venue or service",
}


class BadVoucher(ValueError):
    """Bytes that are no voucher, values that make none, or one that is not for here and now. `code` is a key of
    `REASONS`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Voucher:
    """What is signed. `gives` is the benefit in the rule book's word, `companions` how many may come along."""

    code: bytes
    operator: str
    venue: str
    service: str
    rule: str
    gives: str
    companions: int
    begins: datetime
    ends: datetime

    def __post_init__(self) -> None:
        good = (
            len(self.code) == CODE_SIZE
            and all(_NAME.fullmatch(name) for name in (self.operator, self.service, self.rule))
            and _GIVES.fullmatch(self.gives) is not None
            and _VENUE.fullmatch(self.venue) is not None
            and 0 <= self.companions <= MOST_COMPANIONS
            and _is_second(self.begins)
            and _is_second(self.ends)
            and self.begins < self.ends
        )
        if not good:
            raise BadVoucher("voucher-value")

    def check(self, *, operator: str, venue: str, service: str, at: datetime) -> None:
        """Raise `BadVoucher` unless it is for this place and this moment."""
        if (operator, service) != (self.operator, self.service) or self.venue not in ("", venue):
            raise BadVoucher("voucher-elsewhere")
        if at < self.begins:
            raise BadVoucher("voucher-not-yet")
        if at >= self.ends:
            raise BadVoucher("voucher-expired")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload taken apart, its signature not yet checked: `suite` is only what it claims."""

    suite: str
    key_id: bytes
    voucher: Voucher
    body: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes over which the signature is made."""
        return issuers.sig_structure(self.suite, self.key_id, CONTENT_TYPE, self.body)

    def check_signature(self, keys: KeySet, at: datetime) -> None:
        """Raise `KeyRefused` unless a trusted key for vouchers, good at this time, signed it."""
        key = keys.trusted(self.key_id, suite=self.suite, purpose=issuers.VOUCHER, at=at)
        issuers.check_signature(key, self.signed, self.signature)


def encode(voucher: Voucher, *, suite: str, key_id: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The payload, signed by `sign` (message → 64 bytes)."""
    body = _body(voucher)
    signature = sign(issuers.sig_structure(suite, key_id, CONTENT_TYPE, body))
    payload = bytes((PROFILES[suite],)) + key_id + body + signature
    if len(payload) > _LONGEST:
        raise BadVoucher("voucher-length")
    return payload


def decode(payload: bytes) -> Sealed:
    """Take a payload apart. Raises `BadVoucher`; whether the signature is good is not asked here."""
    if not _BODY_AT + len(_HEAD) + CODE_SIZE + SIGNATURE_SIZE < len(payload) <= _LONGEST:
        raise BadVoucher("voucher-length")
    suite = SUITE_OF_PROFILE.get(payload[0])
    if suite is None:
        raise BadVoucher("voucher-profile")
    body = payload[_BODY_AT:-SIGNATURE_SIZE]
    return Sealed(suite, payload[1:_BODY_AT], _read_body(body), body, payload[-SIGNATURE_SIZE:])


def to_text(payload: bytes, base_url: str) -> str:
    """The text of the code for this payload; `base_url` is `https://host` or `http://host:port`."""
    base = _BASE.fullmatch(base_url.upper())
    if base is None:
        raise qr.BadQr("qr-base-url")
    return f"{base[1]}/P/{qr.to_digits(payload)}"


def from_text(text: str) -> bytes:
    """The payload in the text of a code, in any case, with spaces, or its digits alone. Raises `BadVoucher`.

    Any host is taken: who signed the payload is what counts.
    """
    match = _TEXT.fullmatch(plain(text)) if len(text) <= qr.LONGEST_TEXT else None
    if match is None:
        raise BadVoucher("voucher-text")
    number = int(match[1])
    marked = number.to_bytes((number.bit_length() + 7) // 8)
    if marked[0] != 1 or not 1 < len(marked) <= 1 + _LONGEST:
        raise BadVoucher("voucher-text")
    return marked[1:]


def to_base32(code: bytes) -> str:
    """The 16 characters (RFC 4648, clause 6) by which a voucher's code is written in a log, and typed in."""
    return b32encode(code).decode()


def from_base32(typed: str) -> bytes:
    """The code that was written so, spaces and case apart; BadVoucher for another length or alphabet."""
    text = "".join(typed.split()).replace("-", "").upper()
    if re.fullmatch(r"[A-Z2-7]{16}", text, re.ASCII) is None:
        raise BadVoucher("voucher-text")
    return b32decode(text)


def _body(voucher: Voucher) -> bytes:
    return cbor2.dumps((
        voucher.code, voucher.operator, voucher.venue, voucher.service, voucher.rule, voucher.gives,
        voucher.companions, _seconds(voucher.begins), _seconds(voucher.ends)))


def _read_body(body: bytes) -> Voucher:
    """The one array that may stand here, read by hand: no general decoder sees a stranger's bytes."""
    at = len(_HEAD) + CODE_SIZE
    if not body.startswith(_HEAD) or len(body) < at:
        raise BadVoucher("voucher-shape")
    names, numbers = [], []
    for _ in range(5):
        length, at = _read_head(body, at, _WORDS)
        names.append(_ascii(body[at:at + length], length))
        at += length
    for _ in range(3):
        number, at = _read_head(body, at, _NUMBER)
        numbers.append(number)
    if at != len(body):
        raise BadVoucher("voucher-trailing")
    operator, venue, service, rule, gives = names
    companions, begins, ends = numbers
    return Voucher(body[len(_HEAD):len(_HEAD) + CODE_SIZE], operator, venue, service, rule, gives, companions,
                   _EPOCH + timedelta(seconds=begins), _EPOCH + timedelta(seconds=ends))


def _read_head(data: bytes, at: int, major: int) -> tuple[int, int]:
    """The number in the head of a CBOR item and where its content begins (RFC 8949, clauses 3 and 4.2)."""
    first = data[at] if at < len(data) else 0xFF
    if first >> 5 != major:
        raise BadVoucher("voucher-shape")
    if first & 31 < 24:
        return first & 31, at + 1
    size, least = _SIZES.get(first & 31, (0, 0))
    end = at + 1 + size
    if size == 0 or end > len(data):
        raise BadVoucher("voucher-shape")
    number = int.from_bytes(data[at + 1:end])
    if number < least:
        raise BadVoucher("voucher-form")
    return number, end


def _ascii(raw: bytes, length: int) -> str:
    if len(raw) != length or not raw.isascii():
        raise BadVoucher("voucher-shape")
    return raw.decode("ascii")


def _seconds(time: datetime) -> int:
    return int((time - _EPOCH).total_seconds())


def _is_second(time: datetime) -> bool:
    return time.tzinfo is not None and time.microsecond == 0 and 0 <= _seconds(time) < 2**32
