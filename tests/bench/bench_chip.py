"""The software chip: cards made a second in one process, in clear and through the loading channel; a read by a gate."""

import datetime as dt
import gc
import statistics
import time
from collections.abc import Callable

from measure import ROUNDS, tell

from made_cards import KEK, card_keys, make_keys, make_profile, make_records, master_key, whole_profile
from zhengka.formats import serial
from zhengka.formats.chip import Profile, SoftCard, compile_whole, gate, reading_plan, secure
from zhengka.formats.chip.applying import apply
from zhengka.formats.chip.making import Known, make
from zhengka.formats.chip.orders import activate
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SUITES

CARDS = 100
UNTIL = dt.date(2020, 6, 30)
MASTERS = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)


def main() -> None:
    """Print, by suite × applications, cards a second and core (bar: 100 with the SM suite through the channel), what a
    gate's read takes, and what an order on an issued card takes.
    """
    for profile in (make_profile(), whole_profile(), make_profile(suite="INTL"), whole_profile(suite="INTL")):
        line = Line(profile)
        name = f"{profile.suite} × {len(profile.ours)}"
        tell(f"{name}: cards made and read back ({line.commands} commands), in clear",
             f"{CARDS / spent(lambda line=line: line.make(None)):,.0f} cards/s")
        tell(f"{name}: the same through the loading channel",
             f"{CARDS / spent(lambda line=line: line.make(MASTERS)):,.0f} cards/s",
             bar="≥ 100" if profile.suite == "SM" else "")
        tell(f"{name}: a gate's read, both proven, 6 commands", f"{spent(line.read) / CARDS * 1e3:.2f} ms")
        tell(f"{name}: the next year's term written and vouched for", f"{spent(line.renew) / CARDS * 1e3:.2f} ms")


class Line:
    """A hundred cards to be made, and the hundred that were made last."""

    def __init__(self, profile: Profile) -> None:
        self.suite, self.profile = SUITES[profile.suite], profile
        self.records = records = make_records(CARDS)
        keys = make_keys(self.profile, records)
        self.scripts, self.digests = compile_whole(self.profile, records, keys_by_slot=keys, kek=KEK)
        self.plan = reading_plan(self.profile)
        self.commands = len(self.scripts[0].commands) + len(self.plan.steps)
        self.done: list[SoftCard] = []
        self.keys = [card_keys(profile, record) for record in records]

    def make(self, channel: KeySet | None) -> None:
        """Make them, each chip with channel keys of its own if `channel` gives the masters."""
        self.done.clear()
        for number, (script, digest) in enumerate(zip(self.scripts, self.digests, strict=True)):
            uid = number.to_bytes(7)
            own = channel.of_chip(self.suite, uid) if channel else None
            card = SoftCard(uid=uid, kek=KEK, suite=self.suite, capacity=self.profile.capacity, channel=own)
            found = make(card, script, self.plan, Known(channel, uid, digest))
            assert found.outcome == "good", found
            self.done.append(card)

    def read(self) -> None:
        """Hold each to a gate."""
        for card in self.done:
            card.reset()
            assert gate.read(card, self.profile, self._answer).commands <= 6

    def renew(self) -> None:
        """Give each its next term."""
        for number, (card, record, keys) in enumerate(zip(self.done, self.records, self.keys, strict=True)):
            card.reset()
            assert apply(card, self.profile, activate(self.profile, number, record, UNTIL), keys).code == ""

    def _answer(self, purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        [key] = self.suite.diversify(master_key(purpose, version), [serial.factor(number)])
        return secure.answer(self.suite, key, challenge)


def spent(work: Callable[[], object]) -> float:
    """Median processor seconds of one run."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)
