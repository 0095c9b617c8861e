"""A read-back station's half of the work (核对机), as far as software goes: what lies in a box of finished cards is
taken down card by card and signed with the reader's key. A real station has a feeder, a camera and a reader for it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from zhengka.formats.results import ResultsInfo, ResultWriter, claimed
from zhengka_reader import home as homes

_UNSEEN: Final = ("blank", "wasted")


def look(box: Path, home: Path, out: Path) -> int:
    """Take down the whole cards in a box and sign what was seen; how many. The same box gives the same file.

    The box is told as a card maker tells its cards, and is not believed for being signed: it is what is seen.
    """
    key = homes.private_key(home)
    with box.open("rb") as file:
        told = claimed(file)
    seen = UUID(bytes=key.public.key_id + told.result.bytes[8:], version=4)
    seen_cards = 0
    with ResultWriter(out, ResultsInfo(seen, told.batch, told.package), key) as writer:
        for card in _whole(box):
            writer.add_spelled(card)
            seen_cards += 1
    return seen_cards


def _whole(box: Path) -> Iterator[dict[str, Any]]:
    """The good cards, as anybody sees them: of which blanks they were made is not written on them."""
    with box.open() as lines:
        for line in lines:
            data = json.loads(line)
            if data.get("outcome") == "good":
                yield {name: value for name, value in data.items() if name not in _UNSEEN}
