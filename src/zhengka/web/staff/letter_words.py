"""Words of letters for the officers' pages: kinds, ways, carriers, what became of one."""

from django.utils.translation import gettext_lazy as _

from zhengka.web.ui import words
from zhengka.web.ui.parts import Text

KIND_WORDS: dict[str, Text] = {
    "exchange-opened": _("Call to the exchange"),
    "acceptance": _("Application taken in"), "papers-missing": _("Papers missing"), "appointment": _("Appointment"),
    "appointment-missed": _("Appointment missed"), "appointment-called-off": _("Appointment called off"),
    "decision-approved": _("Application granted"), "decision-refused": _("Application refused"),
    "acceptance-undated": _("Application taken in, no day promised"), "departure-confirmed": _("Move agreed to"),
    "activation-ahead": _("Activation opens later"), "case-done": _("Case settled"),
    "ways-to-dispute": _("Ways to dispute"), "dispute-result": _("Result of a dispute: city"),
    "dispute-final": _("Result of a dispute: province"), "report-undone": _("Wrong report put right"),
    "restored": _("Certificate restored"), "assessment-again": _("Time for a new assessment"),
    "apply-again": _("May apply again"), "activation-lapsed": _("Activation lapsed"),
    "card-found": _("Card found"), "activation-reminder": _("Reminder to activate"),
    "card-ready": _("Card ready"), "card-waiting": _("Card not collected"), "card-blocked": _("Card blocked"),
    "freeze-warning": _("Warning before the freeze"),
    "lapse-warning": _("Warning before the end"), "generic": _("Other notice")}
"""Kind of letter → its words; a test holds it complete against `letters.rules.KINDS`."""

CHANNEL_WORDS: dict[str, Text] = {
    "sms": _("Short message"), "file": _("File for a screen reader"), "print": _("On paper"),
    "braille": _("In Braille")}
SENDER_WORDS: dict[str, Text] = {
    "store": _("Nobody: kept in the file store"), "folder": _("Folder for another system"),
    "provider": _("Provider of short messages"), "office": _("The office itself")}
"""Who carried a letter → the words; complete against `letters.models.SENDERS`."""
SENT_LOOKS: dict[str, words.Look] = {
    "store": (words.WAIT, _("Kept here, not sent")), "folder": (words.ACTIVE, _("Put into the folder")),
    "provider": (words.GOOD, _("Handed to the provider")), "office": (words.GOOD, _("Printed"))}
"""Who carried a letter → what that means for the person: a letter that was only put away has reached nobody."""

SLOT_WORDS: dict[str, Text] = {
    "name": _("the name"), "address": _("the address"), "reason": _("the reason"), "papers": _("the papers"),
    "place": _("the place"), "result": _("the result"), "office": _("the office"), "phone": _("the phone"),
    "number": _("the number"), "card": _("the card's number"), "time": _("the time"),
    "disability": _("the disability"), "matter": _("the matter"), "services": _("what stops"),
    "next": _("what is still to do"),
    "heading": _("the heading"), "body": _("the text"), "new_area": _("the new office"),
    "city_office": _("the city's office"), "province_office": _("the province's office")}
"""Part of a letter that may not fit → its words; complete against the texts among `letters.rules.SLOTS`."""


def look(state: str, sender: str) -> words.Look:
    """Tone and word of a letter's state: of one that is sent, as who carried it did."""
    return SENT_LOOKS.get(sender, words.look("letter", state)) if state == "sent" else words.look("letter", state)
