"""Makes presenting.json: what gates must answer, for the verdict core in Python and in JavaScript alike.

    PYTHONPATH=src:tests python tests/vectors/make_presenting.py

Everything in it is invented. The keys are fixed, and a signature that the file already has is taken from it, so that
the file changes only where what is signed changes. The answers are those of `formats.presenting`, looked through by
hand once: whoever changes one sees it in the difference.

    files       name → base64 of a file as it travels
    bundles     what a gate holds: names of files, `issued_at`, `max_age` in seconds
    cases       bundle, what is shown, place, clock, how often each rule was used → the answer
    every_bit   payloads of codes of which every single flipped bit must be refused (red, or `not-our-code`)
    unreadable  files that must not be taken, and by which name they are refused
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from zhengka.formats import credential, hosts, issuers, presenting, qr, rulebook, serial, statuslist
from zhengka.formats.credential import Credential, KeySet
from zhengka.formats.judging import Used
from zhengka.formats.presenting import Bundle, Looked, Place, Scanned, Tapped, Typed
from zhengka.formats.rulebook import Band, Kind, Named, Rule, Rulebook, Who
from zhengka.formats.suites import SUITES, SigningKey

FILE = Path(__file__).with_name("presenting.json")
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Noon of a Friday in China."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINTER = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
MAX_AGE = timedelta(hours=72)
HOST = "https://zk.example.cn"
ISSUED = date(2026, 1, 5)
BLIND = Who(kinds=(Kind((1,), (1, 2)),))
SEVERE = Who(kinds=(Kind((), (1, 2)),))
HERE = Who(areas=("430100",))
OLD = Who(age_from=65)


def a_key(suite: str, number: int) -> SigningKey:
    return SUITES[suite].private_key((number + 0xABCDEF).to_bytes(32))


def trusted(suite: str, number: int, **changed: Any) -> issuers.IssuerKey:
    terms = {"not_before": NOON - 365 * DAY, "not_after": NOON + 3650 * DAY} | changed
    return issuers.issuer_key(suite, a_key(suite, number).public.point, **terms)


def a_rule(name: str, service: str, who: Who = Who(), **changed: Any) -> Rule:
    terms: dict[str, Any] = {
        "venues": (), "first": date(2020, 1, 1), "last": None, "activated": False, "price": "free", "fen": 0,
        "companions": 0, "day": 0, "month": 0, "bands": (), "proofs": ("tap", "qr", "show"), "vouchers": ("count",),
        "minutes": 120}
    return Rule(id=name, service=service, who=who, **terms | changed)


BOOK = Rulebook(
    "test-city", "试验市公共交通", "Test City Transport", "benefit",
    tuple(Named(name, name, name) for name in (
        "bus", "metro", "ferry", "park", "zoo", "pool", "museum", "tram", "taxi", "cinema")),
    (Named("north", "北门", "North gate"), Named("south", "南门", "South gate")),
    (a_rule("bus", "bus", activated=True),
     a_rule("metro-blind", "metro", BLIND, companions=1),
     a_rule("metro-severe", "metro", SEVERE, companions=2, proofs=("tap", "qr"), venues=("south",)),
     a_rule("metro-other", "metro", price="half", proofs=("tap", "qr")),
     a_rule("ferry-here", "ferry", HERE, proofs=("tap", "qr")),
     a_rule("park", "park", price="fixed", fen=250, vouchers=("slip", "qr"), minutes=60, bands=(
         Band((), ("working",), True, 9 * 60, 16 * 60), Band((1, 2, 12), ("off",), False, 0, 24 * 60))),
     a_rule("zoo", "zoo", day=1, month=3),
     a_rule("pool-number", "pool", proofs=("number",)),
     a_rule("museum-old", "museum", OLD, proofs=("show", "qr", "tap")),
     a_rule("museum-past", "museum", last=date(2026, 11, 19)),
     a_rule("museum-future", "museum", first=date(2026, 11, 21), proofs=("qr",)),
     a_rule("tram-show", "tram", proofs=("show",)),
     a_rule("cinema-yuan", "cinema", price="fixed", fen=1000)),
    off=(date(2026, 10, 1), date(2026, 10, 2), date(2027, 1, 1)), worked=(date(2026, 11, 21),))
SERIAL = serial.make("430102", 1)
QUIET = replace(BOOK, sees="verdict", services=BOOK.services[:1], rules=(a_rule("bus", "bus", activated=True),))
BLIND_CARD, LAME, CANCELLED, LOST, ASLEEP, YOUNG, FAR = range(7)
"""Places of cards in the lists."""
CLAIMS = {BLIND.claim: [BLIND_CARD, YOUNG], SEVERE.claim: [BLIND_CARD, LAME], HERE.claim: [BLIND_CARD, LOST],
          OLD.claim: [LAME]}
STATUS = [(CANCELLED, 1), (LOST, 2), (ASLEEP, 3)]


class Maker:
    """Makes the file's parts, with the signatures that are there already."""

    def __init__(self, kept: dict[str, str]) -> None:
        self.kept, self.signed = kept, {}
        self.files: dict[str, bytes] = {}
        self.bundles: dict[str, dict[str, Any]] = {}
        self.held: dict[str, Bundle] = {}
        self.cases: list[dict[str, Any]] = []

    def sign(self, suite: str, number: int) -> Callable[[bytes], bytes]:
        key = a_key(suite, number)

        def sign(message: bytes) -> bytes:
            name = sha256(key.public.point + message).hexdigest()
            made = bytes.fromhex(self.kept[name]) if name in self.kept else key.sign(message)
            self.signed[name] = made.hex()
            return made
        return sign

    def payload(self, suite: str = "SM", number: int = 1, **changed: Any) -> bytes:
        card = replace(Credential(b"test token 0", ISSUED, date(2036, 1, 4), 0, BLIND_CARD), **changed)
        return self.seal(card, suite, number)

    def seal(self, card: Credential, suite: str, number: int) -> bytes:
        sign = self.sign(suite, number)
        return credential.encode_many([card], suite=suite, key_id=a_key(suite, number).public.key_id,
                                      sign_many=lambda messages: [sign(message) for message in messages])[0]

    def make_list(self, name: str, pairs: list[tuple[int, int]], *, issued_at: datetime, number: int = 0,
             claim: str = "", version: int = 7, suite: str = "SM") -> str:
        header = statuslist.Header(number, version, issued_at, issued_at + DAY, 64)
        kind = statuslist.claim_list(claim) if claim else statuslist.STATUS_LIST
        self.files[name] = statuslist.build(header, pairs, suite=suite, key_id=a_key(suite, 1).public.key_id,
                                            sign=self.sign(suite, 1), kind=kind)
        return name

    def bundle(self, name: str, *, keys: KeySet, book: Rulebook = BOOK, issued_at: datetime = NOON - HOUR,
               lists: list[str] | None = None, claims: dict[str, list[str]] | None = None,
               named: tuple[str, ...] = ()) -> None:
        self.files[f"keys-{name}.json"] = keys.to_json().encode()
        self.files[f"rulebook-{name}.json"] = book.to_json()
        self.bundles[name] = {
            "keys": f"keys-{name}.json", "rulebook": f"rulebook-{name}.json",
            "lists": ["status-0.bin"] if lists is None else lists,
            "claims": {claim: [f"claim-{claim}-0.bin"] for claim in CLAIMS} if claims is None else claims,
            "issued_at": issued_at.isoformat(), "max_age": int(MAX_AGE.total_seconds())}
        if named:
            self.bundles[name]["hosts"] = f"hosts-{name}.json"
            self.files[f"hosts-{name}.json"] = hosts.to_json(named)
        self.held[name] = held(self.bundles[name], self.files)

    def case(self, name: str, shown: dict[str, Any], *, bundle: str = "fresh", service: str = "bus",
             venue: str = "north", operator: str = "test-city", at: datetime = NOON,
             used: dict[str, list[int]] | None = None) -> None:
        place = Place(operator, venue, service)
        answer = presenting.present(
            read_shown(shown), bundle=self.held[bundle], place=place, at=at,
            used={rule: Used(*times) for rule, times in (used or {}).items()})
        self.cases.append({
            "name": name, "bundle": bundle, "shown": shown, "place": place._asdict(), "at": at.isoformat(),
            "used": used or {}, "answer": answer.to_dict()})


