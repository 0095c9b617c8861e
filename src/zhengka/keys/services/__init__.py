"""What may be done with keys: make the missing ones, sign, draw card keys, certify, and hold ceremonies over them.

Secrets stay in the store. What is done to a key's value (made, brought, taken out, replaced, destroyed) is a ceremony.
"""

from datetime import datetime

from zhengka.keys.services.carrying import carry_on, give_up, tidy
from zhengka.keys.services.ceremonies import (
    MOST_WRAPPED,
    NEVER_ROTATED,
    Wanted,
    cancel,
    end_forgotten,
    open_ceremony,
    try_again,
)
from zhengka.keys.services.certificates import (
    certify,
    issue_certificate,
    make_authorities,
    revocation_list,
    revoke_certificate,
)
from zhengka.keys.services.custody import Component, show_component, take_part
from zhengka.keys.services.opening import store
from zhengka.keys.services.tree import activate, derive, end_overlaps, retire
from zhengka.keys.services.working import (
    CARD_SLOTS,
    Signed,
    Signer,
    blank_card_key,
    card_keys,
    channel_keys,
    earlier_channel_keys,
    ensure,
    reading_keys,
    region_keys,
    sign,
    signer,
    status_index_key,
    transport_key,
    voucher_signer,
)

__all__ = [
    "CARD_SLOTS",
    "MOST_WRAPPED",
    "NEVER_ROTATED",
    "Component",
    "Signed",
    "Signer",
    "Wanted",
    "activate",
    "blank_card_key",
    "cancel",
    "card_keys",
    "carry_on",
    "certify",
    "channel_keys",
    "derive",
    "earlier_channel_keys",
    "end_forgotten",
    "end_overlaps",
    "ensure",
    "give_up",
    "issue_certificate",
    "make_authorities",
    "open_ceremony",
    "reading_keys",
    "region_keys",
    "retire",
    "revocation_list",
    "revoke_certificate",
    "run_clocks",
    "show_component",
    "sign",
    "signer",
    "status_index_key",
    "store",
    "take_part",
    "tidy",
    "transport_key",
    "try_again",
    "voucher_signer",
]


def run_clocks(*, at: datetime) -> tuple[int, int]:
    """What the calendar does by itself: how many versions it retired, how many ceremonies it cancelled."""
    return end_overlaps(at=at), end_forgotten(at=at)
