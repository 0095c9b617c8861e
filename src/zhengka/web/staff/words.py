"""Words of the officers' pages for values that are codes in the rows."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from zhengka.core.errors import Problem
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.papers.rules import PAPERS
from zhengka.registry import queries
from zhengka.web.ui import words

Word = str | Promise

ROLE_WORDS: dict[str, Word] = {
    "clerk": _("Clerk"), "reviewer": _("Reviewer"), "approver": _("Approver"), "producer": _("Card production"),
    "assessor": _("Assessing doctor"),
    "leader": _("Leader"), "system": _("System administrator"), "security": _("Security administrator"),
    "audit": _("Audit administrator"), "custodian": _("Key custodian"),
}
"""Role → its words; a test holds it complete against `accounts.roles`."""

PERMISSION_WORDS: dict[str, Word] = {
    "account.own": _("Log in, look after one's own account"),
    "holder.read": _("Find and see holders"), "import.run": _("Import files and photos"),
    "case.read": _("See cases"), "case.open": _("Open cases and the exchange"),
    "case.confirm": _("Accept applications, confirm photo and data"), "case.assess": _("Assess category and grade"),
    "case.review": _("Review cases"), "case.approve": _("Approve cases"),
    "card.read": _("See cards and status lists"), "card.order": _("Order cards anew"),
    "card.hand_over": _("Hand over cards"), "card.activate": _("Activate cards"),
    "card.suspend": _("Report cards lost, publish status lists"), "card.restore": _("Report cards found"),
    "batch.read": _("See batches"), "batch.make": _("Put cards into batches and prepare them"),
    "batch.send": _("Send batches to the card maker"), "batch.receive": _("Receive results of batches"),
    "letter.read": _("See letters"), "letter.send": _("Write, print and send letters"),
    "assessment.read": _("See assessments"), "assessment.plan": _("Open days of assessments and book them"),
    "assessment.designate": _("Enter institutions and license doctors"),
    "assessment.figures": _("See figures of institutions and doctors"),
    "plan.read": _("See plan and fact of the programme"), "system.read": _("See how the platform runs"),
    "officer.manage": _("Open and close accounts, ask for roles"), "officer.permit": _("Permit roles"),
    "device.read": _("See devices"), "device.use": _("Use card readers, pair them"),
    "stock.read": _("See blank cards and their ledger"),
    "stock.keep": _("Receive, move and count blank cards"),
    "stock.use": _("Write down blanks that were used or spoiled"),
    "stock.confirm": _("Confirm destruction and loss of blank cards"),
    "custody.read": _("See parcels of finished cards"),
    "custody.keep": _("Pack, take over and open parcels"),
    "custody.confirm": _("Confirm losses of cards, and destruction of old booklets"),
    "issuing.stop": _("Stop issuing at once"), "issuing.resume": _("Lift a stop of issuing, by two"),
    "list.release": _("Release mass blocks to gates, by two"),
    "device.manage": _("Enter, stop and retire devices"), "device.keys": _("Issue and bind security modules"),
    "gate.read": _("See gates, vouchers and statements"),
    "gate.manage": _("Enter where gates stand, cancel vouchers"),
    "settlement.make": _("Make statements of operators, and enter disputes"),
    "settlement.confirm": _("Close statements of operators, and decide disputes"),
    "key.manage": _("See and manage keys"), "key.custody": _("Hold components of keys"),
    "audit.read": _("Read the journal of events"),
    "partner.manage": _("Enter and stop programs of operators"),
    "partner.permit": _("Permit and shut out programs of operators"),
}
"""Permission → what it allows; a test holds it complete against `accounts.roles`."""

KEY_PURPOSE_WORDS: dict[str, Word] = {
    "authority": _("Signing certificates of keys"),
    "credential": _("Signing codes of cards"), "status": _("Signing status lists"), "batch": _("Signing packages"),
    "transcript": _("Signing transcripts of ceremonies"), "voucher": _("Signing vouchers and statements"),
    "transport": _("Transport key, to which others wrap keys for us"),
    "card_master": _("Master key of cards"), "blank_card": _("Transport key of blank cards"),
    "channel": _("Loading channel of blank cards"),
    "status_index": _("Places in status lists"),
}
"""Purpose of a key → its words; a test holds it complete against `keys.models`."""

KEY_SLOT_WORDS: dict[str, Word] = {
    "control": _("Master control"), "maintenance": _("Maintenance"), "reader": _("External authentication"),
    "internal": _("Internal authentication"), "application": _("Application control"), "purchase": _("Purchase"),
    "load": _("Loading money"), "tac": _("Transaction codes (TAC)"), "pin_unlock": _("PIN unlock"),
    "pin_reload": _("PIN reload"),
}
"""Purpose of a card's key → its words; complete against `keys.rules.CARD_KEYS`."""

