"""Real PC/SC: one card made over pcscd and its virtual reader, against as many bare commands over the same reader.

The chip lives in a process of its own, as a real one does in its plastic; it is blank again after each power off.

There are two floors. A bare command is sent, its answer awaited, and then the next one is sent: the bar is held against
that. Bare commands that are handed over together, as a card's are, take less: that ratio is printed beside it. So is
the ratio of processor time, of our process, the chip's and the service's together: other work on the machine changes
it less than it changes the clock's.
"""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from measure import ROUNDS, Ratio, compared, seconds, tell

from made_cards import KEK, UID, blank_chip, make_keys, make_profile, make_records, whole_profile
from readers import SLOTS, Room, until
from zhengka.formats.chip import Profile, SoftCard, compile_whole, reading_plan
from zhengka.formats.chip.making import Known, make
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SUITES
from zhengka_reader.pcsc import card_on
from zhengka_reader.virtual import Inserted

MASTERS = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)
BARE = bytes.fromhex("0084000008")
"""GET CHALLENGE: the shortest command that the chip answers at every time."""
CHANNEL = 2
"""Commands that open the loading channel."""
BAR = 1.5
PROFILES = {"one": make_profile, "three": whole_profile}
"""By the number of applications."""


def main() -> None:
    """Print the ratios, whether the bar is met, and what bare commands take."""
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder))
        try:
            _one(room, "one", "SM", None)
            for applications in PROFILES:
                for suite in SUITES:
                    _one(room, applications, suite, MASTERS)
        finally:
            room.end()


def _one(room: Room, applications: str, suite: str, masters: KeySet | None) -> None:
    profile = PROFILES[applications](suite=suite)
    [record] = make_records(1)
    [script], [digest] = compile_whole(profile, [record], keys_by_slot=make_keys(profile, [record]), kek=KEK)
    plan, known = reading_plan(profile), Known(masters, UID, digest)
    commands = len(script.commands) + len(plan.steps) + 2 + (CHANNEL if masters else 0)
    chip = _apart(room, applications, suite, secured=masters is not None)
    with card_on(SLOTS[0]) as card:
        def ours() -> None:
            made = make(card, script, plan, known)
            assert made.outcome == "good", made

        def bare() -> None:
            for _ in range(commands):
                assert len(card.transmit(BARE)) in (2, 10)

        def at_once() -> None:
            assert len(list(card.transmit_each([(BARE, None)] * commands))) == commands

        pids, rounds = [os.getpid(), chip.pid, room.service()], []
        for _ in range(ROUNDS * 3):
            times = []
            for work in (ours, bare, at_once):
                card.reset()  # blank again, and outside the clock
                before = _processor(pids)
                taken = seconds(work)
                times.append((taken, _processor(pids) - before))
            rounds.append(times)
    chip.kill()
    chip.wait()
    until(lambda: not room.with_card(), "the chip is gone")
    way = "through the loading channel" if masters else "in clear"
    _tell(f"{suite}, {applications}: a card made over the reader, {way}, {commands} commands", rounds)


def _processor(pids: list[int]) -> float:
    """Processor seconds that these processes took until now."""
    threads = [thread for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _tell(title: str, rounds: list[list[tuple[float, float]]]) -> None:
    """What each took, the ratios, and whether the bar is met."""
    found, at_once = [compared([(each[0][0], each[floor][0]) for each in rounds]) for floor in (1, 2)]
    worked = compared([(each[0][1], each[1][1]) for each in rounds])
    tell(title, f"load {os.getloadavg()[0]:.1f}")
    tell("  the card, as many bare commands, and those handed over together",
         f"{found.ours * 1e3:.1f}, {found.floor * 1e3:.1f}, {at_once.floor * 1e3:.1f} ms")
    tell("  card ÷ bare commands", found, bar=f"≤ {BAR} ×: {_verdict(found)}")
    tell("  the same in processor time", worked, bar=f"≤ {BAR} ×: {_verdict(worked)}")
    tell("  card ÷ bare commands handed over together", at_once)


def _verdict(found: Ratio) -> str:
    if found.high <= BAR:
        return "met"
    return "NOT MET" if found.value > BAR else "met by the median, NOT by the whole interval"


def _apart(room: Room, applications: str, suite: str, *, secured: bool) -> subprocess.Popen:
    """A blank chip in a process of its own, laid into the first slot."""
    wire = room.wire(0)
    words = [applications, suite, "1" if secured else "0"]
    chip = subprocess.Popen([sys.executable, __file__, str(wire), *words], pass_fds=[wire])
    socket.socket(fileno=wire).close()
    until(lambda: SLOTS[0] in room.with_card(), "the chip is seen")
    return chip


class Refreshed:
    """A chip that is blank again after each power off."""

    def __init__(self, card: SoftCard) -> None:
        self._blank, self._card, self.atr = card.memory, card, card.atr

    def reset(self) -> bytes:
        self._card = SoftCard.of(self._blank)
        return self.atr

    def transmit(self, apdu: bytes) -> bytes:
        return self._card.transmit(apdu)


def serve(wire: int, profile: Profile, secured: bool) -> None:
    """The chip's process."""
    suite = profile.suite
    own = MASTERS.of_chip(SUITES[suite], UID) if secured else None
    Inserted(Refreshed(blank_chip(profile, channel=own)), socket.socket(fileno=wire)).wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]), PROFILES[sys.argv[2]](suite=sys.argv[3]), sys.argv[4] == "1")
