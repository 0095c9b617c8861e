"""Which blocks of cards gates are told at once, and which wait for two persons (I13). Pure: numbers in, names out.

A block that was made by mistake refuses people at every gate of a city the next morning, so a list that would newly
block very many cards in use waits. But a lost card is reported singly, and must not wait behind somebody else's mass
act. Blocks are therefore told apart by their cause: by which act, and by whom, each card was blocked.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final

FEWEST: Final = 500
PER_THOUSAND: Final = 5
WINDOW: Final = timedelta(hours=24)
"""In this time one cause blocks no more than `most_blocked` cards, in however many versions and lists it does."""


def most_blocked(active: int) -> int:
    """How many cards in use may be blocked newly without two persons' word, where so many are active."""
    return max(FEWEST, active * PER_THOUSAND // 1000)


def held_back(newly: Mapping[str, int], spent: Mapping[str, int], most: int) -> set[str]:
    """The causes whose blocks wait. `newly`: how many cards each would block by this version; `spent`: how many it
    blocked within the `WINDOW` before.

    First those that are too many by themselves; of the rest as many as fit together, the smallest first: what few
    people reported goes before what one act did to many.
    """
    held = {cause for cause, cards in newly.items() if spent.get(cause, 0) + cards > most}
    told = 0
    for cause in sorted(newly.keys() - held, key=lambda cause: (newly[cause], cause)):
        told += newly[cause]
        if told > most:
            held.add(cause)
    return held


def mark(cause: str) -> str:
    """A cause as versions of lists count it: nobody reads a person's number from it."""
    return sha256(cause.encode()).hexdigest()[:16]


def area_of(areas: Collection[int]) -> int:
    """The smallest area (12-digit code) in which all of these lie: province, city, county, street, or the nation, 0."""
    low, high = f"{min(areas):012d}", f"{max(areas):012d}"
    for end in (12, 9, 6, 4, 2):
        if low[:end] == high[:end]:
            return int(low[:end].ljust(12, "0"))
    return 0
