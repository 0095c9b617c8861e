"""What the card maker sends back (制卡回执): one JSON line per card made, between a header and a signed end.

    {"format": "zhengka-results/1", "result": uuid, "batch": …, "package": digest, "maker": key id, "suite": …}
    {"serial": …, "uid": …, "atr": …, "readback": …, "outcome": …, "reason": …, "shown": …,     one per card
     "blank": serial, "wasted": [[serial, reason], …]}
    {"cards": …, "good": …, "spoiled": …, "suspect": …}
    {"signature": …}

The signature of the maker's key is over a chain of digests through every line before it, so that a line that is
changed, left out, added or moved breaks it, and a file of any length is checked in flat memory.

`blank` is the serial of the blank card (空白卡) of which the card was made, or that was spoiled when it was to be;
`wasted` are blanks that were spoiled before that one at the same place. A maker whose blanks are not counted by us
leaves both out.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar
from uuid import UUID

from zhengka.formats.shown import Shown, from_word
from zhengka.formats.suites import SUITES, MalformedSignature, PublicKey, SigningKey

FORMAT: Final = "zhengka-results/1"
OUTCOMES: Final = ("good", "spoiled", "suspect")
"""Suspect: the maker does not know what the card holds. A file in which no card is need not count them."""

MOST_LINE: Final = 4096
"""Most bytes in a line."""

MOST_WASTED: Final = 8
"""So many blanks may be wasted before one card: more is a machine that stands still."""
MOST_WHY: Final = 40
"""Most characters of the reason of a wasted blank."""

_BLANK: Final = re.compile(r"[1-9][0-9]{0,17}")
_START = b"zhengka results"
_T = TypeVar("_T")


class ResultsBroken(ValueError):
    """A results file that is not taken: `code` says why, `line` which line, from 1."""

    def __init__(self, code: str, line: int = 0) -> None:
        super().__init__(code, line)
        self.code, self.line = code, line

    def __str__(self) -> str:
        """The code, and the line if it is known."""
        return f"the results are not taken: {self.code}" + (f", line {self.line}" if self.line else "")


class ResultsInfo(NamedTuple):
    """Which results these are: an id of their own, the batch, and the digest of the package they answer."""

    result: UUID
    batch: str
    package: bytes


class CardResult(NamedTuple):
    """What became of one card. All but a good one say why; `readback` is None when it could not be read back, `shown`
    when nobody looked at the finished card. `blank`: the serial of its blank card, where the maker tells it; `wasted`:
    those that were spoiled before it, each with its reason.
    """

    serial: str
    uid: bytes
    atr: bytes
    readback: bytes | None
    outcome: str
    reason: str
    shown: Shown | None = None
    blank: int | None = None
    wasted: tuple[tuple[int, str], ...] = ()


class Counts(NamedTuple):
    """How many cards the file tells of: cards = good + spoiled + suspect."""

    cards: int
    good: int
    spoiled: int
    suspect: int


class ResultWriter:
    """Writes results line by line; the file has its name only once it is signed. Use it in a `with` block."""

    def __init__(self, path: Path, info: ResultsInfo, key: SigningKey) -> None:
        """`key` is the maker's private key."""
        self._path, self._key = path, key
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}")
        self._digest, self._chain = SUITES[key.public.suite].digest, _START
        self._counts = dict.fromkeys(OUTCOMES, 0)
        self._file = self._temporary.open("wb")
        header = {"format": FORMAT, "result": str(info.result), "batch": info.batch, "package": info.package.hex()}
        self._line(header | {"maker": key.public.key_id.hex(), "suite": key.public.suite})

    def add(self, card: CardResult) -> None:
        """Write the result of one card."""
        self.add_spelled(spell(card))

    def add_spelled(self, data: Mapping[str, Any]) -> None:
        """Write a result that is in the words of `spell` already; a reader looks at them."""
        if data.get("outcome") not in OUTCOMES:
            raise ValueError("an outcome is good, spoiled or suspect")
        self._counts[data["outcome"]] += 1
        self._line(data)

    def __enter__(self) -> "ResultWriter":
        """The writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Count, sign, make durable and name the file; after an error leave nothing behind."""
        if kind is not None:
            self._file.close()
            self._temporary.unlink()
            return
        self._line({"cards": sum(self._counts.values()), **self._counts})
        self._file.write(_json({"signature": self._key.sign(self._chain).hex()}))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)

    def _line(self, data: Mapping[str, Any]) -> None:
        line = _json(data)
        self._chain = self._digest(self._chain + line)
        self._file.write(line)


class ResultReader:
    """A results file, checked whole before the first card is given out."""

    def __init__(self, source: Path | BinaryIO, maker_public: PublicKey) -> None:
        """Check signature, header and counts; ResultsBroken says what is wrong. A file at hand must be able to seek."""
        self._source = source
        with self._opened() as file:
            lines, told, self.digest = _check(file, maker_public)
            file.seek(0)
            header = _parse(file.readline(), 1)
        self.info = _info(header)
        if (header["suite"], header["maker"]) != (maker_public.suite, maker_public.key_id.hex()):
            raise ResultsBroken("wrong-maker", 1)
        self._cards = lines - 3
        self.counts = self._count()
        if {"suspect": 0} | told != self.counts._asdict():
            raise ResultsBroken("wrong-counts", lines - 1)

    def cards(self) -> Iterator[CardResult]:
        """The result of every card, in the order of the file."""
        with self._opened() as file:
            file.readline()
            for number in range(2, self._cards + 2):
                yield _card(_parse(file.readline(), number), number)

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        if isinstance(self._source, Path):
            return self._source.open("rb")
        self._source.seek(0)
        return nullcontext(self._source)

    def _count(self) -> Counts:
        each = Counter(card.outcome for card in self.cards())
        return Counts(self._cards, *[each[outcome] for outcome in OUTCOMES])


