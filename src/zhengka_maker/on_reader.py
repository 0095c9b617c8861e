"""Cards made on a real reader (PC/SC), one after another: a person lays a blank chip down and takes the card away."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zhengka.formats.package import CardOrder, PackageReader
from zhengka.formats.results import CardResult, spell
from zhengka_reader.ledger import Ledger
from zhengka_reader.pcsc import CODES, PcscFault, Readers

_LOOK: Final = 1.0


class NoChip(ValueError):
    """Nobody laid a blank chip down in time; what was made is written down, and the next run goes on."""


class Bench:
    """The reader on which a package is made: its name as PC/SC has it (empty: the only one), and for how many seconds
    one waits for a person (0: for ever).
    """

    def __init__(self, name: str, patience: float) -> None:
        self._name, self._patience = name, patience

    def make_member(self, package: PackageReader, folder: Path, name: str) -> int:
        """Make the cards of one member and leave its part file; the number of cards."""
        member = next(each for each in package.members if each.name == name)
        ledger = Ledger(folder / "made" / f"{name}.jsonl")
        orders = list(package.orders(member))
        with Readers() as readers:
            lines = [json.dumps(spell(self._make(readers, ledger, order, package))) + "\n" for order in orders]
        temporary = folder / "parts" / f".{name}"
        temporary.write_text("".join(lines))
        temporary.replace(folder / "parts" / name)
        return len(lines)

    def _make(self, readers: Readers, ledger: Ledger, order: CardOrder, package: PackageReader) -> CardResult:
        if known := ledger.result(order.serial):
            return known
        for slot in self._laid_down(readers, order.serial):
            try:
                with readers.connect(slot) as card:
                    made = ledger.make(card, order, package.info.plan, package.channel)
            except PcscFault as fault:
                _say(f"{order.serial}: {fault}; lay down another chip")
                made = None
            result = ledger.result(order.serial)
            if result:
                _say(f"{order.serial}: {result.outcome} {result.reason}".rstrip() + "; take the card away")
                self._until(readers, taken=True)
                return result
            if made:
                _say(f"{order.serial}: {made.reason}; lay down a blank chip")
            self._until(readers, taken=True)
        raise NoChip("no chip was laid down")

    def _laid_down(self, readers: Readers, serial: str) -> Iterator[str]:
        """The slot of each chip that somebody lays down."""
        while True:
            _say(f"{serial}: lay a blank chip on the reader")
            yield self._until(readers, taken=False)

    def _until(self, readers: Readers, *, taken: bool) -> str:
        """Wait until the chip is taken away, or one lies there: then the name of its slot."""
        end = time.monotonic() + self._patience
        while True:
            there = [name for name in readers.with_card() if self._name in ("", name)]
            if taken and not there:
                return ""
            if not taken and len(there) == 1:
                return there[0]
            if self._patience and time.monotonic() > end:
                raise NoChip(CODES["no-card"] if not there else "the card was not taken away")
            readers.wait(_LOOK)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
