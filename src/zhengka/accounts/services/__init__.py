"""What is done with officers' accounts: rights (`rights`) and passwords (`logins`)."""

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

__all__ = [
    "LOCKED_FOR",
    "TRIES",
    "Account",
    "actor_of",
    "appoint",
    "authenticate",
    "change_password",
    "deactivate",
    "enrol",
    "install",
    "log_in",
    "log_out",
    "note_lock_out",
    "open_account",
    "permit",
    "reactivate",
    "refuse",
    "reset_password",
]
