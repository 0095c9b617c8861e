"""What is done here: cards are checked, gates stand and log, vouchers are issued and redeemed, months are settled."""

from zhengka.gates.services.checking import GROUP, Answer, Face, check, renew_by_use
from zhengka.gates.services.claims import publish_claims
from zhengka.gates.services.keyring import ask_for_gate_keys, publish_gate_keys
from zhengka.gates.services.partnering import (
    Contested,
    Given,
    cancel_for,
    companion_for,
    dispute_for,
    issue_for,
    look_up_for,
    present_for,
    redeem_for,
    transfer_for,
)
from zhengka.gates.services.posts import Place, leave, stand, standing
from zhengka.gates.services.presenting import Presented, present_online
from zhengka.gates.services.quick import Told, verify
from zhengka.gates.services.settling import (
    agree,
    check_file,
    close,
    decide,
    discard,
    dispute,
    draft,
    months_before,
    send,
    tariff,
)
from zhengka.gates.services.signing import sign_own_events, sign_statement, sign_voucher
from zhengka.gates.services.storing import OWN, Found
from zhengka.gates.services.uploading import Merged, merge
from zhengka.gates.services.vouchers import (
    Wanted,
    cancel,
    companion,
    companion_at,
    expire,
    issue,
    redeem,
    redeem_signed,
    transfer,
)

__all__ = [
    "GROUP",
    "OWN",
    "Answer",
    "Contested",
    "Face",
    "Found",
    "Given",
    "Merged",
    "Place",
    "Presented",
    "Told",
    "Wanted",
    "agree",
    "ask_for_gate_keys",
    "cancel",
    "cancel_for",
    "check",
    "check_file",
    "close",
    "companion",
    "companion_at",
    "companion_for",
    "decide",
    "discard",
    "dispute",
    "dispute_for",
    "draft",
    "expire",
    "issue",
    "issue_for",
    "leave",
    "look_up_for",
    "merge",
    "months_before",
    "present_for",
    "present_online",
    "publish_claims",
    "publish_gate_keys",
    "redeem",
    "redeem_for",
    "redeem_signed",
    "renew_by_use",
    "send",
    "sign_own_events",
    "sign_statement",
    "sign_voucher",
    "stand",
    "standing",
    "tariff",
    "transfer",
    "transfer_for",
    "verify",
]
