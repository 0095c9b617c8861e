"""A sandbox (沙箱): keys of its own, test cards for every verdict, bundles good and bad, and what a reader must answer.

Nothing in it is of a person, and its keys are marked as test keys: `formats.issuers` reads them for nobody who does not
ask for test keys by name. Its private keys are thrown away with the program that made it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from zhengka.formats import bundle, credential, hosts, issuers, qr, statuslist
from zhengka.formats.bundle import Manifest
from zhengka.formats.credential import Credential
from zhengka.formats.issuers import IssuerKey, KeySet
from zhengka.formats.rulebook import Band, Kind, Named, Rule, Rulebook, Who
from zhengka.formats.statuslist import Header
from zhengka.formats.suites import SUITES, SigningKey

HOST: Final = "https://sandbox.invalid"
OLD_HOST: Final = "before.sandbox.invalid:8443"
"""The host of cards that were made before the site moved."""
OPERATOR: Final = "sandbox-city"
NOON: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""The clock of the cases: noon of a Friday in China. A reader is told the time, and takes it for its own."""
MAX_AGE: Final = timedelta(hours=72)
DAY: Final = timedelta(days=1)
ISSUED: Final = date(2026, 1, 5)
TOKEN: Final = b"test token"
SEVERE: Final = Who(kinds=(Kind((), (1, 2)),))
HERE: Final = Who(areas=("430100",))

PLACES: Final = {name: number for number, name in enumerate((
    "valid", "mild", "from-afar", "cancelled", "lost", "not-activated", "lost-later"))}
"""Test card → its place in the status list."""
STATUS: Final = {"cancelled": 1, "lost": 2, "not-activated": 3}
CLAIMS: Final = {SEVERE: ("valid", "lost", "lost-later"), HERE: ("valid", "mild", "lost", "lost-later")}


def _rule(name: str, service: str, who: Who, **more: Any) -> Rule:
    told: dict[str, Any] = {
        "venues": (), "first": date(2020, 1, 1), "last": None, "activated": False, "price": "free", "fen": 0,
        "companions": 0, "day": 0, "month": 0, "bands": (), "proofs": ("tap", "qr"), "vouchers": ("count",),
        "minutes": 120}
    return Rule(id=name, service=service, who=who, **told | more)


BOOK: Final = Rulebook(
    OPERATOR, "沙箱市公共服务", "Sandbox City", "benefit",
    tuple(Named(name, zh, en) for name, zh, en in (
        ("bus", "公交车", "Bus"), ("metro", "地铁", "Metro"), ("park", "公园", "Park"), ("pool", "泳池", "Pool"),
        ("ferry", "轮渡", "Ferry"))),
    (Named("north", "北门", "North gate"), Named("south", "南门", "South gate")),
    (_rule("bus", "bus", Who(), activated=True), _rule("metro-severe", "metro", SEVERE, companions=1),
     _rule("metro-other", "metro", Who(), price="half"), _rule("park", "park", Who(), day=1, vouchers=("qr", "slip")),
     _rule("pool", "pool", Who(), bands=(Band((), ("working",), True, 9 * 60, 11 * 60),)),
     _rule("ferry", "ferry", HERE)))


@dataclass(frozen=True)
class Keys:
    """The sandbox's own key pairs by name, and what a reader is told of them."""

    pairs: dict[str, SigningKey]
    trusted: KeySet


@dataclass(frozen=True)
class Card:
    """A test card: its code's text, and our word for what it is on its own."""

    name: str
    text: str
    verdict: str
    title_zh: str


def make_keys() -> Keys:
    """Fresh keys: of both suites, one that has ended, one that was revoked, one for lists alone, and a stranger's."""
    pairs = {name: SUITES[suite].generate() for name, suite in (
        ("sm", "SM"), ("intl", "INTL"), ("ended", "SM"), ("revoked", "SM"), ("lists", "SM"), ("gate", "INTL"),
        ("stranger", "SM"))}
    terms: dict[str, dict[str, Any]] = {
        "sm": {}, "intl": {}, "ended": {"not_after": NOON - DAY}, "revoked": {"revoked_at": NOON - DAY},
        "lists": {"purposes": (issuers.STATUS,)}, "gate": {"purposes": (issuers.VOUCHER,)}}
    known = [_trusted(pairs[name], **more) for name, more in terms.items()]
    return Keys(pairs, KeySet(known, test=True))


def _trusted(pair: SigningKey, **more: Any) -> IssuerKey:
    told = {"not_before": NOON - 365 * DAY, "not_after": NOON + 3650 * DAY} | more
    return issuers.issuer_key(pair.public.suite, pair.public.point, **told)


def payload(keys: Keys, place: int, key: str = "sm", **changed: Any) -> bytes:
    """The signed bytes of a test card at a place of the list."""
    said = replace(Credential(TOKEN + bytes((0x30 + place, 0x30)), ISSUED, date(2036, 1, 4), 0, place), **changed)
    pair = keys.pairs[key]
    [made] = credential.encode_many([said], suite=pair.public.suite, key_id=pair.public.key_id,
                                    sign_many=pair.sign_many)
    return made


def text(data: bytes, host: str = HOST) -> str:
    """The text of a code."""
    return qr.to_text(data, host)


