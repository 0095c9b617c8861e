"""The words of production: cards ordered, put into batches, made, looked at; issuing stopped and let go on."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS: dict[str, str | Promise] = {
    "order": _("Order the card"),
    "batch": _("Put into a batch"),
    "prepare": _("Prepare"),
    "hold": _("Hold"),
    "number": _("Note the numbers at partners"),
    "shorten": _("Shorten the name"),
    "decide": _("Decide about held cards"),
    "check": _("Card looked at"),
    "fail_check": _("A card differed"),
    "pass_check": _("Looked at: the cards are ready"),
    "hurry": _("Marked as urgent"),
    "unhurry": _("No longer urgent"),
    "pause": _("Pause"),
    "stop_issuing": _("Issuing stopped"),
    "ask_lift": _("Ask to lift the stop"),
    "keep_stopped": _("Keep it stopped"),
    "lift": _("Lift the stop"),
    "release": _("Release"),
    "hold_back": _("Blocks held back"),
    "hold_more": _("More blocks held back"),
    "ask_release": _("Ask to release them"),
    "keep_held": _("Do not release them"),
    "fall_away": _("Not blocked any more"),
    "finish": _("Seal the package"),
    "stall": _("Preparation failed"),
    "retry": _("Try again"),
    "give_up": _("Give up"),
    "set_aside": _("Set aside to be destroyed"),
    "send": _("Send to the card maker"),
    "take_package": _("Download the package"),
    "take_proof": _("Download the proof sheet"),
    "acknowledge": _("Take the card maker's receipt"),
    "receive": _("Receive results"),
    "accept": _("Accept"),
    "spoil": _("Mark as spoiled"),
    "suspect": _("Set aside for inquiry"),
}
"""Action → word, as in `words.ACTIONS`."""
