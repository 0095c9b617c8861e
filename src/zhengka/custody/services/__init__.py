"""What is done with finished cards between the plant and a hand: packed, carried, counted, handed over, gone back."""

from zhengka.custody.services.alarms import check, note_scan
from zhengka.custody.services.booklets import (
    bring,
    confirm_pulping,
    decline_pulping,
    propose_pulping,
    report_missing,
)
from zhengka.custody.services.carrying import arrive, dispatch
from zhengka.custody.services.collecting import call_back_many, clear_out, remind, send_back_many
from zhengka.custody.services.counting import Difference, compare, count_waiting
from zhengka.custody.services.handing import (
    Agent,
    HandedHere,
    Proof,
    SignedList,
    hand_over,
    hand_over_many,
    has_booklet,
    signature_of,
)
from zhengka.custody.services.packing import Label, Seals, pack, pack_batch, take_in
from zhengka.custody.services.settling import confirm_loss, decline, propose_loss, settle
from zhengka.custody.services.unpacking import Opened, unpack

__all__ = [
    "Agent",
    "Difference",
    "HandedHere",
    "Label",
    "Opened",
    "Proof",
    "Seals",
    "SignedList",
    "arrive",
    "bring",
    "call_back_many",
    "check",
    "clear_out",
    "compare",
    "confirm_loss",
    "confirm_pulping",
    "count_waiting",
    "decline",
    "decline_pulping",
    "dispatch",
    "hand_over",
    "hand_over_many",
    "has_booklet",
    "note_scan",
    "pack",
    "pack_batch",
    "propose_loss",
    "propose_pulping",
    "remind",
    "report_missing",
    "send_back_many",
    "settle",
    "signature_of",
    "take_in",
    "unpack",
]