def held(told: dict[str, Any], files: dict[str, bytes]) -> Bundle:
    """A bundle as a gate has it after it checked every file."""
    keys, at = KeySet.from_json(files[told["keys"]]), datetime.fromisoformat(told["issued_at"])
    lists = [statuslist.parse(files[name], keys=keys, at=at) for name in told["lists"]]
    claims = {(claim, found.number): found for claim, names in told["claims"].items() for name in names
              for found in [statuslist.parse(files[name], keys=keys, at=at, kind=statuslist.claim_list(claim))]}
    return Bundle(keys, {found.number: found for found in lists}, claims, rulebook.parse(files[told["rulebook"]]),
                  at, timedelta(seconds=told["max_age"]),
                  hosts.from_json(files[told["hosts"]]) if "hosts" in told else frozenset())


def read_shown(shown: dict[str, Any]) -> presenting.Shown:
    """What is shown, from its form in the file."""
    told = {name: value for name, value in shown.items() if name != "how"}
    if shown["how"] == "scanned":
        return Scanned(**told)
    if shown["how"] == "typed":
        return Typed(**told)
    if shown["how"] == "looked":
        return Looked(**told | {name: date.fromisoformat(told[name]) for name in ("valid_until", "born")
                                if name in told})
    fields = dict(told["fields"])
    for name in ("issued", "valid_until", "activation_until"):
        if name in fields:
            fields[name] = date.fromisoformat(fields[name])
    if "credential" in fields:
        fields["credential"] = bytes.fromhex(fields["credential"])
    return Tapped(fields, told["proven"])


