"""What a reader signed so far, as transports to the card and to the security module in a second slot (PSAM 卡), and the
answers that such a module gives there.
"""

from collections.abc import Iterator
from datetime import datetime

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import services as readers
from zhengka.devices.models import Reading
from zhengka.formats.apdu import Transport
from zhengka.formats.chip import Profile, gate
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.psam import MODULE_KEYS, Module, ModuleFault, Told
from zhengka.keys import queries as keys_known


class Wanted(Exception):
    """The talk wants an answer that the reader did not bring yet: of the card, or of its module."""

    def __init__(self, command: bytes, *, module: bool) -> None:
        self.command, self.module = command, module


class Signed:
    """What the reader has signed so far, as two `Transport`s: itself the card, `module` the security module."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._left = reading, iter(reading.exchanges)
        self.module: Transport = _Slot(reading, self._left, module=True)
        self._card = _Slot(reading, self._left, module=False)

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer; Wanted where there is none yet."""
        return self._card.transmit(apdu)


class _Slot:
    def __init__(self, reading: Reading, left: Iterator[list[str]], *, module: bool) -> None:
        self._reading, self._left, self._module = reading, left, module

    def transmit(self, apdu: bytes) -> bytes:
        for command, answer in self._left:
            if command != readers.as_kept(self._reading, apdu, module=self._module):
                raise CardRefused("unreadable")
            return bytes.fromhex(answer)
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
    area = int(told.region) * 10**6
    reads = {(purpose, key.number) for purpose in MODULE_KEYS for key in keys_known.reading(
        "card_master", area, profile.suite, slot=purpose, at=at)}

    def answer(purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        if (purpose, version) not in reads:
            raise KeyError(version)
        return asked(purpose, version, number, challenge)

    return answer
