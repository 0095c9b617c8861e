"""What the gate app says, for its script: the words of the core's answers are in the core itself."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

BIG: Mapping[str, Promise] = {
    "green": gettext_lazy("Let pass"), "red": gettext_lazy("Do not accept"), "amber": gettext_lazy("Please check"),
    "neutral": gettext_lazy("Usual fare")}
"""Colour of an answer → the large word under its sign. None of them tells of a holder."""


def buttons() -> dict[str, str]:
    """The buttons in the app's bar."""
    return {"camera": _("Camera"), "type": _("Type"), "tap": _("Tap"), "look": _("Look"), "settings": _("Settings")}


def texts() -> dict[str, Any]:
    """Every text that the script sets, in the language in force."""
    return {"big": {colour: str(word) for colour, word in BIG.items()}, "codes": _codes() | _tapped(), "ways": {
        "qr": _("scan the code"), "tap": _("hold the card to the reader"), "show": _("look at the card's face"),
        "number": _("type the number")}, "give": {
        "qr": _("Code on the screen"), "slip": _("Printed slip"), "count": _("Count only"),
        "each": _("One voucher for each person")}} | _screens() | _lines()


def _codes() -> dict[str, str]:
    """What a voucher is refused for, and what else only the app itself can meet."""
    return {
        "voucher-valid": _("The voucher is good, and is used up now."),
        "voucher-used": _("This voucher has been used already."),
        "voucher-cancelled": _("This voucher was cancelled."),
        "voucher-forged": _("This voucher was made by no gate of this operator, or was changed."),
        "voucher-not-yet": _("The voucher's time has not come yet."),
        "voucher-expired": _("The voucher's time is over."),
        "voucher-elsewhere": _("The voucher is for another place or service."),
        "voucher-online": _("A voucher's typed code needs the network. Scan the voucher instead."),
        "voucher-strange": _("This gate does not know who made this voucher. Only the site can say: bring this gate to "
                             "a network, or ask for the card."),
        "voucher-unknown": _("The site knows no such voucher."),
        "voucher-unsigned": _("This voucher was made by no gate of this operator, or was changed."),
        "quota-used": _("Without the network this gate may give this person no more of it: its share of the quota is "
                        "used up. Ask the site: let this gate reach the network, or send them to one that does."),
        "not-taken": _("The site takes no vouchers from this gate now; nothing speaks against this one. Ask the office "
                       "where this gate is to stand."),
        "asking": _("Asking the site …"),
        "no-camera": _("The camera cannot be used here. Allow it in the browser, or type the code."),
        "no-bundle": _("This gate has no list yet. Let it reach the network once."),
        "not-kept": _("The device could not keep the record: nothing was given. Make room on it and try again."),
        "site-away": _("The site cannot be reached.")}


def _tapped() -> dict[str, str]:
    """What the reader says of a card that is held to it, and of itself (`frontend/src/gate/app/tap.js`)."""
    return {
        "not-authentic": _("The chip could not prove that it is genuine: it is a copy."),
        "not-our-card": _("This is no disability certificate card."),
        "locked": _("The chip of this card is locked: it was reported lost or cancelled."),
        "another-suite": _("The chip's keys are of another kind than its card's."),
        "unreadable": _("The chip answers what no card of ours answers."),
        "gate-refused": _("The chip did not accept this gate's key. Scan the code."),
        "tried-before": _("The chip did not accept this gate's key before and was not asked again. Scan the code."),
        "gate-blocked": _("The chip accepts no reader any more, after too many wrong tries. Scan the code."),
        "module-unfit": _("This reader's security module cannot prove this card; nothing speaks against the card. "
                          "Scan the code."),
        "hold-again": _("The card was not read. Hold one card to the reader, and keep it there."),
        "no-reader": _("No reader that can prove a chip is connected to this device. Scan the code.")}


def _screens() -> dict[str, str]:
    return {
        "start": _("Press to begin"), "aim": _("Point the camera at the code"), "idle": _("Press to scan"),
        "next": _("Press for the next card"), "reading": _("Reading …"), "counted": _("Counted."),
        "choose": _("Choose what to give"), "given": _("The voucher is made."), "pairing": _("Connecting …"),
        "hold": _("Hold the card to the reader."), "again": _("Ask this card once more"), "try": _("Or: {ways}."),
        "paired": _("This device is a gate now."),
        "lost": _("This gate was reported lost or retired. Its key and everything that it held are wiped."),
        "registered": _("This gate was unpaired by its office. Its key and everything that it held are wiped."),
        "stopped": _("This gate was stopped by its office. It lets nobody pass until it is started again."),
        "unknown": _("The site does not know this device's key any more. Pair it again.")}


def _lines() -> dict[str, Any]:
    """The lines of the status bar."""
    return {
        "online": _("Online"), "offline": _("Offline"), "list-age": _("List {age} old"), "list-none": _("No list"),
        "waiting": _("{n} to send"), "minutes": _("{n} min"), "hours": _("{n} h"), "days": _("{n} d"),
        "too-old": _("The list is too old: cards are not let pass by it. Let this gate reach the network."),
        "clock": _("The clock of this device is wrong. Set it."), "until": _("Good until {time}"),
        "companions": _("With {n} companion(s)"), "alone": _("For one person"),
        "nth": _("Person {n} of {of}"), "faults": _faults()}


def _faults() -> dict[str, str]:
    """What can go wrong when this gate and the site meet: the warning of each, by name."""
    older = _("The site offered older lists than this gate has. They were refused, and what it has stays. Tell the "
              "office.")
    return {
        "bundle-rollback": older, "list-rollback": older,
        "bundle-mixed": _("The site's lists do not belong together. They were refused, and what this gate has stays."),
        "refused": _("What the site offered was refused ({code}), and what this gate has stays. Tell the office."),
        "not-sent": _("The site did not take the events of this gate. They stay here and are sent again."),
        "not-fetched": _("The site gave no lists. What this gate has stays."),
        "not-stored": _("This device could not keep what the site gave. Make room on it.")}
