"""What a set of gates' events comes to (日志合并). Pure: a function of the set alone, whatever order it came in.

    state of a voucher   redeemed, if any event redeems it; else cancelled, if any cancels it; else issued
    use that counts      one of a statement that was sent already; else the first by (time, gate, number, digest)
    double use           every other use of the same voucher: it is named, with both gates, and not counted
    forked               events of one gate under one number that differ: none of them is counted until it is known why

A gate's clock may be days wrong, so time decides nothing but which of two uses is the one that counts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

PAID = ("visit", "redeem")
"""Kinds of events that a service is paid by."""


class Fact(NamedTuple):
    """What of an event decides; in this order facts are sorted."""

    at: datetime
    gate: int
    seq: int
    digest: bytes
    kind: str
    voucher: bytes


class Double(NamedTuple):
    """One use too many of a voucher: the digests of the use that counts and of this one."""

    voucher: bytes
    counted: bytes
    again: bytes


class Standing(NamedTuple):
    """What the events of one voucher come to: its state, "" where nothing tells that it was issued; the digest of the
    event that issued it (the first), and of the use that counts; the other uses.
    """

    state: str
    issued: bytes
    counted: bytes
    doubles: tuple[Double, ...]


def fold(facts: Iterable[Fact], settled: Collection[bytes] = ()) -> Standing:
    """The standing of one voucher by all that is known of it; `settled`: digests that a sent statement counts."""
    ordered = sorted(set(facts))
    issued = next((fact for fact in ordered if fact.kind == "issue"), None)
    uses = [fact for fact in ordered if fact.kind == "redeem"]
    state = "redeemed" if uses else "cancelled" if any(fact.kind == "cancel" for fact in ordered) else "issued"
    counted = next((fact for fact in uses if fact.digest in settled), uses[0] if uses else None)
    doubles = tuple(Double(fact.voucher, counted.digest, fact.digest)
                    for fact in uses if counted is not None and fact is not counted)
    return Standing(state if issued else "", issued.digest if issued else b"", counted.digest if counted else b"",
                    doubles)


def fold_all(facts: Iterable[Fact], settled: Collection[bytes] = ()) -> dict[bytes, Standing]:
    """The standing of each voucher that the facts name."""
    by_code: defaultdict[bytes, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.voucher:
            by_code[fact.voucher].append(fact)
    return {code: fold(of_code, settled) for code, of_code in by_code.items()}


def forked(facts: Iterable[Fact]) -> dict[tuple[int, int], frozenset[bytes]]:
    """Gate and number → the digests of events that contradict each other there."""
    found: defaultdict[tuple[int, int], set[bytes]] = defaultdict(set)
    for fact in facts:
        found[fact.gate, fact.seq].add(fact.digest)
    return {place: frozenset(digests) for place, digests in found.items() if len(digests) > 1}


def counted(facts: Collection[Fact], settled: Collection[bytes] = ()) -> set[bytes]:
    """The digests of the events that a service is paid by: every visit, each voucher once, nothing that is forked."""
    bad = frozenset[bytes]().union(*forked(facts).values())
    standing = fold_all(facts, settled)
    return {fact.digest for fact in facts if fact.kind in PAID and fact.digest not in bad
            and (fact.kind == "visit" or standing[fact.voucher].counted == fact.digest)}


class Outcome(NamedTuple):
    """What new events change: the standing of each voucher that they name, the numbers that are forked now, which of
    the new ones count, and which of the known ones count no more.
    """

    standing: dict[bytes, Standing]
    forks: dict[tuple[int, int], frozenset[bytes]]
    counts: frozenset[bytes]
    gone: frozenset[bytes]


def merge(known: Collection[Fact], fresh: Collection[Fact], settled: Collection[bytes] = ()) -> Outcome:
    """What comes of new events; `known`: all that are kept of the same vouchers, or under the same numbers of the same
    gates. Of what is kept nothing else is looked at, so the cost is that of the upload, not of the log.
    """
    codes = {fact.voucher for fact in fresh if fact.voucher}
    of_codes = [fact for fact in known if fact.voucher in codes]
    standing, forks = fold_all([*of_codes, *fresh], settled), forked([*known, *fresh])
    bad = frozenset[bytes]().union(*forks.values())
    good = {one.counted for one in standing.values()} - bad
    counts = frozenset(fact.digest for fact in fresh if fact.digest not in bad
                       and (fact.kind == "visit" or (fact.kind == "redeem" and fact.digest in good)))
    gone = bad | {fact.digest for fact in of_codes if fact.kind == "redeem" and fact.digest not in good}
    return Outcome(standing, forks, counts, gone - {fact.digest for fact in fresh})


def gaps(seen: Mapping[int, Collection[int]]) -> dict[int, int]:
    """Gate → how many of its numbers up to the highest one that came are still missing."""
    return {gate: max(numbers) - len(set(numbers)) for gate, numbers in seen.items() if numbers}
