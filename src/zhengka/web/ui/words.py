"""The words and tones of states and acts. A state is never shown by colour alone: it is a word first."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUIET, ACTIVE, WAIT, GOOD, BAD = "quiet", "active", "wait", "good", "bad"
Look = tuple[str, str | Promise]

STATES: dict[str, dict[str, Look]] = {
    "holder": {
        "registered": (GOOD, _("Registered")),
        "closed": (QUIET, _("Closed")),
    },
    "certificate": {
        "valid": (GOOD, _("Valid")),
        "returned": (QUIET, _("Returned")),
        "replaced": (QUIET, _("Replaced")),
        "cancelled": (QUIET, _("Cancelled")),
    },
    "import": {
        "received": (ACTIVE, _("Received")),
        "done": (GOOD, _("Done")),
        "refused": (WAIT, _("Refused")),
    },
    "row": {
        "created": (GOOD, _("Created")),
        "merged": (ACTIVE, _("Merged")),
        "unchanged": (QUIET, _("Unchanged")),
        "refused": (WAIT, _("Refused")),
    },
    "case": {
        "notified": (WAIT, _("Notified")),
        "confirmed": (ACTIVE, _("Confirmed")),
        "reviewed": (ACTIVE, _("Reviewed")),
        "approved": (GOOD, _("Approved")),
        "ordered": (GOOD, _("Card ordered")),
        "closed": (QUIET, _("Closed")),
    },
    "card": {
        "ordered": (WAIT, _("Ordered")),
        "batched": (ACTIVE, _("In a batch")),
        "held": (WAIT, _("Held")),
        "prepared": (ACTIVE, _("Prepared")),
        "sent": (ACTIVE, _("At the card maker")),
        "ready": (ACTIVE, _("Ready for collection")),
        "issued": (WAIT, _("Handed over, not active")),
        "active": (GOOD, _("In use")),
        "suspended": (BAD, _("Reported lost")),
        "expired": (WAIT, _("Expired")),
        "cancelled": (QUIET, _("Cancelled")),
        "spoiled": (WAIT, _("Spoiled")),
        "suspect": (WAIT, _("Under inquiry")),
        "destroyed": (QUIET, _("Destroyed")),
    },
    "batch": {
        "open": (WAIT, _("Open")),
        "preparing": (ACTIVE, _("Being prepared")),
        "prepared": (ACTIVE, _("Prepared")),
        "sent": (ACTIVE, _("At the card maker")),
        "received": (ACTIVE, _("Results received")),
        "closed": (GOOD, _("Closed")),
        "cancelled": (QUIET, _("Cancelled")),
    },
    "item": {
        "waiting": (QUIET, _("Waiting")),
        "prepared": (ACTIVE, _("Prepared")),
        "held": (WAIT, _("Held")),
        "good": (GOOD, _("Good")),
        "spoiled": (WAIT, _("Spoiled")),
        "suspect": (WAIT, _("Under inquiry")),
    },
    "paper": {
        "received": (GOOD, _("Taken in")),
        "withdrawn": (QUIET, _("Withdrawn")),
    },
    "portrait": {
        "examined": (WAIT, _("Not kept")),
        "kept": (GOOD, _("Kept")),
        "replaced": (QUIET, _("Replaced")),
    },
    "gap": {
        "left_out": (QUIET, _("Left out")),
    },
    "officer": {
        "pending": (WAIT, _("Waiting for permission")),
        "active": (GOOD, _("Enabled")),
        "inactive": (QUIET, _("Disabled")),
    },
    "key": {
        "active": (GOOD, _("In use")),
        "retired": (QUIET, _("Retired")),
        "revoked": (BAD, _("Revoked")),
    },
    "bulk-act": {
        "waiting": (ACTIVE, _("Under way")),
        "done": (GOOD, _("Done")),
        "refused": (WAIT, _("Stopped")),
    },
}
"""Workflow (or kind of row) → state → tone and word. A test holds it complete against the workflow tables."""

ACTIONS: dict[str, str | Promise] = {
    "merge": _("Merge records"),
    "photograph": _("Take the photo"),
    "read_in_full": _("Read in full"),
    "read_paper": _("Read the paper"),
    "withdraw_paper": _("Withdraw the paper"),
    "keep": _("Keep the photo"),
    "overrule": _("Keep it against the checks"),
    "return": _("Take back the certificate"),
    "replace": _("Replace"),
    "take": _("Take in"),
    "refuse": _("Refuse"),
    "confirm": _("Confirm photo and data"),
    "close": _("Close"),
    "complete": _("Finish"),
    "review": _("Review"),
    "send_back": _("Send back"),
    "approve": _("Approve"),
    "send_back_to_review": _("Send back to review"),
    "order": _("Order the card"),
    "batch": _("Put into a batch"),
    "prepare": _("Prepare"),
    "hold": _("Hold"),
    "release": _("Release"),
    "finish": _("Seal the package"),
    "send": _("Send to the card maker"),
    "take_package": _("Download the package"),
    "take_proof": _("Download the proof sheet"),
    "receive": _("Receive results"),
    "accept": _("Accept"),
    "spoil": _("Mark as spoiled"),
    "suspect": _("Set aside for inquiry"),
    "hand_over": _("Hand over"),
    "activate": _("Activate"),
    "report_lost": _("Report lost"),
    "report_found": _("Report found"),
    "cancel": _("Cancel"),
    "supersede": _("Ended by a newer card"),
    "destroy": _("Destroy"),
    "open": _("Open"),
    "appoint": _("Ask for another role"),
    "permit": _("Permit"),
    "deactivate": _("Close the account"),
    "reactivate": _("Open the account again"),
    "reset_password": _("Give a new first password"),
    "change_password": _("Change the password"),
    "log_in": _("Log in"),
    "log_out": _("Log out"),
    "lock_out": _("Lock after wrong tries"),
    "install": _("Install at the machine itself"),
}
"""Action of a workflow step → the word on its button and in the history."""


def look(kind: str, state: str) -> Look:
    """Tone and word of `state` of a `kind`; an unknown one is shown as it is, in the quiet tone."""
    return STATES.get(kind, {}).get(state, (QUIET, state))


def act(action: str) -> str | Promise:
    """The word for an action; an unknown one is shown as it is."""
    return ACTIONS.get(action, action)
