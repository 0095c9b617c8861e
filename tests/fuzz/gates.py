"""What is fuzzed of gates: rulebooks, and whatever may be held to a gate. As in `targets`."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zhengka.formats import presenting, qr, rulebook, statuslist
from zhengka.formats.credential import KeySet
from zhengka.formats.presenting import AMBER, Bundle, Place, Scanned, Tapped, Typed
from zhengka.formats.rulebook import BadRulebook

_KNOWN = json.loads((Path(__file__).parents[1] / "vectors" / "presenting.json").read_text("utf-8"))
_FILES = {name: base64.b64decode(text) for name, text in _KNOWN["files"].items()}
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEYS = KeySet.from_json(_FILES["keys-fresh.json"])
LIST_FILE = _FILES["status-0.bin"]
LIST = statuslist.parse(LIST_FILE, keys=KEYS, at=AT)
BOOK = _FILES["rulebook-fresh.json"]
GATE = Bundle(KEYS, {0: LIST}, {}, rulebook.parse(BOOK), AT, timedelta(hours=72))
PLACE = Place("test-city", "north", "bus")
GOOD = bytes.fromhex(_KNOWN["every_bit"][0]["payload"])


def read_rulebook(data: bytes) -> None:
    """Rulebooks: what is read is written back alike, and its rules can be asked."""
    try:
        book = rulebook.parse(data)
    except BadRulebook:
        return
    assert book.to_json() == data
    for service in book.services:
        place = Place(book.operator, book.venues[0].id, service.id)
        shown = Scanned(qr.to_text(GOOD, "https://zk.example.cn"))
        presenting.present(shown, bundle=replace(GATE, rulebook=book), place=place, at=AT).to_dict()


def show_anything(data: bytes) -> None:
    """Whatever a gate reads, it answers; and only one payload of this shape is a good card."""
    text = data.decode("utf-8", "replace")
    for shown in (Scanned(text), Typed(text), Tapped({"credential": data}, True), Tapped({"credential": data}, False)):
        answer = presenting.present(shown, bundle=GATE, place=PLACE, at=AT)
        told = answer.to_dict()
        assert answer.colour in presenting.TONES and (answer.ok or not told["rule"])
        if isinstance(shown, Typed):
            assert answer.colour == AMBER
        assert not answer.ok or data == GOOD or isinstance(shown, Scanned)
    if data != GOOD and 0 < len(data) <= qr.LONGEST_PAYLOAD:
        found = presenting.present(Scanned(qr.to_text(data, "https://zk.example.cn")), bundle=GATE, place=PLACE, at=AT)
        assert not found.ok and not found.subject


TARGETS: dict[str, Callable[[bytes], None]] = {"rulebook": read_rulebook, "presenting": show_anything}
SEEDS: dict[str, list[bytes]] = {
    "rulebook": [BOOK, _FILES["rulebook-quiet.json"], b"{}", b""],
    "presenting": [GOOD, qr.to_text(GOOD, "https://zk.example.cn").encode(), b"4301020000000017", b"1" * 2000, b""],
}
