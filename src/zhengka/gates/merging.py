"""Sorting an upload of gates' logs (日志上传): what is new, what came before, what is refused and why. Pure.

What came before is known by its digest, before anything else is looked at. What is new is read strictly, and its
signature checked, many in threads: OpenSSL works outside the interpreter's lock.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from zhengka.formats import es256, gatelog
from zhengka.formats.gatelog import BadEvent, Event, Signed
from zhengka.formats.suites import PublicKey
from zhengka.gates.folding import PAID, Fact

CHUNK: Final = 200
"""So many signatures a thread checks at a time."""
REFUSALS: Final = {
    "event-shape": "a line is not an event in its one form",
    "event-value": "a value of the event does not belong to its kind",
    "event-signature": "the gate named did not sign it",
    "gate-unknown": "no gate of this register has this number, or it has no key",
    "gate-shut-out": "the gate was stopped, lost or retired: nothing that it says now is believed",
    "post-unknown": "the gate never stood at the place that it names",
}
"""code of a refused line → what it says."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What is known of a gate: its key, or the code for which nothing of it is taken; the places of its posts, now or
    before, as (operator, venue).
    """

    key: PublicKey | None
    places: frozenset[tuple[str, str]] = frozenset()
    no: str = ""

    def stands(self, operator: str, venue: str) -> bool:
        """True where one of its posts is that place; no venue is any one of the operator."""
        return any(one == (operator, venue or one[1]) for one in self.places)


@dataclass(frozen=True, slots=True)
class New:
    """An event that was not known."""

    event: Event
    line: Signed
    digest: bytes

    @property
    def fact(self) -> Fact:
        """What of it decides."""
        return Fact(self.event.at, self.event.gate, self.event.seq, self.digest, self.event.kind, self.event.voucher)

    @property
    def pays(self) -> bool:
        """True for a kind that a service is paid by."""
        return self.event.kind in PAID


@dataclass(frozen=True)
class Sorted:
    """What an upload comes to: the new events, how many were known, how many lines were refused, by code."""

    fresh: list[New]
    repeats: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


def places(lines: Sequence[Signed | None]) -> dict[int, set[int]]:
    """Gate → the numbers that an upload speaks of: what must be looked up before it is sorted."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for line in lines:
        if line is not None and (place := _place(line)):
            found[place[0]].add(place[1])
    return dict(found)


def sort_out(lines: Sequence[Signed | None], known: Collection[bytes], gates: Mapping[int, Gate]) -> Sorted:
    """Sort the lines; `known`: digests of the events that are kept already; `gates`: the gates that they name."""
    refused: Counter[str] = Counter()
    candidates: set[bytes] = set()
    checks, repeats = _Checks(gates), 0
    for line in lines:
        if line is None:
            refused["event-shape"] += 1
            continue
        digest = line.digest
        if digest in known or digest in candidates:
            repeats += 1
            continue
        try:
            checks.add(_read(line, digest, gates))
            candidates.add(digest)
        except BadEvent as bad:
            refused[bad.code] += 1
        except _Refused as no:
            refused[no.code] += 1
    good = checks.good()
    if forged := len(candidates) - len(good):
        refused["event-signature"] += forged
    return Sorted(good, repeats, dict(refused))


class _Refused(Exception):
    """A line of a gate of which nothing is taken."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _place(line: Signed) -> tuple[int, int] | None:
    try:
        return line.place()
    except BadEvent:
        return None


def _read(line: Signed, digest: bytes, gates: Mapping[int, Gate]) -> New:
    event = gatelog.read(line.text)
    gate = gates.get(event.gate)
    if gate is None or gate.no:
        raise _Refused(gate.no if gate else "gate-unknown")
    if not gate.stands(event.operator, event.venue):
        raise _Refused("post-unknown")
    return New(event, line, digest)


class _Checks:
    """Signatures, looked at in threads while the lines that follow are read."""

    def __init__(self, gates: Mapping[int, Gate]) -> None:
        self._gates = gates
        self._parts: defaultdict[int, list[New]] = defaultdict(list)
        self._running: list[Future[list[New]]] = []

    def add(self, new: New) -> None:
        """Have the signature of one event checked, soon or by `good`."""
        part = self._parts[new.event.gate]
        part.append(new)
        if len(part) == CHUNK:
            self._begin(new.event.gate)

    def good(self) -> list[New]:
        """Those that their gate signed, in no order."""
        if not self._running and sum(map(len, self._parts.values())) <= CHUNK:
            return [new for gate, part in self._parts.items() for new in _check(self._gates[gate].key, part)]
        for gate in list(self._parts):
            self._begin(gate)
        return [new for part in self._running for new in part.result()]

    def _begin(self, gate: int) -> None:
        self._running.append(_threads().submit(_check, self._gates[gate].key, self._parts.pop(gate)))


def _check(key: PublicKey | None, news: list[New]) -> list[New]:
    if key is None:
        return []
    if key.suite != "INTL":
        return [new for new in news if _checks(new.line, key)]
    told = es256.check_many(key.point, [(new.digest, new.line.signature) for new in news])
    return [new for new, good in zip(news, told, strict=True) if good]


def _checks(line: Signed, key: PublicKey) -> bool:
    try:
        line.check(key)
    except BadEvent:
        return False
    return True


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="signatures")
