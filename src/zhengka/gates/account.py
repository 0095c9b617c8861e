"""What a month comes to, and the file by which both sides reckon it again (结算文件). Pure.

The file is JSON and holds all that is needed to check it with nothing else at hand: each event as its gate signed it,
the public keys, the prices, and a head, signed by the platform word for word. `check` believes none of its sums.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from zhengka.formats import gatelog, issuers
from zhengka.formats.gatelog import BadEvent, Event, Signed
from zhengka.formats.suites import SUITES, PublicKey
from zhengka.formats.verdict import CHINA
from zhengka.gates import folding
from zhengka.gates.folding import PAID, Fact
from zhengka.gates.tariffs import Price, Tariff

FORMAT: Final = "zhengka-statement-1"
CONTENT_TYPE: Final = "application/vnd.zhengka.statement+json"
MOST_BYTES: Final = 512 * 1024 * 1024
WRONG: Final = {
    "file-shape": "the file is no statement of this format",
    "event-wrong": "an event is not in its one form, or its gate did not sign it",
    "event-twice": "an event is there twice",
    "digest-wrong": "the digest is not that of these events",
    "count-wrong": "other events count than the head says",
    "lines-wrong": "the lines are not what events and prices come to",
    "sum-wrong": "the amount is not the sum of the lines",
    "signature-wrong": "the platform did not sign this head",
}
"""code → what differs."""


class BadStatement(ValueError):
    """A file that does not hold what it says. `code` is a key of `WRONG`, `what` names the place."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(f"{code}: {WRONG[code]}{f' ({what})' if what else ''}")
        self.code, self.what = code, what


class Unpriced(ValueError):
    """A use for which no price is told."""


class Use(NamedTuple):
    """Uses that count, of one day and kind, as far as they are paid by; `companions` of all of them together."""

    service: str
    rule: str
    gives: str
    companions: int
    on: date
    times: int = 1


class Line(NamedTuple):
    """Uses of one service under one rule and benefit at one price; sums in fen."""

    service: str
    rule: str
    gives: str
    fen_each: int
    fen_companion: int
    uses: int
    companions: int

    @property
    def fen(self) -> int:
        """What it comes to."""
        return self.uses * self.fen_each + self.companions * self.fen_companion


@dataclass(frozen=True)
class Kept:
    """One event of a statement: its signed line, the key by whose id it was signed, whether it counts."""

    line: Signed
    key_id: bytes
    counted: bool


@dataclass(frozen=True)
class Checked:
    """What a file that was found right says."""

    operator: str
    month: str
    events: int
    counted: int
    fen: int
    signed: bool
    lines: tuple[Line, ...]


def reckon(uses: Iterable[Use], prices: Sequence[Price]) -> list[Line]:
    """The lines of uses at these prices, in order; Unpriced."""
    tariff = Tariff("", "", tuple(prices))
    counts: Counter[tuple[str, str, str, int, int]] = Counter()
    companions: Counter[tuple[str, str, str, int, int]] = Counter()
    for use in uses:
        price = tariff.price(use.service, use.gives, use.on)
        if price is None:
            raise Unpriced(f"{use.service} {use.gives} {use.on}")
        key = (use.service, use.rule, use.gives, price.fen, price.companion)
        counts[key] += use.times
        companions[key] += use.companions
    return [Line(*key, counts[key], companions[key]) for key in sorted(counts)]