def text(payload: bytes, host: str = HOST) -> dict[str, Any]:
    return {"how": "scanned", "text": qr.to_text(payload, host)}


def tap(payload: bytes | None = None, *, proven: bool = True, **fields: Any) -> dict[str, Any]:
    whole = {"serial": SERIAL, "issuer": "430102"} | fields
    return {"how": "tapped", "proven": proven,
            "fields": whole | ({"credential": payload.hex()} if payload is not None else {})}


def look(**told: Any) -> dict[str, Any]:
    return {"how": "looked", "valid_until": "2036-01-04", "same": True} | told


def make(kept: dict[str, str]) -> dict[str, Any]:
    """The whole content of the file."""
    maker = Maker(kept)
    bundles(maker)
    genuine(maker)
    codes(maker)
    times(maker)
    rules(maker)
    other_ways(maker)
    return {
        "source": "The project's own formats; answers of zhengka.formats.presenting; made by make_presenting.py",
        "files": {name: base64.b64encode(data).decode() for name, data in sorted(maker.files.items())},
        "bundles": maker.bundles, "cases": maker.cases,
        "every_bit": [{"bundle": bundle, "host": HOST, "payload": payload.hex(), "at": NOON.isoformat(),
                       "place": Place("test-city", "north", "bus")._asdict()}
                      for bundle, payload in (("fresh", maker.payload()), ("intl", maker.payload("INTL")))],
        "unreadable": unreadable(maker), "signatures": dict(sorted(maker.signed.items()))}


