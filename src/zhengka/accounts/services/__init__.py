"""What is done with officers' accounts: rights (`rights`), passwords (`logins`), who stands in for whom
(`standing_in`).
"""

from zhengka.accounts.services.logins import (
    LOCKED_FOR,
    TRIES,
    authenticate,
    change_password,
    log_in,
    log_out,
    note_lock_out,
    reset_password,
)
from zhengka.accounts.services.rights import (
    Account,
    actor_of,
    appoint,
    deactivate,
    enrol,
    install,
    open_account,
    permit,
    reactivate,
    refuse,
)
from zhengka.accounts.services.standing_in import (
    Days,
    end_cover,
    lend,
    permit_lending,
    refuse_lending,
    revoke_lending,
    set_cover,
    take_back,
)

__all__ = [
    "LOCKED_FOR",
    "TRIES",
    "Account",
    "Days",
    "actor_of",
    "appoint",
    "authenticate",
    "change_password",
    "deactivate",
    "end_cover",
    "enrol",
    "install",
    "lend",
    "log_in",
    "log_out",
    "note_lock_out",
    "open_account",
    "permit",
    "permit_lending",
    "reactivate",
    "refuse",
    "refuse_lending",
    "reset_password",
    "revoke_lending",
    "set_cover",
    "take_back",
]