KEY_LEVEL_WORDS: dict[str, Word] = {"nation": _("Nation"), "province": _("Province"), "city": _("Cities and units")}
"""Level of the key tree → its words."""

CEREMONY_WORDS: dict[str, Word] = {
    "generate": _("Generate a key"), "import": _("Bring a key in by components"), "rotate": _("Rotate a key"),
    "export": _("Export a key under a transport key"), "destroy": _("Destroy a key"),
    "recover": _("Recover a key from components"), "revoke": _("Revoke a key"),
    "retire": _("Retire a key on which cards depend"),
}
"""Kind of ceremony → its words; complete against `keys.models.KINDS`."""

ACCOUNT_WORDS: dict[str, Word] = {
    "stock": _("In stock"), "moving": _("On the way"), "machine": _("In machines"), "issued": _("Became cards"),
    "spoiled": _("Spoiled"), "destroyed": _("Destroyed"), "lost": _("Lost"),
}
"""Account of the ledger of blank cards → its words; a test holds it complete against `stock.workflow`."""

SLIP_WORDS: dict[str, Word] = {
    "receive": _("Received"), "ship": _("Sent to another store"), "load": _("Loaded into a machine"),
    "unload": _("Taken out of a machine"), "issue": _("Cards made"), "spoil": _("Blanks spoiled"),
    "destroy": _("Destruction"), "lose": _("Loss"), "find": _("Found again"),
}
"""Sort of slip → its words; complete against `stock.workflow.SLIPS`."""

DELIVERY_WORDS: dict[str, Word] = {
    "overdue": _("Overdue"), "late": _("Came late"), "short": _("Came short"), "over": _("Came over"),
}
"""How deliveries differ from an order of blank cards → its words; complete against `stock.models.Order.faults`."""

STORE_WORDS: dict[str, Word] = {"store": _("Store"), "machine": _("Machine")}
"""Kind of store → its words."""

SUBJECT_WORDS: dict[str, Word] = {
    "holder": _("Holder"), "certificate": _("Certificate"), "import": _("Import"), "case": _("Case"),
    "card": _("Card"), "batch": _("Batch"), "officer": _("Officer"), "gap": _("Card numbers"),
    "chip-order": _("Order for a chip"),
    "bulk-act": _("Bulk act"), "letter": _("Letter"), "paper": _("Paper"), "portrait": _("Photo"),
    "institution": _("Institution"), "licence": _("Licence"), "session": _("Assessment day"),
    "device": _("Device"), "psam": _("Security module"),
    "cover": _("Cover"), "delegation": _("Delegation"),
    "appointment": _("Appointment"), "assessment": _("Assessment"), "conflict": _("Conflict of interest"),
    "key": _("Key version"), "key-ceremony": _("Key ceremony"),
    "issuing-stop": _("Stop of issuing"), "list-hold": _("Blocks held back"),
    "store": _("Store of blank cards"), "slip": _("Slip for blank cards"), "count": _("Physical count"),
    "blank-order": _("Order of blank cards"),
    "parcel": _("Parcel of cards"), "custody": _("Custody of a card"), "custody-case": _("Custody case"),
    "partner": _("Program of an operator"), "webhook": _("Webhook"),
    "post": _("Post of a gate"), "voucher": _("Voucher"), "statement": _("Statement of an operator"),
    "dispute": _("Dispute of an event"),
    "booklet": _("Old booklet"), "pulping": _("Destruction of old booklets"),
}
"""Kind of an event's subject → its word."""

