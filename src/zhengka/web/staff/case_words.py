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

FROZEN_WORDS: dict[str, tuple[Word, Word]] = {
    "death-reported": (_("A death was reported"), _(
        "It ends at once where the report is undone as wrong, on the page of the case that believed it, or where two "
        "officers lift the freeze; a death that is confirmed ends the certificate.")),
    "under-inquiry": (_("An inquiry is under way"), _(
        "It ends where two officers lift the freeze: open a case for it.")),
    "left-behind": (_("The household register moved, and the certificate did not follow in time"), _(
        "It ends by itself when the certificate arrives at the new office, or where two officers lift the freeze; "
        "without either the certificate is cancelled on the day that the case of the move names.")),
    "left-the-area": (_("The holder left the area"), _(
        "It ends by itself when the certificate arrives at the new office, or where two officers lift the freeze.")),
}
"""Why a certificate is frozen → the reason, and what ends it; complete against `registry.workflow.FROZEN_FOR`."""

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
    "confirm": _("Photo and data are confirmed."), "close": _("The case is closed."),
    "precheck": _("The application is checked; the county accepts it next."),
    "return_papers": _("The person was asked for what is missing; the case waits for it."),
    "resubmit": _("What was missing is handed in; the case goes on."),
    "withdraw": _("The application is withdrawn; the case is closed."),
    "accept": _("The application is accepted."),
    "decline": _("The application was not accepted; the case is closed."),
    "request": _("The move is asked for."), "confirm_move": _("The day of the move is confirmed."),
    "verify": _("The report is verified."),
    "disprove": _("The report was found untrue; the case is closed, and everything holds as before."),
    "book": _("The assessment is booked."),
    "miss": _("It is written down that the person did not come; another day can be booked."),
    "call_off": _("The appointment is called off; another day can be booked."),
    "assess": _("The conclusion is kept."), "countersign": _("The second signature is kept."),
    "differ": _("It is written down that the doctors differ; the person is assessed again."),
    "fail": _("The case ended: the standard is not met."),
    "reassess": _("The person is to be assessed again."),
    "publish": _("The public notice is up."), "object": _("The objection is recorded; it is decided next."),
    "dismiss": _("The objection does not hold; the public notice stands for its full days anew."),
    "uphold": _("The objection holds; the person is to be assessed again."),
    "review": _("The case is reviewed."), "send_back": _("The case went back to the clerk."),
    "approve": _("The case is approved."), "send_back_to_review": _("The case went back to the reviewer."),
    "refuse": _("The case was not approved; it is closed."),
    "recheck": _("The city checked the case, and it stands."),
    "send_back_to_approval": _("The case went back to the approver."),
    "turn_back": _("The arrival was turned back."), "undo": _("All holds again as it was."),
}
"""What a step of an officer did, in one sentence; a test holds it complete against the workflow's tables."""
