"""What a reader signed so far, as transports to the card and to the security module in a second slot (PSAM 卡), and the
answers that such a module gives there.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import queries as devices
from zhengka.devices import services as readers
from zhengka.devices.models import Reading
from zhengka.devices.workflow import GATE
from zhengka.formats.apdu import Transport
from zhengka.formats.chip import Profile, gate, secure
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.psam import MODULE_KEYS, Module, ModuleFault, Told
from zhengka.formats.suites import SUITES
from zhengka.keys import queries as keys_known
from zhengka.keys import services as keys

IDENTIFY: Final = "identify"
AGAIN: Final = "identify-again"
"""The same, though the card refused us when it was asked last: an officer wants it tried once more."""
LOOKS: Final = (IDENTIFY, AGAIN)
PROVES: Final = (*LOOKS, GATE)
"""Purposes for which we prove a key to a card: one that refused it for one of them is asked for none."""


class Wanted(Exception):
    """The talk wants an answer that the reader did not bring yet: of the card, or of its module."""

    def __init__(self, command: bytes, *, module: bool) -> None:
        self.command, self.module = command, module


class Signed:
    """What the reader has signed so far, as two `Transport`s: itself the card, `module` the security module."""

    def __init__(self, reading: Reading) -> None:
        self.reading, left = reading, enumerate(reading.exchanges)
        self.module: Transport = _Slot(reading, left, module=True)
        self._card = _Slot(reading, left, module=False)

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer; Wanted where there is none yet."""
        return self._card.transmit(apdu)


class _Slot:
    def __init__(self, reading: Reading, left: Iterator[tuple[int, list[str]]], *, module: bool) -> None:
        self._reading, self._left, self._module = reading, left, module

    def transmit(self, apdu: bytes) -> bytes:
        for place, (command, answer) in self._left:
            if command != readers.as_kept(self._reading, apdu, module=self._module):
                raise CardRefused("unreadable")
            return readers.answer_of(self._reading, place, answer)
        raise Wanted(apdu, module=self._module)


class ChipModule:
    """The module in the second slot of a reading's reader: it counts its answers itself, and its count is taken over
    before the first of them and, by `end`, behind the last. ModuleFault for one that does not do what it is asked.

    It has the keys of its office's region alone, in the versions that there were when it was made. Of a card from
    another region, whose holder moved here or whose unit is below this office, it is asked nothing. A desk is online:
    for such a card, and for a version that the module lacks, `elsewhere` answers in its place.
    """

    def __init__(self, reading: Reading, wire: Signed, profile: Profile, elsewhere: gate.Answer, *, by: Actor,
                 at: datetime) -> None:
        self._reading, self._wire, self._profile, self._by, self._at = reading, wire, profile, by, at
        self._asked: Module | None = None
        self._answer: gate.Answer | None = None
        self._elsewhere = elsewhere

    def __call__(self, purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        """See `gate.Answer`. `Refusal`: `psam-missing` for another module than this reader's, `psam-behind`."""
        if self._answer is None:
            self._asked = Module(self._wire.module, self._profile)
            told = self._asked.told()
            self._admit(told)
            here = reading_now(self._asked, told, self._profile, self._at)
            self._answer = here if number.startswith(told.region) else self._elsewhere
        try:
            return self._answer(purpose, version, number, challenge)
        except KeyError:
            return self._elsewhere(purpose, version, number, challenge)
        except CardRefused:  # of another region than the one that it tells
            raise ModuleFault(0) from None

    def end(self) -> None:
        """Take over how many answers it has given by now."""
        if self._asked is not None:
            self._admit(self._asked.told())

    def _admit(self, told: Told) -> None:
        row = readers.admit(told.number, self._profile.suite, told.uses, by=self._by, at=self._at)
        if row.reader_id != self._reading.reader_id:
            raise Refusal("psam-missing")


def reading_now(asked: Module, told: Told, profile: Profile, at: datetime) -> gate.Answer:
    """The module's answers, for the versions alone that still read: it may hold one whose overlap is over. Each purpose
    has a master of its own, and one may be rotated without the others.
    """
    return gate.only(asked, reads_now(int(told.region) * 10**6, profile.suite, at))


def reads_now(area: int, suite: str, at: datetime) -> set[tuple[str, int]]:
    """Purpose and version of every key by which cards of an area are read now."""
    return {(purpose, key.number) for purpose in MODULE_KEYS for key in keys_known.reading(
        "card_master", area, suite, slot=purpose, at=at)}


def stored(reading: Reading, suite: str, at: datetime) -> gate.Answer:
    """The key store's answers for a reader whose module works: each reading counts once, before the first one is made.
    It answers with the version that the card has, as long as that reads: a card's key is drawn for this answer and kept
    nowhere. What the card says of its region may be a lie.
    """
    def answer(purpose: str, version: int, serial: str, challenge: bytes) -> bytes:
        readers.count_use(reading, suite, at=at)
        read = keys.reading_keys(serial[:6], suite, purpose, serial, at=at)
        return secure.answer(SUITES[suite], read[version], challenge)
    return answer


def prove(wire: Signed, shown: gate.Shown, profile: Profile, needed: Sequence[str], *, by: Actor,
          at: datetime) -> dict[str, Any]:
    """Card and reader prove themselves to each other, and the fields that are needed are read: by the chip in the
    second slot where one is bound to this reader, by the key store otherwise. The card proves its key first, so what is
    none of ours loses no try. `Refusal` and CardRefused.
    """
    reading = wire.reading
    store = stored(reading, profile.suite, at)
    chip = (ChipModule(reading, wire, profile, store, by=by, at=at)
            if devices.has_chip_module(reading.reader_id, profile.suite) else None)
    read = gate.go_on(shown, profile, chip or store, needed=needed, random=challenges(reading), card_first=True)
    if chip:
        chip.end()
    return read.fields


def challenges(reading: Reading) -> Callable[[int], bytes]:
    """Our own challenges of a reading: by chance, and the same when its talk runs anew."""
    seed, number = bytes(reading.seed or b""), iter(range(256))
    return lambda size: hashlib.sha256(seed + bytes([next(number)])).digest()[:size]