CHANNEL_WORDS: dict[str, Word] = {
    "counter": _("At the counter"), "home-visit": _("Visit at home"), "video": _("Video call"),
    "portal": _("Online"), "data-match": _("Data match"), "use": _("Use of the card"),
}
"""Channel of an activation → its words; a test holds it complete against `cards.activation`."""

OUTLOOK_WORDS: dict[str, tuple[str, Word]] = {
    "never": (words.WAIT, _("Never activated")), "running": (words.GOOD, _("Activated")),
    "open": (words.GOOD, _("Activated; the next term is open")),
    "grace": (words.WAIT, _("Ended; in its days of grace")), "lapsed": (words.BAD, _("Lapsed")),
}
"""Where an activation stands → tone and words; complete against `cards.activation`, too."""

STOP_WORDS: dict[str, Word] = {"rides": _("free rides"), "subsidies": _("subsidies on the card")}
"""What a lapsed activation stops → its words."""

FACT_WORDS: dict[str, Word] = {
    "quantity": _("Blank cards"), "short": _("Missing"), "expected": _("By the ledger"), "found": _("Found"),
    "seal": _("Number of the seal"), "parcel": _("Parcel"), "days": _("Days"), "counted": _("Counted"),
    "booklets": _("Booklets"), "maker": _("Card maker"), "cards": _("Cards"),
    "reason": _("Reason"), "kind": _("Kind of case"), "ends": _("Last day"),
    "phase": _("Phase"), "purpose": _("Purpose"), "role": _("Role"), "rows": _("Rows"),
    "created": _("Created"), "merged": _("Merged"), "unchanged": _("Unchanged"), "refused": _("Refused"),
    "moved": _("Done with"), "left": _("Left alone"),
    "channel": _("Way"), "evidence": _("Record"), "until": _("Until"), "form": _("Form"),
    "serial": _("Card serial"), "outcome": _("Outcome"), "photos": _("Photos"),
    "paper": _("Kind of paper"), "pages": _("Pages"), "lent_by": _("By the right of"), "since": _("First day"),
    "source": _("Second source"), "reference": _("Number, or call"),
    "from_officer": _("From officer"), "to_officer": _("To officer"), "office": _("Office"),
    "due": _("Due"), "due_before": _("Due before"), "resumed": _("Goes on again"), "still_closed": _("Stays closed"),
    "label": _("Key version"), "check_value": _("Check value"), "seat": _("Seat"), "signed_by": _("Signed by"),
    "template": _("Letter"), "sender": _("Carried by"), "place": _("Place"), "uses": _("Uses"),
    "withdrawn": _("Cards of the old office withdrawn"),
    "lacking": _("Papers to follow"), "assumed": _("Holidays not published yet"),
}
"""Fact of an event → its word in a history; facts that are not named here are for the journal's machines only."""

