"""What may be done with keys: make the missing ones, sign, draw card keys, certify. Secrets stay in the store."""

from zhengka.keys.services.certificates import (
    certify,
    issue_certificate,
    make_authorities,
    revocation_list,
    revoke_certificate,
)
from zhengka.keys.services.working import (
    CARD_SLOTS,
    Signed,
    Signer,
    blank_card_key,
    card_keys,
    ensure,
    sign,
    signer,
    status_index_key,
    store,
)

__all__ = [
    "CARD_SLOTS",
    "Signed",
    "Signer",
    "blank_card_key",
    "card_keys",
    "certify",
    "ensure",
    "issue_certificate",
    "make_authorities",
    "revocation_list",
    "revoke_certificate",
    "sign",
    "signer",
    "status_index_key",
    "store",
]