def digest(digests: Iterable[bytes]) -> bytes:
    """One digest of a set of events, whatever order they are told in: SHA-256 over their sorted digests."""
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def head(told: Mapping[str, Any]) -> str:
    """The text that is signed: members in the order of their names, without spaces, ASCII alone."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def priced(price: Price) -> dict[str, Any]:
    """A price as the head tells it."""
    return {"from": price.first.isoformat(), "service": price.service, "gives": price.gives, "fen": price.fen,
            "companion": price.companion}


def lined(line: Line) -> dict[str, Any]:
    """A line as the head tells it."""
    return {**line._asdict(), "fen": line.fen}


def to_file(text: str, signature: Mapping[str, str] | None, keys: Mapping[bytes, PublicKey],
            events: Iterable[Kept]) -> bytes:
    """The whole file. `signature`: key id, suite, point and value in hexadecimal digits."""
    return json.dumps({
        "format": FORMAT, "head": text, "signature": signature,
        "keys": {key_id.hex(): {"suite": key.suite, "point": key.point.hex()} for key_id, key in keys.items()},
        "events": [[one.line.text, urlsafe_b64encode(one.line.signature).decode().rstrip("="), one.key_id.hex(),
                    one.counted] for one in events]}, indent=0).encode()


def check(data: bytes) -> Checked:
    """Reckon a file again from its events and prices alone. Raises `BadStatement`, naming what differs."""
    try:
        whole = json.loads(data)
        if whole["format"] != FORMAT:
            raise BadStatement("file-shape", "format")
        told = json.loads(whole["head"])
        events = _events(whole)
        signed = _signed(whole)
        lines = _reckoned(told, events)
        return Checked(told["operator"], told["month"], len(events), sum(line.uses for line in lines), told["fen"],
                       signed, tuple(lines))
    except BadStatement:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise BadStatement("file-shape", type(fault).__name__) from None


def _events(whole: Mapping[str, Any]) -> dict[bytes, Event]:
    """Digest → event, each read strictly and its signature checked."""
    keys = {key_id: SUITES[key["suite"]].public_key(bytes.fromhex(key["point"]))
            for key_id, key in whole["keys"].items()}
    found: dict[bytes, Event] = {}
    for text, signature, key_id, _ in whole["events"]:
        line = Signed(text, urlsafe_b64decode(signature + "=="))
        if line.digest in found:
            raise BadStatement("event-twice", line.digest.hex())
        try:
            line.check(keys[key_id])
            found[line.digest] = gatelog.read(text)
        except (BadEvent, KeyError):
            raise BadStatement("event-wrong", line.digest.hex()) from None
    return found


def _signed(whole: Mapping[str, Any]) -> bool:
    """Whether the head is signed; a signature that is wrong is refused. Whose key it is, the reader compares."""
    told = whole["signature"]
    if told is None:
        return False
    key = SUITES[told["suite"]].public_key(bytes.fromhex(told["point"]))
    message = issuers.sig_structure(key.suite, key.key_id, CONTENT_TYPE, whole["head"].encode())
    try:
        good = key.key_id.hex() == told["key_id"] and key.verify(message, bytes.fromhex(told["value"]))
    except ValueError:
        good = False
    if not good:
        raise BadStatement("signature-wrong")
    return True


def _reckoned(told: Mapping[str, Any], events: Mapping[bytes, Event]) -> list[Line]:
    if digest(events).hex() != told["digest"] or len(events) != told["events"]:
        raise BadStatement("digest-wrong")
    counts = _counted(told, events)
    if len(counts) != told["counted"]:
        raise BadStatement("count-wrong", f"{len(counts)} for {told['counted']}")
    prices = [Price(date.fromisoformat(one["from"]), one["service"], one["gives"], one["fen"], one["companion"])
              for one in told["prices"]]
    try:
        lines = reckon((use_of(events[one]) for one in counts), prices)
    except Unpriced as fault:
        raise BadStatement("lines-wrong", str(fault)) from None
    if [lined(line) for line in lines] != told["lines"]:
        raise BadStatement("lines-wrong")
    if sum(line.fen for line in lines) != told["fen"]:
        raise BadStatement("sum-wrong")
    return lines


def _counted(told: Mapping[str, Any], events: Mapping[bytes, Event]) -> set[bytes]:
    """What counts by the events themselves, less what counts in another statement and what was struck out."""
    facts = [Fact(event.at, event.gate, event.seq, one, event.kind, event.voucher) for one, event in events.items()]
    elsewhere = {bytes.fromhex(again) for counted, again in told["doubles"] if bytes.fromhex(counted) not in events}
    left: Collection[bytes] = {bytes.fromhex(one) for one in [*told["struck"], *told["forked"]]} | elsewhere
    return folding.counted(facts) - set(left)


def use_of(event: Event) -> Use:
    """What of an event is paid by."""
    if event.kind not in PAID:
        raise ValueError("not a kind that is paid by")
    return Use(event.service, event.rule, event.gives, event.companions, event.at.astimezone(CHINA).date())