BEGINNINGS: dict[tuple[str, str], Word] = {
    **{("slip", sort): word for sort, word in SLIP_WORDS.items()}, ("store", "open"): _("Store entered"),
    ("store", "feed"): _("Feeds a card maker"), ("blank-order", "order_blanks"): _("Order written"),
    ("blank-order", "approve_order"): _("Order approved"), ("blank-order", "decline"): _("Order not approved"),
    ("blank-order", "deliver"): _("Delivered"), ("blank-order", "complete"): _("All delivered"),
    ("blank-order", "end_order"): _("Order ended early"),
    ("slip", "arrive"): _("Shipment taken in"), ("slip", "confirm"): _("Confirmed"),
    ("slip", "arrive_short"): _("Shipment taken in, short"), ("slip", "arrive_more"): _("More of it came"),
    ("slip", "arrive_rest"): _("The rest came"), ("slip", "write_off"): _("What was missing is declared lost"),
    ("store", "close"): _("Store closed"),
    ("slip", "decline"): _("Not confirmed"), ("count", "count"): _("Counted"), ("count", "settle"): _("Settled"),
    ("post", "stand"): _("The gate stands there"), ("voucher", "issue"): _("Issued"),
    ("statement", "draft"): _("Drafted"), ("dispute", "dispute"): _("Disputed"),
    ("parcel", "seal"): _("Packed and sealed"), ("parcel", "arrive"): _("Taken over"),
    ("parcel", "lose"): _("Declared lost"), ("custody", "pack"): _("Put into a parcel"),
    ("custody", "take_in"): _("Taken into custody"), ("custody", "send_back"): _("Went back uncollected"),
    ("custody", "hand_over"): _("Handed over"), ("custody", "lose"): _("Declared lost"),
    ("custody", "withdraw"): _("The card ended"), ("custody-case", "raise"): _("Noticed"),
    ("custody-case", "decline"): _("Not confirmed"), ("booklet", "take_booklet"): _("Old booklet asked for"),
    ("booklet", "destroy"): _("Destroyed"), ("booklet", "miss"): _("Reported as missing"),
    ("booklet", "give_up"): _("Was not taken back"), ("pulping", "propose"): _("Destruction proposed"),
    ("pulping", "confirm"): _("Destroyed"), ("pulping", "decline"): _("Not confirmed"),
    ("holder", "register"): _("Registered"), ("certificate", "issue"): _("Certificate issued"),
    ("import", "receive"): _("File received"), ("case", "open"): _("Case opened"),
    ("card", "order"): _("Card ordered"), ("batch", "open"): _("Batch opened"),
    ("officer", "open"): _("Account opened"), ("officer", "install"): _("Installed at the machine itself"),
    ("officer", "appoint"): _("Another role asked for"),
    ("officer", "permit"): _("Role permitted"), ("officer", "refuse"): _("Role not permitted"),
    ("officer", "deactivate"): _("Account closed"), ("officer", "reactivate"): _("Asked to open the account again"),
    ("officer", "log_in"): _("Logged in"), ("officer", "log_out"): _("Logged out"),
    ("officer", "lock_out"): _("Locked for 15 minutes after wrong tries"),
    ("officer", "change_password"): _("Own password changed"),
    ("officer", "reset_password"): _("New first password given"),
    ("cover", "set_cover"): _("Cover set up"), ("delegation", "ask_to_lend"): _("Delegation asked for"),
    ("case", "take_on"): _("Taken on"), ("case", "give_back"): _("Given back"),
    ("chip-order", "ask"): _("Asked for by a reader"), ("chip-order", "apply"): _("The chip vouched for it"),
    ("chip-order", "supersede"): _("No longer wanted"),
    ("case", "ask"): _("Put on another desk"),
    ("device", "register"): _("Device entered"), ("device", "start"): _("Put to work"),
    ("psam", "issue"): _("Module issued"), ("psam", "recall"): _("Called back"),
    ("gap", "leave_out"): _("Numbers left out after a restore"),
    ("import", "take"): _("Rows taken in"), ("import", "refuse"): _("File refused"),
    ("import", "fetch"): _("Refused rows downloaded"),
    ("institution", "designate"): _("Designated"), ("licence", "license"): _("Licensed"),
    ("session", "open"): _("Day opened"), ("appointment", "book"): _("Booked"),
    ("appointment", "call_off"): _("Called off by the office"), ("appointment", "cancel"): _("Given back"),
    ("case", "call_off"): _("Appointment called off by the office"), ("assessment", "sign"): _("Signed by one doctor"),
    ("assessment", "read_in_full"): _("Form read"), ("conflict", "declare"): _("Conflict declared"),
    ("paper", "receive_paper"): _("Paper taken in"), ("portrait", "examine"): _("Photo checked"),
    ("portrait", "keep"): _("Photo kept"), ("portrait", "overrule"): _("Photo kept against the checks"),
    ("portrait", "replace"): _("Another photo was taken"),
    ("bulk-act", "ask"): _("Asked for"), ("bulk-act", "complete"): _("Carried out"),
    ("bulk-act", "refuse"): _("Stopped"),
    ("letter", "write"): _("Written"), ("letter", "cancel"): _("Taken back"), ("letter", "print"): _("Printed"),
    ("letter", "read"): _("Read in full"), ("letter", "fail"): _("Not sent"),
    ("partner", "ask"): _("Access asked for"), ("partner", "permit"): _("Access permitted"),
    ("partner", "stop"): _("Access stopped"), ("webhook", "subscribe"): _("Webhook entered"),
    ("key", "make"): _("Key made"), ("key", "activate"): _("Put to work"), ("key", "destroy"): _("Destroyed"),
    ("key", "supersede"): _("Replaced; goes on reading"), ("key", "retire"): _("Retired"),
    ("key", "revoke"): _("Revoked"),
    ("key-ceremony", "open"): _("Ceremony opened"), ("key-ceremony", "gather"): _("Custodians asked"),
    ("key-ceremony", "show"): _("A custodian saw their component"),
    ("key-ceremony", "print"): _("A custodian printed their sheet"),
    ("key-ceremony", "take_part"): _("A custodian did their part"),
    ("key-ceremony", "complete"): _("Enough custodians did their part"),
    ("key-ceremony", "cancel"): _("Ceremony cancelled"), ("key-ceremony", "sign"): _("Transcript signed"),
}
"""Events whose act has another word than the same act of other rows, or is no step of a workflow."""

