"""One card, asked command after command (与卡对话): what is made, read, ordered and looked at is made of this.

A talk counts what it asks, so that whoever ends it can say where. What the chip refuses, and what is no answer, ends it
by name; a card that is gone is the transport's OSError, for only who laid it down knows what that means.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from zhengka.formats.apdu import DONE, OK, ApduBroken, Command, Transport, decode_response, encode_command, exchange
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.layout import File
from zhengka.formats.chip.scp03 import ChannelRefused
from zhengka.formats.tlv import TlvBroken, decode, find

GONE: Final = 0x6A82
"""There is no such application or file."""

LOCKED: Final = 0x6283
"""The application is there, and blocked."""

_PIECE: Final = 224


class KeyTold(NamedTuple):
    """What a card tells of one of its keys: its version, and its algorithm (`secure.ALGORITHM`), 0 where it does not
    tell that.
    """

    version: int
    algorithm: int


class Ended(Exception):
    """The talk is over: `code` says why, `at` is the number of the command, `sw` what the chip said if it said no.

    `refused`: the chip said no; `garbled`: it answered what is no answer; or a `ChannelRefused.code`.
    """

    def __init__(self, code: str, at: int = 0, sw: int = OK) -> None:
        super().__init__(code)
        self.code, self.at, self.sw = code, at, sw


class Talk:
    """One card on a reader, and how many commands it was asked."""

    def __init__(self, card: Transport) -> None:
        self._card, self.asked = card, 0

    def said(self, apdu: bytes) -> tuple[bytes, int]:
        """The answer to one command, data and status word, whatever that is. Ended: `garbled`; OSError."""
        return self._taken(lambda: self._card.transmit(apdu))

    def _judged(self, told: tuple[bytes, int], *allowed: int) -> tuple[bytes, int]:
        if told[1] != OK and told[1] not in allowed:
            raise Ended("refused", self.asked, told[1])
        return told

    def _taken(self, answer: Callable[[], bytes]) -> tuple[bytes, int]:
        self.asked += 1
        try:
            return decode_response(answer())
        except ChannelRefused as refused:
            raise Ended(refused.code, self.asked) from None
        except ApduBroken:
            raise Ended("garbled", self.asked) from None

    def ask_each(self, apdus: Sequence[bytes]) -> None:
        """Ask command after command, each of which has nothing to tell; Ended and OSError as for `ask`."""
        answers = exchange(self._card, [(apdu, DONE) for apdu in apdus])
        for _ in apdus:
            self._judged(self._taken(lambda: next(answers)))

    def ask(self, apdu: bytes, *allowed: int) -> tuple[bytes, int]:
        """The same, where another status word than 9000 and the allowed ones ends the talk as `refused`."""
        return self._judged(self.said(apdu), *allowed)

    def challenge(self) -> bytes:
        """A challenge of the card, 8 bytes, good for its next command."""
        data, _ = self.ask(encode_command(Command(0x00, 0x84, 0, 0, b"", secure.CHALLENGE)))
        if len(data) != secure.CHALLENGE:
            raise Ended("garbled", self.asked)
        return data

    def versions(self) -> dict[int, int]:
        """Slot → version of each key of the selected application, as the card tells it."""
        return {slot: each.version for slot, each in self.keys().items()}

    def keys(self) -> dict[int, KeyTold]:
        """Slot → what the card tells of each key of the selected application."""
        data, _ = self.ask(asking.tell_keys())
        try:
            told = [item.value for item in decode(find(data, 0xE0)) if item.tag == 0xC0]
        except TlvBroken:
            raise Ended("garbled", self.asked) from None
        if any(len(each) < 2 for each in told):
            raise Ended("garbled", self.asked)
        return {each[0]: KeyTold(each[1], each[2] if len(each) > 2 else 0) for each in told}

    def state(self, challenge: bytes, places: Sequence[tuple[bytes, int]] = ()) -> tuple[int, bytes]:
        """Life-cycle state of the selected application and its MAC over that, its keys and some places."""
        data, _ = self.ask(asking.tell_state(challenge, places))
        if len(data) != 1 + secure.RECEIPT:
            raise Ended("garbled", self.asked)
        return data[0], data[1:]

    def read(self, file: File) -> bytes:
        """A transparent file's content, by its short identifier; in one command where it fits."""
        content, most = b"", file.size if file.size <= 256 else _PIECE
        while len(content) < file.size:
            size = min(most, file.size - len(content))
            data, _ = self.ask(asking.read_binary(file.sfi, offset=len(content), size=size))
            if len(data) != size:
                raise Ended("garbled", self.asked)
            content += data
        return content


def keys_in(fci: bytes) -> dict[int, KeyTold]:
    """What the answer to SELECT tells of an application's keys, by slot; nothing where it does not tell."""
    try:
        told = find(fci, 0x6F, secure.TELL_VERSIONS)
    except TlvBroken:
        return {}
    if len(told) % 3:
        return {}
    return {slot: KeyTold(*about) for slot, *about in zip(told[::3], told[1::3], told[2::3], strict=True)}
