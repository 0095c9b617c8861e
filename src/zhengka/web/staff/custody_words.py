"""Words for parcels of finished cards, what is amiss with them, and how cards are handed over."""

from django.utils.translation import gettext_lazy as _

from zhengka.web.ui.parts import Text

TROUBLE_WORDS: dict[str, Text] = {
    "card-missing": _("A card is missing"), "card-strange": _("A card that the list does not name"),
    "card-swapped": _("A card of another parcel"), "card-astray": _("A card where it should not be"),
    "seal-differs": _("The seal is another one"), "parcel-astray": _("A parcel where it should not be"),
    "parcel-late": _("A parcel stays too long"), "booklet-missing": _("An old booklet is missing")}
"""Sort of a custody case → its words; a test holds it complete against `custody.workflow.SORTS`."""

OUTCOME_WORDS: dict[str, Text] = {
    "": _("In the parcel"), "there": _("Was there"), "missing": _("Was missing"),
    "elsewhere": _("Turned up in another parcel")}
"""What became of a line of a parcel's list → its words."""

WAY_WORDS: dict[str, Text] = {
    "counter": _("The holder is here"), "home": _("Brought to the holder's home"),
    "agent": _("Somebody comes for them")}
"""Way of a hand-over → its words."""

PROOF_WORDS: dict[str, Text] = {
    "chip": _("Chip read, photo compared"), "signature": _("Signed on the screen"),
    "typed": _("Name typed and confirmed"), "list": _("Signed by hand on a list")}
"""Proof of a hand-over → its words."""

WHY_TYPED_WORDS: dict[str, Text] = {
    "hand": _("They cannot hold a pen"), "sight": _("They do not see the field"),
    "writing": _("They cannot write"), "screen": _("The field does not work here")}
"""Why a name is typed where a signature should be → its words."""

PLACE_WORDS: dict[str, Text] = {
    "plant": _("It lies at the card maker"), "parcel": _("It is in a parcel"), "office": _("It lies at another office"),
    "missing": _("It is missing"), "lost": _("It is lost"), "hand": _("It was handed over"),
    "gone": _("It is good for nothing any more"),
    "packed": _("It is in a parcel"), "waiting": _("It lies at another office"),
    "returned": _("It lies at another office")}
"""Where a card is by the records that was scanned at an office → words; of earlier cases, the state of its keeping."""

RELATION_WORDS: dict[str, Text] = {
    "guardian": _("Guardian"), "spouse": _("Husband or wife"), "parent": _("Father or mother"), "child": _("Child"),
    "sibling": _("Brother or sister"), "community": _("Village or community"), "other": _("Somebody else")}
"""Who an agent is to the holder → words."""

WHY_NOT_WORDS: dict[str, Text] = {
    "lost": _("It was lost"), "damaged": _("It fell to pieces"), "taken-before": _("It was taken back before"),
    "refused": _("The holder keeps it")}
"""Why an old booklet did not come back → words."""

BUCKET_WORDS: tuple[Text, ...] = (
    _("Under 7 days"), _("7 to 29 days"), _("30 to 59 days"), _("60 to 89 days"), _("90 days and more"))
"""The ages of cards that wait; as many as `custody.rules.BUCKETS` part."""