def claimed(file: BinaryIO) -> ResultsInfo:
    """Which results a file says that it holds, by its first line alone: nothing of it is checked yet. ResultsBroken."""
    file.seek(0)
    return _info(_parse(file.readline(MOST_LINE + 1), 1))


def claimed_key(file: BinaryIO) -> bytes:
    """The id of the key by which a file says that it is signed, by its first line alone. ResultsBroken."""
    file.seek(0)
    return _field(_parse(file.readline(MOST_LINE + 1), 1), "maker", bytes.fromhex, 1)


def spell(card: CardResult) -> dict[str, Any]:
    """One result as it stands in a line."""
    return {
        "serial": card.serial,
        "uid": card.uid.hex(),
        "atr": card.atr.hex(),
        "readback": None if card.readback is None else card.readback.hex(),
        "outcome": card.outcome,
        "reason": card.reason,
    } | ({"shown": card.shown.word()} if card.shown else {}) | (
        {"blank": str(card.blank)} if card.blank is not None else {}) | (
        {"wasted": [[str(blank), why] for blank, why in card.wasted]} if card.wasted else {})


def unspell(data: Mapping[str, Any]) -> CardResult:
    """The result that `spell` wrote, or one in the same words; ResultsBroken."""
    return _card(data, 0)


def _check(file: BinaryIO, maker: PublicKey) -> tuple[int, dict[str, Any], bytes]:
    """The number of lines, the one that counts, and the end of the chain, if the last line signs it."""
    chain, digest, number, told, last = _START, SUITES[maker.suite].digest, 0, b"", b""
    while line := file.readline(MOST_LINE + 1):
        number += 1
        if len(line) > MOST_LINE or not line.endswith(b"\n"):
            raise ResultsBroken("truncated" if len(line) <= MOST_LINE else "line-too-long", number)
        if last:
            chain = digest(chain + last)
        told, last = last, line
    if number < 3:
        raise ResultsBroken("truncated", number)
    signature = _field(_parse(last, number), "signature", bytes.fromhex, number)
    try:
        right = maker.verify(chain, signature)
    except MalformedSignature:
        right = False
    if not right:
        raise ResultsBroken("wrong-signature", number)
    return number, _parse(told, number - 1), chain


def _info(header: Mapping[str, Any]) -> ResultsInfo:
    if header.get("format") != FORMAT or not {"suite", "maker"} <= header.keys():
        raise ResultsBroken("unknown-format", 1)
    return ResultsInfo(
        _field(header, "result", UUID, 1),
        _field(header, "batch", str, 1),
        _field(header, "package", bytes.fromhex, 1),
    )


def _card(data: Mapping[str, Any], number: int) -> CardResult:
    readback = None if data.get("readback") is None else _field(data, "readback", bytes.fromhex, number)
    card = CardResult(
        _field(data, "serial", str, number),
        _field(data, "uid", bytes.fromhex, number),
        _field(data, "atr", bytes.fromhex, number),
        readback,
        _field(data, "outcome", str, number),
        _field(data, "reason", str, number),
        _field(data, "shown", from_word, number) if "shown" in data else None,
        _field(data, "blank", _serial, number) if "blank" in data else None,
        _wasted(data.get("wasted", []), number),
    )
    whole = re.fullmatch(r"[0-9]{1,32}", card.serial) and 4 <= len(card.uid) <= 10 and 2 <= len(card.atr) <= 33
    if not whole or card.outcome not in OUTCOMES or len(card.reason) > 200 or len(readback or bytes(32)) != 32:
        raise ResultsBroken("bad-card", number)
    if card.outcome == "good" and (readback is None or card.reason):
        raise ResultsBroken("bad-card", number)
    return card


def _serial(text: str) -> int:
    """The serial of a blank card: a whole number of at most 18 digits."""
    if not _BLANK.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _wasted(data: Any, number: int) -> tuple[tuple[int, str], ...]:
    if not isinstance(data, list) or len(data) > MOST_WASTED:
        raise ResultsBroken("bad-card", number)
    found = []
    for one in data:
        if not (isinstance(one, list) and len(one) == 2 and all(isinstance(word, str) for word in one)
                and _BLANK.fullmatch(one[0]) and one[1].isprintable() and one[1].strip() and len(one[1]) <= MOST_WHY):
            raise ResultsBroken("bad-card", number)
        found.append((int(one[0]), one[1].strip()))
    return tuple(found)


def _field(data: Mapping[str, Any], name: str, read: Callable[[str], _T], number: int) -> _T:
    value = data.get(name)
    if not isinstance(value, str):
        raise ResultsBroken("bad-line", number)
    try:
        return read(value)
    except ValueError:
        raise ResultsBroken("bad-line", number) from None


def _parse(line: bytes, number: int) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise ResultsBroken("bad-line", number) from None
    if not isinstance(data, dict):
        raise ResultsBroken("bad-line", number)
    return data


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"
