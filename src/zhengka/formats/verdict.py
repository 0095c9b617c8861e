"""The one verifier (核验): the text of a code goes in, a verdict comes out. No network, no database.

The same function serves the page, the API, the reader and the gate without a network. It trusts nothing
but the set of issuers' keys and the status lists that it is given, and it opens no address.

Green: let pass. Red: refuse. Amber: the card may be good, but this verifier cannot know: ask the office.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from zhengka.formats import credential, issuers, qr
from zhengka.formats.credential import BadCredential, Credential, Sealed
from zhengka.formats.issuers import KeyRefused, KeySet
from zhengka.formats.qr import BadQr
from zhengka.formats.statuslist import Status, StatusList

CHINA: Final = timezone(timedelta(hours=8))
"""Days on a card begin and end at midnight in China."""

CLOCK_SKEW: Final = timedelta(minutes=10)
"""How far a verifier's clock may be behind the clock that signed its status list."""

GREEN: Final = "green"
RED: Final = "red"
AMBER: Final = "amber"


class Word(NamedTuple):
    """How a verdict is shown: `colour`, one plain sentence in each language."""

    colour: str
    en: str
    zh: str


WORDS: Final = {
    "valid": Word(GREEN, "The card is valid.", "此卡有效。"),
    "not-our-code": Word(RED, "This is not the code of a disability certificate card.", "这不是残疾人证的二维码。"),
    "signature-wrong": Word(RED, "The code was forged or changed.", "二维码系伪造或已被改动。"),
    "key-unknown": Word(RED, "No known issuer made this code.", "二维码不是由已知的发证机构签发的。"),
    "key-purpose": Word(RED, "This issuer's key does not sign cards.", "该密钥不用于签发证卡。"),
    "key-not-yet": Word(RED, "The issuer's key is not valid yet.", "发证机构的密钥尚未生效。"),
    "key-expired": Word(RED, "The issuer's key is no longer valid.", "发证机构的密钥已过期。"),
    "key-revoked": Word(RED, "The issuer's key was revoked.", "发证机构的密钥已吊销。"),
    "algorithm-mismatch": Word(
        RED, "The code claims another algorithm than its issuer uses.", "二维码的算法与发证机构的不符。"
    ),
    "not-yet-valid": Word(RED, "The card is not valid yet.", "此卡尚未生效。"),
    "expired": Word(RED, "The card has expired.", "此卡已过有效期。"),
    "revoked": Word(RED, "The card was cancelled.", "此卡已注销。"),
    "suspended": Word(RED, "The card was reported lost.", "此卡已挂失。"),
    "inactive": Word(
        RED,
        "The card is not activated for this year: no services by it. It still proves the disability.",
        "此卡未激活，或年度激活已过期：暂停使用服务；仍可证明残疾人身份。",
    ),
    "list-missing": Word(
        AMBER,
        "The card is genuine, but its status cannot be checked here: no status list.",
        "此卡是真的，但此处没有状态表，无法查验它的状态。",
    ),
    "list-too-old": Word(
        AMBER,
        "The card is genuine, but the status list here is too old.",
        "此卡是真的，但此处的状态表已过时。",
    ),
    "clock-behind": Word(
        AMBER,
        "The clock of this verifier is behind its own status list: set the clock.",
        "本机时钟慢于状态表的签发时间，请校准时钟。",
    ),
}
"""Every verdict code with its colour and words."""

PROVING: Final = frozenset({"valid", "inactive"})
"""Verdicts with which a genuine card proves that its holder is certified, whatever services it gives: an activation
that lapsed stops rides and subsidies, never the certificate of ten years (办法 art. 19)."""

_BY_STATUS: Final = {
    Status.REVOKED: "revoked",
    Status.SUSPENDED: "suspended",
    Status.INACTIVE: "inactive",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. `credential` and `key_id` are there once the signature was found good.

    `list_version`, `list_issued_at` and `list_age` tell on which status list the answer stands.
    `reason` refines `not-our-code`: the code of the format's own error.
    """

    code: str
    credential: Credential | None = None
    key_id: bytes = b""
    list_version: int | None = None
    list_issued_at: datetime | None = None
    list_age: timedelta | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """True for green only."""
        return self.colour == GREEN

    @property
    def identity(self) -> bool:
        """True where the card still proves that its holder is certified disabled, though services may have stopped."""
        return self.code in PROVING

    @property
    def colour(self) -> str:
        """`green`, `red` or `amber`."""
        return WORDS[self.code].colour

    @property
    def en(self) -> str:
        """The verdict in plain English."""
        return WORDS[self.code].en

    @property
    def zh(self) -> str:
        """The verdict in plain Chinese."""
        return WORDS[self.code].zh


def decide(
    text: str,
    *,
    keys: KeySet,
    lists: Mapping[int, StatusList],
    at: datetime,
    max_age: timedelta,
    hosts: Collection[str] = (),
) -> Verdict:
    """Decide on the text of a code at a time (`at` is aware).

    `lists`: status lists by number, each already checked by `statuslist.parse`. `max_age`: how old one
    may be for a green answer; an old list still refuses the cards that it names. `hosts`: those that a
    code may carry (`formats.hosts`); none: any.
    """
    try:
        sealed = credential.decode(qr.from_text(text, hosts))
    except (BadQr, BadCredential) as bad:
        return Verdict("not-our-code", reason=bad.code)
    return decide_sealed(sealed, keys=keys, lists=lists, at=at, max_age=max_age)


def decide_sealed(
    sealed: Sealed,
    *,
    keys: KeySet,
    lists: Mapping[int, StatusList],
    at: datetime,
    max_age: timedelta,
) -> Verdict:
    """`decide` for a code that was taken apart already."""
    try:
        key = keys.trusted(sealed.key_id, suite=sealed.suite, purpose=issuers.CREDENTIAL, at=at)
        issuers.check_signature(key, sealed.signed, sealed.signature)
    except KeyRefused as refused:
        return Verdict(refused.code)
    found = sealed.credential
    known = lists.get(found.status_list)
    code = _by_date(found, at.astimezone(CHINA).date()) or _by_list(found, known, at, max_age)
    if known is None:
        return Verdict(code, found, sealed.key_id)
    return Verdict(code, found, sealed.key_id, known.version, known.issued_at, known.age(at))


def _by_date(found: Credential, today: date) -> str:
    """The code of what the dates say against the card, or nothing."""
    if today < found.issued:
        return "not-yet-valid"
    return "expired" if today > found.expires else ""


def _by_list(found: Credential, known: StatusList | None, at: datetime, max_age: timedelta) -> str:
    """The code of what the status list says."""
    if known is None or found.status_index >= known.header.capacity:
        return "list-missing"
    status = known.status(found.status_index)
    if status is not Status.VALID:
        return _BY_STATUS[status]
    age = known.age(at)
    if age < -CLOCK_SKEW:
        return "clock-behind"
    return "list-too-old" if age > max_age else "valid"
