"""The words and tones of gates: where they stand, vouchers, statements of operators, disputes."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUIET, ACTIVE, WAIT, GOOD, BAD = "quiet", "active", "wait", "good", "bad"

STATES: dict[str, dict[str, tuple[str, str | Promise]]] = {
    "post": {"standing": (GOOD, _("Stands there")), "ended": (QUIET, _("Ended"))},
    "voucher": {
        "issued": (ACTIVE, _("Not used yet")), "redeemed": (GOOD, _("Used")), "cancelled": (QUIET, _("Cancelled")),
        "expired": (QUIET, _("Its time is over")),
    },
    "statement": {
        "draft": (WAIT, _("Draft")), "sent": (ACTIVE, _("Sent to the operator")), "disputed": (BAD, _("Disputed")),
        "agreed": (WAIT, _("Agreed, to be closed")), "closed": (GOOD, _("Closed")),
        "discarded": (QUIET, _("Thrown away")),
    },
    "dispute": {
        "open": (WAIT, _("To be decided")), "upheld": (BAD, _("Upheld: not paid")),
        "rejected": (QUIET, _("Rejected: stays paid")),
    },
}
"""Workflow → state → tone and word, as in `words.STATES`."""

ACTIONS: dict[str, str | Promise] = {
    "leave_post": _("End the post"),
    "redeem": _("Redeem"),
    "expire": _("Time over"),
    "find_redeemed": _("A use was told later"),
    "find_cancelled": _("A cancellation was told later"),
    "send_statement": _("Send to the operator"),
    "discard_statement": _("Throw the draft away"),
    "agree_statement": _("The operator agrees"),
    "dispute_statement": _("The operator disputes it"),
    "close_statement": _("Close the statement"),
    "uphold_dispute": _("Uphold: do not pay it"),
    "reject_dispute": _("Reject: pay it"),
}
"""Action of a step → its word, as in `words.ACTIONS`."""

OWN: dict[str, dict[str, str | Promise]] = {"voucher": {"cancel": _("Cancel the voucher")}}
"""Workflow → action whose word is another than that of the same action of other rows."""
