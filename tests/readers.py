"""Plain functions around real PC/SC with virtual readers: a service of this process, cards laid down and taken."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from zhengka_reader.pcsc import PcscFault, Readers
from zhengka_reader.virtual import Chip, Inserted

SLOTS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
SOCKET = "PCSCLITE_CSOCK_NAME"
LOOKS = 0.5
NEEDED = {"/usr/sbin/pcscd": "pcscd", "/usr/lib/pcsc/drivers/serial/libifdvpcd.so": "vsmartcard-vpcd",
          "/usr/bin/opensc-tool": "opensc", "/usr/bin/scriptor": "pcsc-tools"}


class Room:
    """The service with two slots. One for a process: the client library keeps the place of its socket."""

    def __init__(self, folder: Path) -> None:
        for path, package in NEEDED.items():
            assert Path(path).exists(), f"{path} is missing: install Debian's {package} (bin/setup test)"
        self.folder = folder
        self._inside: list[Inserted] = []
        os.environ[SOCKET] = str(folder / "run" / "pcscd" / "pcscd.comm")
        self.begin()

    def begin(self, *, plugged: bool = True) -> None:
        """Start the service with its readers, or with none, and wait until it answers."""
        shutil.rmtree(self.folder / "run", ignore_errors=True)  # of a service that died: its socket, its number
        room = str(Path(__file__).parent / "pcsc_room.py")
        self._process = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable, room, str(self.folder),
             *([] if plugged else ["unplugged"])],
            stdin=subprocess.PIPE, text=True)
        wanted = list(SLOTS) if plugged else []
        until(lambda: self.answers(wanted) and (self.folder / "door").exists(), "the service answers", seconds=20)

    def service(self) -> int:
        """The service's process."""
        return int(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0])

    def crash(self) -> None:
        """The service dies, and its room with it; `begin` makes both anew."""
        self.kill()
        self.end()

    def kill(self) -> None:
        """The service dies; what lay in its slots still thinks that it lies there."""
        self._process.stdin.write("crash\n")
        self._process.stdin.flush()

    def unplug(self) -> None:
        """Both readers go, and all that was open to them: the service comes back without them. `plug` undoes it."""
        self.crash()
        self.begin(plugged=False)

    def plug(self) -> None:
        """The readers come back."""
        self.crash()
        self.begin()

    def mend(self) -> None:
        """Plug the readers in where a test that failed left them out: the next one needs them."""
        if self.names() != list(SLOTS):
            self.plug()

    def answers(self, names: list[str]) -> bool:
        """Whether the service answers, and with these readers."""
        try:
            with Readers() as readers:
                return readers.names() == names
        except PcscFault:
            return False

    def end(self) -> None:
        """Stop what was started here."""
        self.empty()
        self._process.stdin.close()
        self._process.wait(15)
        (self.folder / "door").unlink(missing_ok=True)

    def names(self) -> list[str]:
        try:
            with Readers() as readers:
                return readers.names()
        except PcscFault:
            return []

    def with_card(self) -> list[str]:
        with Readers() as readers:
            return readers.with_card()

    def occupied(self) -> list[str]:
        with Readers() as readers:
            return readers.occupied()

    def lay(self, card: Chip, slot: int = 0) -> Inserted:
        """Lay a card into a slot; it is seen there when this returns."""
        wire = self.wire(slot)
        inserted = Inserted(card, socket.socket(fileno=wire))
        self._inside.append(inserted)
        until(lambda: SLOTS[slot] in self.with_card(), "the card is seen")
        return inserted

    def wire(self, slot: int) -> int:
        """A connected socket of a slot, as a file number."""
        found: list[int] = []

        def connected() -> bool:
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(str(self.folder / "door"))
                door.send(bytes([slot]))
                found.extend(socket.recv_fds(door, 1, 1)[1])
            return bool(found)
        log = self.folder / "pcscd.log"
        until(connected, f"slot {slot} takes a card: {log.read_text()[-500:]}")
        return found[0]

    def empty(self) -> None:
        """Take every card away; none is seen when this returns. The service looks each 0.4 s, and one that a failed
        command told it of is not seen to go: the next card would be the same to it.
        """
        were = len(self._inside)
        for inserted in self._inside:
            inserted.remove()
        self._inside.clear()
        if were and self._process.poll() is None and self.names():
            if not self.occupied():
                time.sleep(LOOKS)
            until(lambda: not self.occupied(), "no card is seen any more")

    def program(self, *words: str, given: str = "", seconds: float = 20) -> str:
        """Run a program that we did not write on these readers; what it printed."""
        done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, timeout=seconds)
        assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
        return done.stdout + done.stderr


def until(holds: Callable[[], bool], what: str, *, seconds: float = 10) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} seconds: {what}"
        time.sleep(0.05)