PHASE_WORDS: dict[int, Word] = {1: _("Phase one"), 2: _("Phase two")}

PURPOSE_WORDS: dict[str, Word] = {
    "desk": _("The holder is at the desk"), "case": _("Deciding a case"), "correction": _("Correcting the record"),
    "complaint": _("Answering a complaint"), "inspection": _("An inspection from above"),
    "invitation": _("Inviting for the renewal"),
}
"""Purposes for which personal data is read in full; the code stands in the event."""

FORM_WORDS: dict[str, Word] = {
    "pdf": _("PDF to print"), "pdf-large": _("PDF in very large type"), "brf": _("Braille file (BRF)"),
    "html": _("Text for a screen reader")}
"""Form in which a letter can be had → its words; complete against `letters.queries.FORMS`."""

SEX_WORDS: dict[int, Word] = {1: _("Male"), 2: _("Female")}


def moment(at: datetime | None, *, seconds: bool = False) -> str:
    """A moment by the clock of China, to the minute or second; a dash for none."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M") if at else "—"


def event_word(subject: str, action: str) -> Word:
    """What happened, in words."""
    return BEGINNINGS.get((subject, action)) or words.act(action, subject)


def role_word(role: str) -> Word:
    """The words for a role."""
    return ROLE_WORDS.get(role, role)


def disability(category: int, grade: int) -> str:
    """Category and grade as people say them: 肢体二级; Physical, grade 2."""
    kind, level = CATEGORIES[category], GRADES[grade]
    if (get_language() or "").startswith("zh"):
        return f"{kind.short}{level.zh}"
    return f"{kind.en}, {level.en.lower()}"


def masked(number: str) -> str:
    """A personal number with its middle hidden: enough to tell two people apart at a desk, not enough to use."""
    return queries.masked(number)


def problem_words(problem: Problem) -> tuple[str, str]:
    """A problem's title and what to do next, in the visitor's language."""
    if (get_language() or "").startswith("zh"):
        return problem.title_zh, problem.next_zh
    return problem.title, problem.next


def problem_line(problem: Problem, *met: str) -> str:
    """A problem in one line beside a form, in the visitor's language: what was refused, what was `met`, if anything,
    and what to do next, each a sentence of its own.
    """
    title, onward = problem_words(problem)
    return sentences(title, *met, onward)


def sentences(*parts: str) -> str:
    """The parts that are not empty as sentences one after another, in the visitor's language: 「。」 ends one in
    Chinese, a full stop and a space in English. What ends a sentence itself, such as a question mark, stays.
    """
    chinese = (get_language() or "").startswith("zh")
    ended = [part if part.endswith(ENDS) else part + ("。" if chinese else ".") for part in filter(None, parts)]
    return ("" if chinese else " ").join(ended)


ENDS = (".", "。", "!", "！", "?", "？", "…")
"""What ends a sentence."""


def bilingual(pair: tuple[str, str]) -> str:
    """The one of (Chinese, English) that the visitor reads: for words that stand in a room's own table."""
    return pair[0] if (get_language() or "").startswith("zh") else pair[1]


PAPER_WORDS: dict[str, Word] = {code: lazy(bilingual, str)(pair) for code, pair in PAPERS.items()}
"""Kind of paper → its name in the visitor's language."""


def unpublished(years: Sequence[int]) -> str:
    """What a day was counted without, beside the day; nothing where the holidays of its years are published."""
    return gettext("the holidays of %(years)s are not published yet; counted without them") % {
        "years": ", ".join(map(str, years))} if years else ""
