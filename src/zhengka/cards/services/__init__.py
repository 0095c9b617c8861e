"""What is done to cards (卡): ordered, numbered, handed over, activated, blocked, and told to every gate."""

from zhengka.cards.services.activation import Renewed, activate_by_use, claim_reminders, renew_many
from zhengka.cards.services.gaps import leave_out
from zhengka.cards.services.life import (
    activate,
    activate_many,
    cancel_all,
    freeze_all,
    hand_over,
    hand_over_many,
    move_all,
    report_found,
    report_lost,
    term_without_the_stop,
    unfreeze_all,
    withdraw,
)
from zhengka.cards.services.matching import ask_match, match_alive
from zhengka.cards.services.ordering import Numbered, allot, order, order_after, order_many, reorder, reorder_many
from zhengka.cards.services.portal import PORTAL, activate_by_portal, check_portal
from zhengka.cards.services.reminding import remind, tell_ready
from zhengka.cards.services.status import ask_for, publish_keys, publish_status_lists

__all__ = [
    "PORTAL",
    "Numbered",
    "Renewed",
    "activate",
    "activate_by_portal",
    "activate_by_use",
    "activate_many",
    "allot",
    "ask_for",
    "ask_match",
    "cancel_all",
    "check_portal",
    "claim_reminders",
    "freeze_all",
    "hand_over",
    "hand_over_many",
    "leave_out",
    "match_alive",
    "move_all",
    "order",
    "order_after",
    "order_many",
    "publish_keys",
    "publish_status_lists",
    "remind",
    "renew_many",
    "reorder",
    "reorder_many",
    "report_found",
    "report_lost",
    "tell_ready",
    "term_without_the_stop",
    "unfreeze_all",
    "withdraw",
]
