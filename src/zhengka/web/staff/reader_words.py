"""What a reader or a card on it says no by, in plain words with what to do next, and how readings end."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from zhengka.web.ui import words

NOT_THERE = "agent-missing"
"""The page's own: nobody answers on this PC."""
NOT_TAKEN = ("session-over", "not-taken")
"""The page's own: this site did not take what the reader made."""

NO_WORDS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    NOT_THERE: (_("No card reader program runs on this PC."), _("Start zhengka-reader here, then press the button.")),
    "session-over": (_("Your session is over: the site did not take what was sent."),
                     _("Sign in again and press the button once more. Nothing is made twice.")),
    "not-taken": (_("The site did not take what was sent."),
                  _("Press the button once more; if it stays so, call the technician. Nothing is made twice.")),
    "pcsc-missing": (_("The reader service of this PC does not run."), _("Start it, or call the technician.")),
    "no-reader": (_("No card reader is connected."), _("Plug one in.")),
    "reader-gone": (_("The card reader was unplugged."), _("Plug it in and lay the card down again.")),
    "no-card": (_("No card lies on the reader."), _("Lay the card down.")),
    "card-removed": (_("The card was taken away too early. Nothing is left half done."),
                     _("Lay it down again and leave it there.")),
    "card-mute": (_("The card does not answer."), _("Lay it down flat. If that does not help, the chip is broken.")),
    "card-in-use": (_("Another program works with the card."), _("Close it, or wait until it is done.")),
    "reader-fails": (_("The reader reports a fault."), _("Unplug it and plug it in again.")),
    "two-cards": (_("Cards lie on two readers."), _("Take one away.")),
    "no-module": (_("This reader's security module is a chip, and it is not in a second slot of this PC."),
                  _("Put it into its slot; the security administrator knows which it is.")),
    "psam-behind": (_("The security module counts fewer answers than are known of it: it is a copy."),
                    _("Take it out, and tell the security administrator.")),
    "another-card": (_("This is not the card with which the reading began."), _("Lay the right card down again.")),
    "not-blank": (_("The card on the reader is not a blank one."), _("Lay a blank card down.")),
    "not-paired": (_("The reader is not paired with this site."),
                   _("Open its page under Devices and pair it. One that was paired before is unpaired there first, by "
                     "the system administrator.")),
    "code-wrong": (_("The code was not typed in at the PC of the reader, or is another one."),
                   _("Type it in there and connect again.")),
    "not-trusted": (_("The reader does not know this site's batch key."),
                    _("Let the technician run zhengka-reader trust.")),
    "package-broken": (_("The package is not one for this reader, or is damaged."), _("Choose the right card maker.")),
    "one-card-only": (_("At the desk one card is made at a time."), _("Open a batch with one card.")),
    "no-printer": (_("The chip is made, and its face is not printed yet."),
                   _("Start zhengka-reader with its printer, then make the card again.")),
    "not-understood": (_("The reader does not understand this page."), _("Bring both to the same version.")),
    "garbled": (_("The answer of the reader or card is no answer."),
                _("Try again. If it stays so, use another reader.")),
    "wrong-signature": (_("The reading is not signed by this reader: it is not believed."),
                        _("Tell the security administrator; let the system administrator unpair the reader under "
                          "Devices, then pair it again.")),
    "overtime": (_("The reading took too long."), _("Lay the card down again.")),
    "not-our-card": (_("This is not a disability certificate card."), _("Lay the right card down.")),
    "locked": (_("The card's application is locked."), _("Find the holder by name; an active card can be unlocked.")),
    "gate-refused": (_("The card does not accept the keys of this reader's module."),
                     _("Tell the security administrator: the keys may be of another version.")),
    "tried-before": (_("This card did not accept our keys when it was last laid down. It was not asked again: that "
                       "costs it one of its tries."),
                     _("Tell the security administrator. To ask it once more all the same, press “Try this card once "
                       "more”.")),
    "reader-stopped": (_("This reader was stopped while it worked. Nothing that it says is believed."),
                       _("Use another reader, or ask the system administrator.")),
    "gate-blocked": (_("The card accepts no reader any more, after too many wrong tries."), _("Order another card.")),
    "not-authentic": (_("The card cannot prove its key: it is a copy, or its keys are not ours. It lost no try."),
                      _("Keep it, and tell the security administrator.")),
    "unreadable": (_("The card answers what its layout does not allow."), _("Keep it, and order another one.")),
    "another-chip": (_("The chip is not that of this card."), _("Keep the card, and tell the security administrator.")),
    "unknown-card": (_("No card of your area has this number."), _("Ask the office that is named on the card.")),
    "differs": (_("The chip and the record differ."), _("Keep the card, and tell the security administrator.")),
    "refused": (_("The chip refused what was to be written. It is as it was before."),
                _("Read the card again; if it stays so, order another one.")),
    "key-not-read": (_("The card's keys are of a version that is not read any more."), _("Order another card.")),
    "order-changed": (_("What was to be written to the chip has changed meanwhile."), _("Lay the card down again.")),
    "another-suite": (_("The card's keys are of another cipher than its record says."),
                      _("Keep the card, and tell the security administrator.")),
    "psam-missing": (_("No security module answers for this reader and the cipher of this card."),
                     _("Let the security administrator bind one to the reader.")),
    "key-missing": (_("The key that this card needs is not in the key store."),
                    _("Let the security administrator make or restore it.")),
    "key-not-yet": (_("The key that this card needs is not valid yet."),
                    _("Wait for its first day, or let the security administrator look.")),
    "key-retired": (_("The master key from which this card's keys come is retired: none of its versions reads."),
                    _("Tell the security administrator; the card is replaced.")),
    "profile-missing": (_("The layout of this card's chip is not among the data files."),
                        _("Let the operator put its profile back.")),
    "module-of-another-region": (
        _("The card is of another area than this reader's security module. Nothing speaks against the card."),
        _("Look at its printed code.")),
    "psam-failed": (_("The key store does not do what it is asked."), _("Let the security administrator look.")),
}
"""Code → what is the matter, and what to do next; a test holds it complete against the reader's and the rows' codes."""