def bundles(maker: Maker) -> None:
    for name, age in (("", HOUR), ("old-", 4 * DAY), ("ahead-", -HOUR)):
        maker.make_list(f"{name}status-0.bin", STATUS, issued_at=NOON - age)
        for claim, holders in CLAIMS.items():
            maker.make_list(f"{name}claim-{claim}-0.bin", [(place, 1) for place in holders], issued_at=NOON - age,
                       claim=claim)
    maker.make_list("winter-status-0.bin", STATUS, issued_at=WINTER)
    maker.make_list("intl-status-0.bin", STATUS, issued_at=NOON - HOUR, suite="INTL")
    sm, intl = trusted("SM", 1), trusted("INTL", 1)
    maker.bundle("fresh", keys=KeySet([sm]))
    maker.bundle("both", keys=KeySet([sm, intl, trusted("SM", 3, purposes=["status"])]))
    maker.bundle("intl", keys=KeySet([intl]), lists=["intl-status-0.bin"], claims={})
    maker.bundle("quiet", keys=KeySet([sm]), book=QUIET, claims={})
    maker.bundle("no-lists", keys=KeySet([sm]), lists=[])
    maker.bundle("no-claims", keys=KeySet([sm]), claims={})
    maker.bundle("old-lists", keys=KeySet([sm]), lists=["old-status-0.bin"])
    maker.bundle("old-claims", keys=KeySet([sm]), claims={c: [f"old-claim-{c}-0.bin"] for c in CLAIMS})
    maker.bundle("old-rules", keys=KeySet([sm]), issued_at=NOON - 4 * DAY, lists=["status-0.bin"])
    maker.bundle("ahead", keys=KeySet([sm]), lists=["ahead-status-0.bin"], issued_at=NOON + HOUR,
                 claims={c: [f"ahead-claim-{c}-0.bin"] for c in CLAIMS})
    maker.bundle("hosts", keys=KeySet([sm]), named=("zk.example.cn", "before.example.cn:8443"))
    maker.bundle("winter", keys=KeySet([sm]), lists=["winter-status-0.bin"], claims={}, issued_at=WINTER)
    maker.bundle("no-keys", keys=KeySet([trusted("SM", 3)]), lists=[], claims={})
    for name, terms in (("key-expired", {"not_after": NOON}), ("key-not-yet", {"not_before": NOON + HOUR}),
                        ("key-revoked", {"revoked_at": NOON - HOUR})):
        maker.bundle(name, keys=KeySet([trusted("SM", 1, **terms)]), lists=[], claims={})


def genuine(maker: Maker) -> None:
    good = maker.payload()
    maker.case("a good card rides free", text(good))
    maker.case("the same card of the other suite", text(maker.payload("INTL")), bundle="intl")
    maker.case("an operator that sees only the verdict", text(good), bundle="quiet")
    for name in ("key-expired", "key-not-yet", "key-revoked"):
        maker.case(f"the issuer's key: {name}", text(good), bundle=name)
    maker.case("no such key is known here", text(good), bundle="no-keys")
    maker.case("a card under another key", text(maker.payload(number=2)), bundle="both")
    maker.case("another's key id on a good card", text(good[:1] + a_key("INTL", 1).public.key_id + good[9:]),
               bundle="both")
    maker.case("a key for lists that signs a card", text(maker.payload(number=3)), bundle="both")
    maker.case("the algorithm of the other suite is claimed", text(bytes([0x12]) + good[1:]), bundle="both")
    maker.case("an algorithm that nobody knows", text(bytes([0x10]) + good[1:]))
    maker.case("a signature of zeros", text(good[:-64] + bytes(64)))
    maker.case("a signature with its halves swapped", text(good[:-64] + good[-32:] + good[-64:-32]))
    for bit in (0, 7, 8, 71, 72, 80, 100, 170, 190, 200, len(good) * 8 - 1):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        maker.case(f"bit {bit} flipped", text(bytes(flipped)))


