"""A chip card in software (软件卡), at the level of APDUs: it takes commands and keeps its memory whole.

The commands are those of ISO/IEC 7816-4 and 7816-9; keys are loaded and lines protected in the manner of PBOC, or
through a channel of GlobalPlatform. It knows no profile: like a blank chip from the maker it has memory, an identifier
and a transport key, and becomes what the script makes of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from zhengka.formats.apdu import OK, ApduBroken, Command, decode_command
from zhengka.formats.chip import image
from zhengka.formats.chip.commands import COMMANDS, IN_CHANNEL, KNOWN, WHEN_LOCKED, Refused, Run, Session, Work
from zhengka.formats.chip.commands.channel import unwrapped
from zhengka.formats.chip.memory import Memory, State
from zhengka.formats.chip.scp03 import Channel, KeySet
from zhengka.formats.suites import Suite

GET_UID: Final = bytes.fromhex("FFCA000000")
"""PC/SC part 3, 3.2.2.1.3: the reader's own question for the identifier of a contactless card."""

_HISTORY = b"ZHENGKA1"
_INITIALIZE = (0x80, 0x50)


def _atr() -> bytes:
    """Answer to reset of a contactless card seen through PC/SC: T=0 and T=1, eight bytes, check byte (7816-3, 8.2)."""
    body = bytes([0x80 | len(_HISTORY), 0x80, 0x01]) + _HISTORY
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes([check])


ATR: Final = _atr()


class PowerCut(ConnectionError):
    """The card lost its power before it could answer."""


class SoftCard:
    """One chip. `transmit` raises nothing but `PowerCut`: whatever else comes in, a status word comes out.

    Every command changes the memory in one assignment, or not at all. Where the card lies on disk, the new memory is
    there before the answer leaves; if that fails the answer is 6581 and the memory is the old one.
    """

    atr: Final = ATR

    def __init__(
        self, *, uid: bytes, kek: bytes, suite: Suite, capacity: int = 8192, channel: KeySet | None = None,
        rng: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """A blank chip: `capacity` in bytes, `kek` its transport key, `channel` the keys of its loading channel, which
        it then insists on.
        """
        self._memory = Memory(uid, suite.name, capacity, kek, channel=channel)
        self._session, self._rng = Session(), rng
        self._store: Callable[[Memory], None] | None = None
        self._writes_left: int | None = None

    def __repr__(self) -> str:
        """Identifier and state, never a key."""
        return f"<SoftCard {self.uid.hex()} {self.state}>"

    @property
    def uid(self) -> bytes:
        """The chip's own identifier."""
        return self._memory.uid

    @property
    def state(self) -> State:
        """Where the chip is in its life."""
        return self._memory.state

    @property
    def free(self) -> int:
        """Bytes of user memory that nothing takes."""
        return self._memory.free

    @property
    def memory(self) -> Memory:
        """All that the chip keeps, as a value: two that are equal are the same card in the same state."""
        return self._memory

    @classmethod
    def of(cls, memory: Memory, *, rng: Callable[[int], bytes] = os.urandom) -> "SoftCard":
        """The card with this memory, its power off until now."""
        card = cls.__new__(cls)
        card._memory, card._session, card._rng = memory, Session(), rng
        card._store, card._writes_left = None, None
        return card

    @classmethod
    def load(cls, path: Path, key: bytes, *, rng: Callable[[int], bytes] = os.urandom) -> "SoftCard":
        """The card that lies at `path`, sealed under a 16-byte key; it stays there and keeps every change.

        Raises `image.ImageBroken` and OSError.
        """
        card = cls.of(image.unseal(path.read_bytes(), key), rng=rng)
        card._store = lambda memory: image.write(path, memory, key)
        return card

    def save(self, path: Path, key: bytes) -> None:
        """Put the card at `path`, sealed under a 16-byte key, and from now on keep every change there. OSError."""
        image.write(path, self._memory, key)
        self._store = lambda memory: image.write(path, memory, key)

    def reset(self) -> bytes:
        """Power off and on: nothing is selected, nobody is proven, no channel is open. Returns the answer to reset."""
        self._session = Session()
        return self.atr

    def power_cut_after(self, writes: int) -> None:
        """For tests: let the power go at the write after so many. A write is each change that a command prepares, the
        moment before the new memory replaces the old one, and the moment after it, before the answer.
        """
        self._writes_left = writes

    def transmit(self, apdu: bytes) -> bytes:
        """Carry out one command; the answer ends in its status word."""
        if apdu == GET_UID:
            return self.uid + b"\x90\x00"
        try:
            command = decode_command(apdu)
        except ApduBroken:
            return b"\x67\x00"
        run = Run(self._memory, self._session, self._rng, self._write)
        data, sw, channel = b"", OK, None
        try:
            work, command, channel = _prepared(run, command)
            data, memory = work(run, command), run.memory
        except Refused as refused:
            sw, memory = refused.sw, refused.memory or self._memory
        self._session = run.session
        try:
            self._replace(memory)
        except PowerCut:
            raise
        except OSError:
            self.reset()
            return b"\x65\x81"
        return channel.wrap_answer(data, sw) if channel else data + sw.to_bytes(2)

    def _replace(self, memory: Memory) -> None:
        if memory is self._memory:
            return
        self._write()
        if self._store:
            self._store(memory)
        self._memory = memory
        self._write()

    def _write(self) -> None:
        if self._writes_left is None:
            return
        if self._writes_left:
            self._writes_left -= 1
            return
        self._writes_left = None
        self.reset()
        raise PowerCut("the power went")


def _prepared(run: Run, command: Command) -> tuple[Work, Command, Channel | None]:
    """What is to be done for a command, the command in clear, and the channel through which its answer goes back."""
    channel = run.session.channel
    run.session.inside = bool(channel) and command[:2] != _INITIALIZE
    if run.session.inside:
        command, table = unwrapped(run, command), IN_CHANNEL
    else:
        channel, table = None, COMMANDS
    work = table.get((command.cla, command.ins))
    if work is None:
        raise Refused(0x6E00 if command.ins in KNOWN else 0x6D00)
    if run.memory.state in _ENDED:
        raise Refused(_ENDED[run.memory.state])
    if run.locked and work not in WHEN_LOCKED:
        raise Refused(0x6985)
    return work, command, channel


_ENDED: Final[dict[State, int]] = {"blocked": 0x6983, "terminated": 0x6A81}
