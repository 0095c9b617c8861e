"""What is done to cards (卡): ordered, numbered, handed over, activated, blocked, and told to every gate."""

from zhengka.cards.services.activation import Renewed, activate_by_use, claim_reminders, renew_many
from zhengka.cards.services.answering import AGAIN, IDENTIFY, LOOKS
from zhengka.cards.services.bundles import (
    ask_for_bundle,
    operator_folder,
    place_of,
    publish_bundles,
    publish_keys,
    write_part,
)
from zhengka.cards.services.chips import (
    ORDERING,
    ChipWork,
    ask_chip,
    chip_keys,
    chip_work,
    next_chip_order,
    one_time_pins,
    record_receipt,
)
from zhengka.cards.services.desk import (
    WRITE,
    Talk,
    carried,
    initialise_module,
    lacking,
    put_on,
    reader_of,
)
from zhengka.cards.services.destroying import condemn_many, destroy_many, spare_many
from zhengka.cards.services.gaps import leave_out
from zhengka.cards.services.gating import gate_plan
from zhengka.cards.services.groups import key_group, retire_key
from zhengka.cards.services.life import (
    activate,
    activate_many,
    cancel_all,
    cancel_many,
    freeze_all,
    hand_over,
    hand_over_many,
    move_all,
    report_found,
    report_lost,
    term_without_the_stop,
    unfreeze_all,
    withdraw,
    withdraw_all,
)
from zhengka.cards.services.losing import declare_lost_many, note_missing_many, propose_lost_many, turn_up_many
from zhengka.cards.services.matching import ask_match, match_alive
from zhengka.cards.services.modules import make_module, read_at_gate
from zhengka.cards.services.ordering import Numbered, allot, order, order_after, order_many, reorder, reorder_many
from zhengka.cards.services.portal import PORTAL, activate_by_portal, check_portal
from zhengka.cards.services.receipts import forget_receipts, take_receipts
from zhengka.cards.services.releasing import ask_release, keep_held, release
from zhengka.cards.services.reminding import remind, tell_ready
from zhengka.cards.services.status import ask_for, publish_status_lists
from zhengka.cards.services.stopping import ask_lift, keep_stopped, lift, not_stopped, stop_issuing
from zhengka.devices.workflow import GATE

__all__ = [
    "AGAIN",
    "GATE",
    "IDENTIFY",
    "LOOKS",
    "ORDERING",
    "PORTAL",
    "WRITE",
    "ChipWork",
    "Numbered",
    "Renewed",
    "Talk",
    "activate",
    "activate_by_portal",
    "activate_by_use",
    "activate_many",
    "allot",
    "ask_chip",
    "ask_for",
    "ask_for_bundle",
    "ask_lift",
    "ask_match",
    "ask_release",
    "cancel_all",
    "cancel_many",
    "carried",
    "check_portal",
    "chip_keys",
    "chip_work",
    "claim_reminders",
    "condemn_many",
    "declare_lost_many",
    "destroy_many",
    "forget_receipts",
    "freeze_all",
    "gate_plan",
    "hand_over",
    "hand_over_many",
    "initialise_module",
    "keep_held",
    "keep_stopped",
    "key_group",
    "lacking",
    "leave_out",
    "lift",
    "make_module",
    "match_alive",
    "move_all",
    "next_chip_order",
    "not_stopped",
    "note_missing_many",
    "one_time_pins",
    "operator_folder",
    "order",
    "order_after",
    "order_many",
    "place_of",
    "propose_lost_many",
    "publish_bundles",
    "publish_keys",
    "publish_status_lists",
    "put_on",
    "read_at_gate",
    "reader_of",
    "record_receipt",
    "release",
    "remind",
    "renew_many",
    "reorder",
    "reorder_many",
    "report_found",
    "report_lost",
    "retire_key",
    "spare_many",
    "stop_issuing",
    "take_receipts",
    "tell_ready",
    "term_without_the_stop",
    "turn_up_many",
    "unfreeze_all",
    "withdraw",
    "withdraw_all",
    "write_part",
]