def cards(keys: Keys) -> list[Card]:
    """A card for every verdict that a code alone can bring about."""
    good = payload(keys, PLACES["valid"])
    last = payload(keys, PLACES["valid"], expires=date(2026, 11, 20))
    return [
        Card("valid", text(good), "valid", "有效卡"),
        Card("valid-intl", text(payload(keys, PLACES["valid"], "intl")), "valid", "有效卡（国际算法）"),
        Card("mild", text(payload(keys, PLACES["mild"])), "valid", "有效卡（三四级）"),
        Card("from-afar", text(payload(keys, PLACES["from-afar"])), "valid", "有效卡（外地）"),
        Card("last-day", text(last), "valid", "有效期最后一天"),
        Card("lost-later", text(payload(keys, PLACES["lost-later"])), "valid", "稍后挂失的卡"),
        Card("cancelled", text(payload(keys, PLACES["cancelled"])), "revoked", "已注销"),
        Card("lost", text(payload(keys, PLACES["lost"])), "suspended", "已挂失"),
        Card("not-activated", text(payload(keys, PLACES["not-activated"])), "inactive", "未激活"),
        Card("expired", text(payload(keys, 0, expires=date(2026, 11, 19))), "expired", "已过有效期"),
        Card("not-yet-valid", text(payload(keys, 0, issued=date(2026, 11, 21))), "not-yet-valid", "尚未生效"),
        Card("no-list", text(payload(keys, 0, status_list=9)), "list-missing", "状态表不在包内"),
        Card("forged", text(good[:-1] + bytes((good[-1] ^ 1,))), "signature-wrong", "伪造"),
        Card("stranger", text(payload(keys, 0, "stranger")), "key-unknown", "未知发证机构"),
        Card("key-ended", text(payload(keys, 0, "ended")), "key-expired", "发证密钥已过期"),
        Card("key-revoked", text(payload(keys, 0, "revoked")), "key-revoked", "发证密钥已吊销"),
        Card("key-of-lists", text(payload(keys, 0, "lists")), "key-purpose", "密钥用途不符"),
        Card("another-suite", text(bytes((good[0] ^ 3,)) + good[1:]), "algorithm-mismatch", "算法不符"),
        Card("foreign", "https://pay.example/abc?id=1", "not-our-code", "别家的二维码"),
        Card("empty", "", "not-our-code", "空内容"),
        Card("oversized", f"{HOST.upper()}/V/" + "9" * 5000, "not-our-code", "超长内容"),
    ]


@dataclass(frozen=True)
class Edition:
    """One state of the offline bundle: its version, when it was put together, and which cards it blocks."""

    version: int
    issued_at: datetime
    status: dict[str, int]


FIRST: Final = Edition(7, NOON - timedelta(hours=1), STATUS)
LATER: Final = Edition(8, NOON + timedelta(minutes=1), STATUS | {"lost-later": 2})
OLDER: Final = Edition(6, NOON - timedelta(hours=5), {})


def files_of(keys: Keys, edition: Edition, operator: str = OPERATOR) -> dict[str, bytes]:
    """The files of a bundle, its manifest among them."""
    pair = keys.pairs["sm"]
    signing: Any = {"suite": pair.public.suite, "key_id": pair.public.key_id, "sign": pair.sign}
    header = Header(0, edition.version, edition.issued_at, edition.issued_at + DAY, 64)
    files = {
        "keys.json": keys.trusted.to_json().encode(), hosts.FILE: hosts.to_json([hosts.of_url(HOST), OLD_HOST]),
        "rulebook.json": BOOK.to_json(),
        "status-0.bin": statuslist.build(header, [(PLACES[name], what) for name, what in edition.status.items()],
                                         **signing)}
    for who, names in CLAIMS.items():
        files[f"claim-{who.claim}-0.bin"] = statuslist.build(
            header, [(PLACES[name], 1) for name in names], kind=statuslist.claim_list(who.claim), **signing)
    manifest = Manifest(operator, edition.version, edition.issued_at, MAX_AGE, bundle.over(files.items()))
    return files | {bundle.MANIFEST: bundle.build(manifest, **signing)}


def write(folder: Path, files: dict[str, bytes], *, without: Iterable[str] = ()) -> None:
    """Put files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if name not in without:
            (folder / name).write_bytes(data)


def bundles(keys: Keys, folder: Path) -> None:
    """Good bundles and bad ones: what is older, cut short, mixed, another's, signed by nobody who is trusted."""
    first, later = files_of(keys, FIRST), files_of(keys, LATER)
    stranger = Keys(keys.pairs | {"sm": keys.pairs["stranger"]}, keys.trusted)
    write(folder / "first", first)
    write(folder / "later", later)
    write(folder / "older", files_of(keys, OLDER))
    write(folder / "cut-short", later | {"status-0.bin": later["status-0.bin"][:-7]})
    write(folder / "mixed", later | {"status-0.bin": first["status-0.bin"]})
    write(folder / "without-list", later, without=("status-0.bin",))
    write(folder / "of-another", files_of(keys, LATER, "another-city"))
    write(folder / "forged", files_of(stranger, LATER))
    write(folder / "manifest-cut", later | {bundle.MANIFEST: later[bundle.MANIFEST][:-1]})


def flipped(data: bytes) -> Sequence[str]:
    """The texts of a card's code in which one bit was flipped, each bit once."""
    return [text(data[:place] + bytes((data[place] ^ (1 << bit),)) + data[place + 1:])
            for place in range(len(data)) for bit in range(8)]


def write_cards(folder: Path, made: Sequence[Card]) -> None:
    """Text and picture of each card's code."""
    folder.mkdir(parents=True, exist_ok=True)
    for card in made:
        (folder / f"{card.name}.txt").write_text(card.text, "utf-8")
        if 0 < len(card.text) <= qr.LONGEST_TEXT and card.text.startswith("HTTPS"):
            (folder / f"{card.name}.png").write_bytes(qr.png(card.text, 8))