def codes(maker: Maker) -> None:
    good = maker.payload()
    whole = qr.to_text(good, HOST)
    for name, told in {
            "nothing": "", "spaces": "   ", "another code": "https://example.cn/menu", "digits of something": "12345",
            "digits without end": "1" * 3000, "a payload of 257 bytes": qr.to_digits(good).ljust(618, "0"),
            "another path": whole.replace("/V/", "/W/"), "a letter among the digits": whole[:-3] + "A" + whole[-2:],
            "cut short": whole[:-20], "longer by a digit": whole + "0", "zeros before the digits":
                whole.replace("/V/", "/V/000"), "a link in the code's place": "javascript:alert(1)"}.items():
        maker.case(f"not our code: {name}", {"how": "scanned", "text": told})
    maker.case("a foreign host, where the bundle names none: not asked and not feared", text(
        good, "https://evil.example.net"))
    for host in (HOST, "https://before.example.cn:8443", "http://zk.example.cn"):
        maker.case(f"one of the hosts that the bundle names: {host}", text(good, host), bundle="hosts")
    for host in ("https://evil.example.net", f"{HOST}.evil.example.net", "https://not-zk.example.cn", f"{HOST}:8443",
                 "https://before.example.cn", "https://zk.example"):
        maker.case(f"a genuine code under a host that the bundle does not name: {host}", text(good, host),
                   bundle="hosts")
    maker.case("a forged code under one of the hosts", text(good[:-1] + bytes([good[-1] ^ 1])), bundle="hosts")
    maker.case("the digits alone carry no host", {"how": "scanned", "text": qr.to_digits(good)}, bundle="hosts")
    maker.case("our host in small letters, with spaces", {"how": "scanned", "text": f" {whole.lower()} "},
               bundle="hosts")
    maker.case("a chip's code carries no host", tap(good), bundle="hosts")
    maker.case("an address without a name", text(good, "http://127.0.0.1:8000"))
    maker.case("small letters", {"how": "scanned", "text": whole.lower()})
    maker.case("full-width digits and spaces", {"how": "scanned", "text": " " + whole.translate(
        {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}) + " "})
    maker.case("only the digits", {"how": "scanned", "text": qr.to_digits(good)})


def times(maker: Maker) -> None:
    good = maker.payload()
    for days in (-3, 3):
        maker.case(f"a clock that is wrong by {days} days", text(good), at=NOON + days * DAY)
        maker.case(f"a lost card and a clock that is wrong by {days} days", text(maker.payload(status_index=LOST)),
                   at=NOON + days * DAY)
    maker.case("a card that is not valid yet", text(maker.payload(issued=date(2026, 11, 21))))
    maker.case("on its last day", text(maker.payload(expires=date(2026, 11, 20))))
    maker.case("expired yesterday", text(maker.payload(expires=date(2026, 11, 19))))
    maker.case("expired at midnight in China", text(maker.payload(expires=date(2026, 11, 20))),
               at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
    maker.case("a moment before midnight in China", text(maker.payload(expires=date(2026, 11, 20))),
               at=datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))
    for name, place in (("cancelled", CANCELLED), ("reported lost", LOST), ("not activated", ASLEEP)):
        maker.case(f"a card that was {name}", text(maker.payload(status_index=place)))
    maker.case("a photo of a screen, shown after the block", text(maker.payload(status_index=LOST)), at=NOON + HOUR)
    maker.case("a card that is not activated enters where that is not asked", text(
        maker.payload(status_index=ASLEEP)), service="zoo")
    maker.case("no list here", text(good), bundle="no-lists")
    maker.case("a list of other cards", text(maker.payload(status_list=5)))
    maker.case("no place in the list", text(maker.payload(status_index=64)))
    maker.case("lists that are too old", text(good), bundle="old-lists")
    maker.case("an old list still refuses", text(maker.payload(status_index=LOST)), bundle="old-lists")
    maker.case("rules that are too old", text(good), bundle="old-rules")
    maker.case("old rules, and a lost card", text(maker.payload(status_index=LOST)), bundle="old-rules")
    maker.case("a clock behind the lists", text(good), bundle="ahead")
    maker.case("exactly as old as may be", text(good), at=NOON - HOUR + MAX_AGE)
    maker.case("a second older", text(good), at=NOON - HOUR + MAX_AGE + timedelta(seconds=1))


