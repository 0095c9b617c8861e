"""Whether a gate's clock can be believed (时钟核对). Pure: a wrong clock is found and named, and loses no event.

A gate says when a thing happened; two others know better. It went by a status list, which is not older than the day on
which that was signed: the event is not earlier. The server received the event: it is not later. And a gate counts its
events, so what bounds one of them bounds all that follow or went before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

TOLERANCE: Final = timedelta(minutes=5)
"""So much a clock may be off, and nobody is told [ours]."""
FAULTS: Final = ("behind", "ahead", "jumps")


class Tick(NamedTuple):
    """One event of a gate: its number, its own time, the list that it went by, when it was first received."""

    seq: int
    at: datetime
    list_version: int
    received: datetime


class Fault(NamedTuple):
    """From this number on the gate's clock was wrong by at least so much; `kind` is one of FAULTS."""

    kind: str
    seq: int
    by: timedelta


def judge(ticks: Sequence[Tick], issued: Mapping[int, datetime]) -> list[Fault]:
    """The faults of one gate's clock, each kind once, by its greatest offset; `issued`: list version → when signed."""
    ordered = sorted(ticks)
    faults = [*_behind(ordered, issued), *_ahead(ordered), *_jumps(ordered)]
    worst: dict[str, Fault] = {}
    for fault in faults:
        if fault.by > TOLERANCE and (fault.kind not in worst or fault.by > worst[fault.kind].by):
            worst[fault.kind] = fault
    return [worst[kind] for kind in FAULTS if kind in worst]


def _behind(ordered: Sequence[Tick], issued: Mapping[int, datetime]) -> list[Fault]:
    """Earlier than the newest list that it, or one before it, went by."""
    found, floor = [], None
    for tick in ordered:
        signed = issued.get(tick.list_version)
        floor = max(filter(None, (floor, signed)), default=None)
        if floor is not None and tick.at < floor:
            found.append(Fault("behind", tick.seq, floor - tick.at))
    return found


def _ahead(ordered: Sequence[Tick]) -> list[Fault]:
    """Later than it, or one after it, was received."""
    found, ceiling = [], None
    for tick in reversed(ordered):
        ceiling = tick.received if ceiling is None else min(ceiling, tick.received)
        if tick.at > ceiling:
            found.append(Fault("ahead", tick.seq, tick.at - ceiling))
    return found


def _jumps(ordered: Sequence[Tick]) -> list[Fault]:
    """Earlier than the event before it."""
    return [Fault("jumps", after.seq, before.at - after.at)
            for before, after in pairwise(ordered) if after.at < before.at]