DONE_WORDS: Mapping[str, str | Promise] = {
    "identify": _("The card is genuine: chip, code and record agree."),
    "identify-again": _("The card is genuine: chip, code and record agree."),
    "gate": _("The card is genuine: card and reader have proved themselves to each other."),
    "activate": _("The chip knows the new term."),
    "block": _("The chip is locked."),
    "unblock": _("The chip is unlocked."),
    "update": _("The chip knows the new data."),
    "upgrade": _("The chip has the new files and keys."),
    "pin": _("The PIN is unblocked. It is %(pin)s, and opens nothing before the holder has chosen another one. Show it "
             "to the holder alone; it is kept nowhere."),
}
"""Purpose of a reading that ended well → what to say."""

IN_PLACE_WORDS: Mapping[str, str | Promise] = {
    "report_lost": _("The card is blocked, and its chip is locked. Press f to undo it."),
    "report_found": _("The card is accepted again, and its chip is unlocked."),
}
"""Step of a card that was taken with one key on its holder's page → what to say when the chip knows it, too."""

RECORD_WORDS: Mapping[str, str | Promise] = {
    "report_lost": _("The card is blocked: every check refuses it from now on. Its chip does not know it yet."),
    "report_found": _("The card is accepted again. Its chip does not know it yet."),
}
"""The same, when the chip does not."""

CHIP_WORDS: Mapping[str, str | Promise] = {
    "activate": _("Write the term to the chip"), "block": _("Lock the chip"), "unblock": _("Unlock the chip"),
    "update": _("Write the new data to the chip"), "upgrade": _("Load new files and keys into the chip"),
    "pin": _("Unblock the PIN"),
}
"""Kind of an order for a chip → what it does; complete against `formats.chip.orders.KINDS`."""

ASK_WORDS: Mapping[str, str | Promise] = {
    "update": _("Ask for new data on the chip"), "upgrade": _("Ask for new files and keys on the chip"),
    "pin": _("Ask for the PIN to be unblocked"),
}
"""Kind of an order that an officer asks for → the button; complete against `cards.models.ASKED`."""

KIND_WORDS: Mapping[str, str | Promise] = {
    "reader": _("Card reader"), "printer": _("Card printer"), "gate": _("Gate")}
FORM_WORDS: Mapping[str, str | Promise] = {"software": _("In the key store"), "chip": _("Chip in the reader")}


def said(code: str) -> str:
    """Both sentences for a code."""
    what, then = NO_WORDS.get(code, NO_WORDS["not-understood"])
    return f"{what} {then}"


def health(outcome: str) -> tuple[str, str | Promise]:
    """Tone and words of how the last reading of a device ended."""
    if not outcome:
        return words.QUIET, _("Not used yet")
    if outcome in ("good", "printed"):
        return words.GOOD, _("Works well")
    if outcome == "not-printed":
        return words.BAD, _("The print system did not take its last job")
    return (words.BAD if outcome in ("reader-fails", "reader-gone", "wrong-signature") else words.WAIT,
            NO_WORDS[outcome][0])
