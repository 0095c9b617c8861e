"""The words and tones of custody: parcels of finished cards, each card in them, what is amiss, old booklets."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

QUIET, ACTIVE, WAIT, GOOD, BAD = "quiet", "active", "wait", "good", "bad"

STATES: dict[str, dict[str, tuple[str, str | Promise]]] = {
    "parcel": {
        "packed": (WAIT, _("At the card maker")), "moving": (ACTIVE, _("On the way")),
        "kept": (ACTIVE, _("At an office")), "unpacked": (GOOD, _("Opened and counted")), "lost": (BAD, _("Lost")),
    },
    "custody": {
        "packed": (ACTIVE, _("In a parcel")), "waiting": (WAIT, _("Waits for its holder")),
        "missing": (BAD, _("Missing")), "returned": (QUIET, _("Went back")), "collected": (GOOD, _("Handed over")),
        "lost": (BAD, _("Lost")), "withdrawn": (QUIET, _("Withdrawn")),
    },
    "custody-case": {
        "open": (BAD, _("Open")), "proposed": (WAIT, _("Waits for a second person")),
        "settled": (GOOD, _("Cleared up")), "lost": (QUIET, _("Declared lost")),
    },
    "booklet": {
        "held": (WAIT, _("Lies here")), "listed": (ACTIVE, _("To be destroyed")),
        "destroyed": (QUIET, _("Destroyed")), "absent": (BAD, _("Did not come back")), "missing": (BAD, _("Missing")),
    },
    "pulping": {
        "proposed": (WAIT, _("Waits for a second person")), "destroyed": (GOOD, _("Destroyed")),
        "declined": (QUIET, _("Declined")),
    },
}
"""Workflow → state → tone and word, as in `words.STATES`."""

ACTIONS: dict[str, str | Promise] = {
    "dispatch": _("Give to the carrier"),
    "unpack": _("Open and count"),
    "count": _("Was there when it was counted"),
    "divert": _("Turned up elsewhere"),
    "find": _("Found"),
    "pack": _("Put into a parcel"),
    "remind": _("Remind the holder"),
    "call_back": _("Waits for its holder again"),
    "settle": _("Clear up"),
    "propose_loss": _("Propose a loss"),
    "confirm_loss": _("Confirm the loss"),
    "list": _("Put on the list"),
    "strike": _("Take off the list"),
    "bring": _("Brought later"),
}
"""Action of a step → its word, as in `words.ACTIONS`."""

OWN: dict[str, dict[str, str | Promise]] = {
    "custody": {"send_back": _("Send the cards back"), "miss": _("Was not there when it was counted")},
    "booklet": {"miss": _("Is not here"), "give_up": _("Was not taken back")},
    "parcel": {"arrive": _("Take over")},
}
"""Workflow → action whose word is another than that of the same action of other rows."""
