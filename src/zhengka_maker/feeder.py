"""The feeder of the machine: blank cards are taken one after another, and each card says which it got (空白卡号)."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from zhengka.formats.results import MOST_WASTED, CardResult
from zhengka.formats.serials import Runs

_ACCIDENTS: Final = ("fed two at once", "bent in the feeder", "chip not found")


class Empty(ValueError):
    """The machine has no blank card left for the next card."""

    def __init__(self, serial: str) -> None:
        """Say for which."""
        super().__init__(f"no blank card is left for {serial}: load the machine")


def fed(cards: Iterable[CardResult], blanks: Runs, waste: float, seed: int) -> Iterator[CardResult]:
    """The cards with their blanks, in the order of the machine; as they are where no blanks are given. `waste`: the
    share of blanks that the feeder spoils, one card after another; which ones hangs on seed and serial alone. Empty.
    """
    if not blanks:
        yield from cards
        return
    left = (serial for first, last in blanks for serial in range(first, last + 1))
    for card in cards:
        wasted: list[tuple[int, str]] = []
        try:
            blank = next(left)
            while len(wasted) < MOST_WASTED and (why := _accident(blank, waste, seed)):
                wasted.append((blank, why))
                blank = next(left)
        except StopIteration:
            raise Empty(card.serial) from None
        yield card._replace(blank=blank, wasted=tuple(wasted))


def _accident(blank: int, waste: float, seed: int) -> str:
    """What the feeder did to a blank; empty for most."""
    luck = hashlib.sha256(f"{seed} feeder {blank}".encode()).digest()
    return _ACCIDENTS[luck[8] % len(_ACCIDENTS)] if int.from_bytes(luck[:8]) < waste * 2**64 else ""
