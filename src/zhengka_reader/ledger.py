"""What was begun and what came of it, card by card, on disk before the chip is touched (I9, I10).

A card that was begun and of which nothing more is known is suspect: somebody finds it, counts it and destroys it. So is
one whose face was given to the printer and of which no more is known: a second job might print a second card.
"""

import json
import os
from pathlib import Path
from typing import Any

from zhengka.formats.apdu import Transport
from zhengka.formats.chip import ReadingPlan, Script
from zhengka.formats.chip.making import CODES, Known, Made, make
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.package import CardOrder
from zhengka.formats.results import CardResult, spell, unspell
from zhengka_reader.pcsc import Card, PcscFault

_BEGUN, _BLANK, _FACE = "begun", "blank", "face"
_DUE, _SENT = "due", "sent"
_UNSEEN = "the face was given to the printer, and nobody knows what came of it"


class Ledger:
    """One line for each beginning and each end; a repeat of a card that has ended gives what came of it."""

    def __init__(self, path: Path) -> None:
        self._path, self._begun = path, dict[str, tuple[bytes, bytes, int | None]]()
        self._ends: dict[str, CardResult] = {}
        self._faces: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for line in path.read_text().splitlines() if path.exists() else ():
            self._take(line)

    def result(self, serial: str) -> CardResult | None:
        """What came of a card; of one that was begun and not ended, that nobody knows what it holds."""
        if serial in self._ends:
            end = self._ends[serial]
            return end._replace(outcome="suspect", reason=_UNSEEN) if self._faces.get(serial) == _SENT else end
        if serial in self._begun:
            uid, atr, blank = self._begun[serial]
            return CardResult(serial, uid, atr, None, "suspect", CODES["cut"], blank=blank)
        return None

    def face_due(self, serial: str) -> bool:
        """True for a good card that is to be printed and was given to no printer yet."""
        return self._faces.get(serial) == _DUE

    def face_sent(self, serial: str) -> None:
        """The face is about to be given to the printer; `end` says what came of it."""
        self._write({"serial": serial, _FACE: _SENT})

    def make(self, card: Card, order: CardOrder, plan: ReadingPlan, channel: KeySet, *, face: bool = False,
             blank: int | None = None) -> Made:
        """Make a card on the chip that lies there, through its loading channel (`channel`: the masters), written down
        before and after; `face`: a good one is printed then; `blank`: the serial on the blank card, where it is told.
        A chip that is still blank after it stopped answering, or holds something already, leaves no trace: another chip
        may be taken.
        """
        atr, uid = card.atr, card.uid or bytes(4)
        self._write({"serial": order.serial, _BEGUN: uid.hex(), "atr": atr.hex()} | (
            {"blank": str(blank)} if blank is not None else {}))
        made = make(card, Script(order.serial, order.commands), plan, Known(channel), again=lambda: _again(card, uid))
        if made.outcome == _BLANK or (made.code == "not-blank" and made.at == 1):
            self._write({"serial": order.serial, _BLANK: True})
        else:
            end = CardResult(order.serial, made.uid or uid, atr, made.readback, made.outcome, made.reason,
                             blank=blank)
            self._write(spell(end) | ({_FACE: _DUE} if face and made.outcome == "good" else {}))
        return made

    def end(self, result: CardResult) -> None:
        """What came of a card; a later line corrects an earlier one (a face that was not printed)."""
        self._write(spell(result))

    def _write(self, data: dict[str, Any]) -> None:
        line = json.dumps(data)
        with self._path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(line)

    def _take(self, line: str) -> None:
        try:
            data = json.loads(line)
        except ValueError:  # the last line, if the power went while it was written: its card stays begun
            return
        serial = data["serial"]
        if _BEGUN in data:
            self._begun[serial] = (bytes.fromhex(data[_BEGUN]), bytes.fromhex(data["atr"]),
                                   int(data["blank"]) if "blank" in data else None)
        elif data.get(_BLANK) is True:  # in other lines it is the serial on the blank card
            self._begun.pop(serial, None)
        elif data.get(_FACE) == _SENT:
            self._faces[serial] = _SENT
        else:
            self._faces[serial] = data.get(_FACE, "")
            self._ends[serial] = unspell(data)


def _again(card: Card, uid: bytes) -> Transport:
    """The same chip once more. Another one that was laid down meanwhile says nothing of what this one holds."""
    card.reset()
    if (card.uid or bytes(4)) != uid:
        raise PcscFault("card-removed")
    return card
