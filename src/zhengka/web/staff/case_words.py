"""Words of cases for the officers' pages: kinds, stages, offices, reasons, and what a step did."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Word = str | Promise

KIND_WORDS: dict[str, Word] = {
    "new": _("First application"), "exchange": _("Exchange of the certificate for a card"),
    "renewal": _("Renewal after ten years"), "damage": _("Damaged card"), "loss": _("Replacement after a loss"),
    "change": _("Change of category or grade"), "correction": _("Correction of name or ID number"),
    "transfer_out_city": _("Move away, within the city"), "transfer_out_province": _("Move away, within the province"),
    "transfer_out_nation": _("Move away, to another province"),
    "transfer_in_city": _("Arrival from the same city"), "transfer_in_province": _("Arrival from the same province"),
    "transfer_in_nation": _("Arrival from another province"),
    "cancellation": _("Cancellation: death or own wish"), "cancellation_unmet": _("Cancellation: standard not met"),
    "restoration": _("Restoration after a wrong cancellation"), "freeze": _("Freeze"), "unfreeze": _("Lift the freeze"),
    "dispute_city": _("Dispute before the city"), "dispute_province": _("Dispute before the province"),
}
"""Kind of case → its words; a test holds it complete against `cases.workflow.KINDS`."""

STAGE_WORDS: dict[str, Word] = {
    "invitation": _("Photo and data"), "application": _("Application"), "departure": _("Departure"),
    "verification": _("Verification"), "assessment": _("Assessment"), "notice": _("Public notice"),
    "decision": _("Decision"), "arrival": _("Arrival"), "card": _("Card"),
}
"""Stage of the line → its word."""

REASON_WORDS: dict[str, Word] = {
    "death": _("The holder has died"), "own-wish": _("The holder wishes it"),
    "death-reported": _("A death was reported"), "left-the-area": _("The holder left the area"),
    "under-inquiry": _("Under inquiry"),
}
"""Why a case is brought; a test holds it complete against `cases.services.REASONS`."""

SOURCE_WORDS: dict[str, Word] = {
    "hospital": _("List of a hospital"), "police": _("List of the police"), "funeral": _("List of the funeral service"),
    "village": _("The village or community"), "call": _("A telephone call"), "in-person": _("The holder was seen"),
}
"""Where a report was verified; a test holds it complete against `cases.services.SOURCES`."""

PERMISSION_WHO: dict[str, Word] = {
    "case.open": _("The clerk does this step."), "case.confirm": _("The clerk does this step."),
    "case.review": _("The reviewer does this step."), "case.approve": _("The approver does this step."),
    "case.assess": _("The assessing doctor does this step."),
    "case.clock": _("The platform does this step when its day has come."),
}
"""Permission of a step → who does it."""

STEP_SAID: dict[str, Word] = {
    "confirm": _("Photo and data are confirmed."), "review": _("The case is reviewed."),
    "approve": _("The case is approved."), "close": _("The case is closed."),
    "send_back": _("The case went back to the clerk."), "send_back_to_review": _("The case went back to the reviewer."),
    "accept": _("The application is accepted."), "publish": _("The public notice is up."),
    "verify": _("The report is verified."), "undo": _("All holds again as it was."),
    "book": _("The assessment is booked."), "assess": _("The conclusion is kept."),
}
"""What a step did, in one sentence; others are told by `OTHERWISE`."""

OTHERWISE: Word = _("The case went on.")
