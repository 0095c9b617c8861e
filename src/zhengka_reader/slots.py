"""Who is who where a PC has two reader slots: a card that was laid down, or a security module that stays (PSAM 卡).

A module is known by its application's name. Nothing is asked of a slot where there is only one, and of each card once
as long as it lies there; of a card that lies alone only where its answer to reset is a module's.
"""

from typing import Final

from zhengka.formats.chip import psam
from zhengka_reader.pcsc import Card, PcscFault, Readers

EMPTY: Final = "empty"
CARD: Final = "card"
MODULE: Final = "module"


class Slots:
    """What lies in which slot, as far as it was looked at."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def told(self, readers: Readers, *, ours: Card | None) -> dict[str, str]:
        """Each reader's name, and EMPTY, CARD or MODULE. `ours`: the card that we have open, which is not asked."""
        names, there = readers.names(), readers.with_card()
        self._known = {name: what for name, what in self._known.items() if name in there}
        if ours is not None:
            self._known[ours.reader] = CARD
        for name in there if len(names) > 1 else ():
            if name not in self._known and (what := _looked_at(readers, name, alone=len(there) == 1)):
                self._known[name] = what
        return {name: self._known.get(name, CARD) if name in there else EMPTY for name in names}


def _looked_at(readers: Readers, name: str, *, alone: bool) -> str:
    """CARD or MODULE; nothing where it does not answer now, or somebody else works with it."""
    try:
        with readers.connect(name) as card:
            if alone and card.atr != psam.ATR:
                return CARD
            return MODULE if card.transmit(psam.SELECT)[-2:] == b"\x90\x00" else CARD
    except PcscFault:
        return ""