def rules(maker: Maker) -> None:
    good, lame, young = (maker.payload(status_index=place) for place in (BLIND_CARD, LAME, YOUNG))
    far = maker.payload(status_index=FAR)
    maker.case("with a companion", text(good), service="metro")
    maker.case("with two companions at one gate only", text(lame), service="metro", venue="south")
    maker.case("at the other gate at half price", text(lame), service="metro")
    maker.case("at half price", text(far), service="metro")
    maker.case("a fixed price in working hours", text(good), service="park")
    maker.case("whole yuan", text(good), service="cinema")
    for name, day, clock in (
            ("before the time", 23, (0, 59, 59)), ("at its first moment", 23, (1, 0)),
            ("at its last moment", 20, (7, 59, 59)), ("at its end", 20, (8, 0)),
            ("on a Saturday that is worked", 21, (2, 0)), ("on a Sunday", 22, (2, 0))):
        maker.case(f"a fixed price {name}", text(good), service="park", at=datetime(2026, 11, day, *clock, tzinfo=UTC))
    for day, name in ((1, "a holiday"), (2, "a Saturday"), (3, "a Sunday")):
        maker.case(f"in January: {name}", text(good), bundle="winter", service="park",
                   at=datetime(2027, 1, day, 0, 30, tzinfo=UTC))
    for used in ([0, 2], [1, 1], [0, 3], [5, 9]):
        maker.case(f"used {used[0]} times today and {used[1]} this month", text(good), service="zoo",
                   used={"zoo": used})
    maker.case("what was used by another rule does not count", text(good), service="zoo", used={"bus": [9, 9]})
    maker.case("from here", text(good), service="ferry")
    maker.case("not from here", text(far), service="ferry")
    maker.case("no rule for this service", text(good), service="taxi")
    maker.case("a rule that is over and one that is still to come", text(far), service="museum")
    maker.case("old enough", text(lame), service="museum")
    maker.case("nobody knows without the list: look at the face", text(good), bundle="no-claims", service="museum")
    maker.case("nobody knows without the list: ask online", text(good), bundle="no-claims", service="ferry")
    maker.case("a list of claims that is too old", text(good), bundle="old-claims", service="ferry")
    maker.case("made on the day of the list, not in it yet", text(
        maker.payload(status_index=FAR, issued=date(2026, 11, 20))), service="ferry")
    maker.case("made the day before the list", text(
        maker.payload(status_index=FAR, issued=date(2026, 11, 19))), service="ferry")
    maker.case("must be looked at", text(good), service="tram")
    maker.case("a service that is not there", text(good), service="rocket")
    maker.case("a venue that is not there", text(good), venue="west")
    maker.case("rules of another operator", text(good), operator="other-city")
    maker.case("another month, another pseudonym", text(good), at=NOON + 2 * DAY)
    maker.case("young and blind", text(young), service="metro")


def other_ways(maker: Maker) -> None:
    good, dates = maker.payload(), {"issued": "2026-01-05", "valid_until": "2036-01-04"}
    maker.case("tapped", tap(good, **dates))
    maker.case("tapped, and blind", tap(good), service="metro")
    maker.case("tapped, and lost", tap(maker.payload(status_index=LOST)))
    maker.case("tapped, a chip that proves nothing", tap(good, proven=False))
    maker.case("tapped, a code in it that was changed", tap(good[:-1] + bytes([good[-1] ^ 1])))
    maker.case("tapped, nothing in it", tap(b""))
    maker.case("tapped, far too much in it", tap(b"1" * 2000))
    maker.case("tapped without the code", tap(**dates))
    maker.case("tapped without the code, expired", tap(issued="2016-01-05", valid_until="2026-01-04"))
    maker.case("tapped without the code, not yet", tap(issued="2026-12-05", valid_until="2036-01-04"))
    maker.case("tapped, no lists: what the chip tells is enough", tap(good, category=1, grade=1),
               bundle="no-claims", service="metro")
    maker.case("tapped, no lists: a multiple disability is not enough", tap(good, category=7, grade=1),
               bundle="no-claims", service="metro")
    maker.case("tapped, no lists: where from is not on the chip", tap(good, category=1, grade=1),
               bundle="no-claims", service="ferry")
    maker.case("looked at", look(), service="tram")
    maker.case("looked at on the last day", look(valid_until="2026-11-20"), service="tram")
    maker.case("looked at, expired", look(valid_until="2026-11-19"), service="tram")
    maker.case("looked at, another person's", look(same=False), service="tram")
    maker.case("looked at, and blind", look(category=1, grade=2), service="metro")
    maker.case("looked at, category not told", look(), service="metro")
    maker.case("looked at, not blind: in another way at half price", look(category=4, grade=4), service="metro")
    maker.case("looked at, where it must be read", look(area=430102000000), service="ferry")
    maker.case("looked at, a multiple disability whose parts nobody told", look(category=7, grade=1), service="metro")
    maker.case("looked at, 65 today", look(born="1961-11-20"), service="museum")
    maker.case("looked at, 65 since yesterday", look(born="1961-11-19"), service="museum")
    maker.case("looked at, born on an unknown day", look(), service="museum")
    for name, number in {"a serial": SERIAL, "a certificate": "43010419000101000X44",
                         "a replaced one": "43010419000101000X44B1"}.items():
        maker.case(f"typed: {name}", {"how": "typed", "number": number}, service="pool")
    wrong = SERIAL[:-1] + str(9 - int(SERIAL[-1]))
    for name, number in {"nothing": "", "a wrong digit": wrong, "words": "残疾人证"}.items():
        maker.case(f"typed: {name}", {"how": "typed", "number": number}, service="pool")
    maker.case("typed where it must be shown", {"how": "typed", "number": SERIAL})


