"""What lies in the box when the cards are sent (装箱): card by card as it really is, whatever the signed results say.

For trials of whoever looks at the cards once more: what is planted here happened after the maker's own camera, so that
its results know nothing of it.
"""

import json
from pathlib import Path
from typing import Final

from zhengka.formats.results import spell, unspell
from zhengka_maker.making import exchanged

PLANTS: Final = ("chip-swapped", "qr-swapped", "print-swapped")


def pack(results: Path, out: Path, plants: tuple[str, ...]) -> None:
    """Write the cards of signed results as they lie in the box, with the swaps that were asked for: two neighbours for
    each, from the middle of the good cards on.
    """
    header, *lines = results.read_text().splitlines()
    cards = [unspell(data) for line in lines if "serial" in (data := json.loads(line))]
    good = [place for place, card in enumerate(cards) if card.outcome == "good"]
    middle = good[len(good) // 2:]
    for plant, place in zip(plants, range(0, len(middle) - 1, 2), strict=False):
        one, other = middle[place], middle[place + 1]
        cards[one], cards[other] = exchanged(cards[one], cards[other], plant)
    out.write_text("".join([header + "\n", *(json.dumps(spell(card)) + "\n" for card in cards)]))