def unreadable(maker: Maker) -> list[dict[str, Any]]:
    """Files that no gate takes: kind, bytes, what they are read as, and the name of the refusal."""
    status, book = maker.files["status-0.bin"], maker.files["rulebook-fresh.json"]
    claim = maker.files[f"claim-{BLIND.claim}-0.bin"]
    later, other = (bytes([*status[:place], status[place] ^ 1, *status[place + 1:]])
                    for place in (20, len(status) - 73))
    found = []
    for name, kind, data in (
            ("an empty list", "status", b""), ("a list cut short", "status", status[:-1]),
            ("a list with more behind it", "status", status + b"\0"), ("a list that was changed", "status", other),
            ("a list with another time", "status", later),
            ("a list of another format", "status", b"ZKSL\x09" + status[5:]),
            ("a claim in a status list's place", "status", claim),
            ("a status list in a claim's place", BLIND.claim, status),
            ("another claim's list", SEVERE.claim, claim),
            ("an empty rulebook", "rulebook", b""), ("a rulebook cut short", "rulebook", book[:-1]),
            ("a rulebook with a space", "rulebook", book + b" "),
            ("a rulebook of another format", "rulebook", book.replace(b'"format":1', b'"format":2')),
            ("a rulebook with a field too many", "rulebook", book.replace(b'"format":1', b'"format":1,"from":1')),
            ("a rulebook with a price that nobody knows", "rulebook", book.replace(b'"half"', b'"none"')),
            ("hosts, and none in it", "hosts", b'{"format":1,"hosts":[]}'),
            ("hosts in capital letters", "hosts", b'{"format":1,"hosts":["A.EXAMPLE"]}'),
            ("hosts out of order", "hosts", b'{"format":1,"hosts":["b.example","a.example"]}'),
            ("a host twice", "hosts", b'{"format":1,"hosts":["a.example","a.example"]}'),
            ("a path behind a host", "hosts", b'{"format":1,"hosts":["a.example/b"]}'),
            ("hosts of another format", "hosts", b'{"format":2,"hosts":["a.example"]}'),
            ("hosts that are no list", "hosts", b'{"format":1,"hosts":"a.example"}'),
            ("no file of hosts", "hosts", b"[]")):
        found.append({"name": name, "read_as": kind, "file": base64.b64encode(data).decode(),
                      "error": refused(kind, data)})
    return found


def refused(kind: str, data: bytes) -> str:
    """The code by which a file is refused that is read as `status`, `rulebook`, `hosts`, or the list of a claim."""
    try:
        if kind == "hosts":
            hosts.from_json(data)
        elif kind == "rulebook":
            rulebook.parse(data)
        else:
            statuslist.parse(data, keys=KeySet([trusted("SM", 1)]), at=NOON, kind=(
                statuslist.STATUS_LIST if kind == "status" else statuslist.claim_list(kind)))
    except (rulebook.BadRulebook, statuslist.BadStatusList) as bad:
        return bad.code
    except hosts.BadHosts:
        return "bundle-format"  # as the bundle is refused in which it is
    raise AssertionError("this file was taken")


def spell(content: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(spell(make(json.loads(FILE.read_text("utf-8"))["signatures"] if FILE.exists() else {})), "utf-8")
