"""What a batch's page is made of: figures, progress, the cards that are held, what was found, what happened."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhengka.cards.queries import profile_title
from zhengka.core.errors import PROBLEMS
from zhengka.core.queries import EventFilter, events
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka.production.workflow import ERASED, FINDINGS, HOLDS, SET_ASIDE
from zhengka.web.access import Request
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import bilingual, moment, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Event, Fact, Row, Table, Text
from zhengka.web.ui.templatetags import ui

HOLD_WORDS: dict[str, Text] = {
    "photo-missing": _("There is no photo"), "photo-unreadable": _("The photo cannot be read"),
    "glyph-missing": _("No font has a character of the name"), "text-too-long": _("A text does not fit on the face"),
    "partner-number-missing": _("A partner's number is missing"),
    "certificate-not-valid": _("The certificate is not valid"), "card-cancelled": _("The card was cancelled"),
    "name-not-in-gbk": _("The card maker's code has no such character"),
    "chip-refused": _("The chip's data do not fit the card profile"), "batch-cancelled": _("The batch was cancelled"),
    "by-officer": _("An officer held it")}
"""Why a card is held, in the visitor's language; a test holds it complete against `production.workflow.HOLDS`."""

NEXT_WORDS: dict[str, Text] = {
    "photo-missing": _("Take or bring the photo, then release the card; or let it wait."),
    "photo-unreadable": _("Take the photo again, then release the card; or let it wait."),
    "glyph-missing": _("Install a font that has the character, or correct the name in its record."),
    "text-too-long": _("Shorten the name by the rule of the template, or let the card wait."),
    "partner-number-missing": _("Note the partner's number on the card's page, then release the card."),
    "certificate-not-valid": _("See to the certificate first; until then take the card out."),
    "card-cancelled": _("Nothing: the card was cancelled. Take it out."),
    "name-not-in-gbk": _("Take it out; put it into a batch for a card maker whose code has the character."),
    "chip-refused": _("Put right what the chip has no room for, or shorten the name."),
    "batch-cancelled": _("Nothing: the card waits for another batch."),
    "by-officer": _("Ask the officer who held it, and release it; or take it out.")}
"""What to do next about a held card; complete against `production.workflow.HOLDS`."""

DECISION_WORDS: dict[str, Text] = {
    "": _("Nothing is decided"), "released": _("Released"), "shortened": _("Name shortened, for the next batch"),
    "wait": _("Waits"), "out": _("Taken out of the batch")}
"""What was decided about a held card; complete against `production.workflow.DECISIONS`."""
DECIDE_WORDS: dict[str, Text] = {
    "shorten": _("Shorten the name"), "wait": _("Let it wait"), "out": _("Take it out of the batch")}

FINDING_WORDS: dict[str, Text] = {
    "card-missing": _("The card is not in the results"), "serial-twice": _("The serial is there twice"),
    "uid-twice": _("Another card has this chip"), "readback-differs": _("The chip reads back something else"),
    "not-ordered": _("The card was not ordered"), "card-ended": _("The card has ended and is to be destroyed"),
    "maker-unsure": _("The card maker does not know what the chip holds"),
    "keys-over": _("A key of the card was retired or revoked before it came"),
    "print-differs": _("The print is not this card's"), "photo-differs": _("The photo is not this holder's"),
    "qr-differs": _("The QR code is not this card's"),
    "record-differs": _("The record has changed since the card was prepared"),
    "not-looked-at": _("No camera has looked at the finished card"),
    "blank-unnamed": _("The card maker names no blank card for it"),
    "blank-twice": _("Its blank card is named for two cards"),
    "blank-used": _("Its blank card was used before"),
    "blank-elsewhere": _("Its blank card does not lie in the card maker's machine")}
"""What was found in results, in the visitor's language; complete against `production.workflow.FINDINGS`."""

ACT_WORDS: dict[str, Text] = {
    "open": _("Open the batch"), "cancel": _("Cancel the batch"), "close": _("Close the batch"),
    "pause": _("Pause"), "resume": _("Resume")}
"""Acts that other subjects have too, under another word."""

ERASED_WORDS: dict[str, Text] = {
    "package": _("Package"), "parts": _("List of its parts"), "proof": _("Proof sheet"),
    "members": _("Members not packed yet")}
"""What of a batch is erased on its day; complete against `production.workflow.ERASED`."""

SERIES = [_("Good"), _("Prepared"), _("Held"), _("Waiting"), _("Spoiled"), _("Under inquiry")]
SHOWN = 200
"""Most held cards or findings on one page; a batch with more has one cause, not many."""


def act_word(action: str) -> Text:
    """The word for an act on a batch."""
    return ACT_WORDS.get(action, words.act(action))


def facts(batch: Batch) -> list[Fact]:
    """What a batch is."""
    found = [Fact(_("Issuing unit"), area_name(batch.area)),
             Fact(_("Card profile"), bilingual(profile_title(batch.profile))),
             Fact(_("Card maker"), batch.maker.name),
             Fact(_("Opened"), moment(batch.opened_at)),
             Fact(_("Number of cards"), batch.ordered)]
    if ended := queries.ended(batch):
        found.append(Fact(_("Ended since they were prepared, to be destroyed when they come"), ended))
    if batch.manifest_digest:
        found.append(Fact(_("Package"), Cell(batch.package, number=True)))
        found.append(Fact(_("Digest of the manifest"), Cell(batch.manifest_digest[:32], number=True)))
    return [*found, *_days(batch)]


def late(batch: Batch) -> bool:
    """True where the card maker has not said in time that it has the package."""
    return batch.state == "sent" and not batch.acknowledged_at and bool(
        batch.acknowledge_by and batch.acknowledge_by < timezone.localdate())


def erased_table(batch: Batch) -> Table | None:
    """What of the batch's production data was erased here; nothing before its day."""
    rows = [Row([_word(ERASED_WORDS, ERASED, one.what), Cell(one.name, number=True, note=one.digest[:32]), one.size,
                 Cell(f"{timezone.localtime(one.at):%Y-%m-%d}", note=one.rule)])
            for one in queries.erasures(batch)[:SHOWN]]
    columns = [Column(_("Erased")), Column(_("File and digest")), Column(_("Bytes"), numeric=True),
               Column(_("Day and rule"))]
    return Table(_("Erased production data"), columns, rows, caption_hidden=True) if rows else None


def _days(batch: Batch) -> list[Fact]:
    """Days of a batch: of its receipts, and of the erasure of what was made for it."""
    found, maker = list[Fact](), batch.maker
    if maker.valid_until and batch.state not in ("closed", "cancelled"):
        found.append(Fact(_("The card maker's certificate ends"), f"{timezone.localtime(maker.valid_until):%Y-%m-%d}"))
    if maker.text_form:
        found.append(Fact(_("With the text form of older programs"), maker.text_form.upper()))
    if batch.acknowledged_at:
        found.append(Fact(_("The card maker has the package"),
                          moment(batch.acknowledged_at)))
    elif batch.state == "sent" and batch.acknowledge_by:
        found.append(Fact(_("Receipt due by"), f"{batch.acknowledge_by:%Y-%m-%d}"))
    if batch.erased_at:
        found.append(Fact(_("Production data erased"), moment(batch.erased_at)))
    elif batch.erase_on:
        found.append(Fact(_("Production data is erased on"), f"{batch.erase_on:%Y-%m-%d}"))
    return found


def blanks_table(batch: Batch) -> dict[str, Any] | None:
    """What became of the blank cards of a batch, as a chart with its figures, and whether they are as many as the cards
    that were made; nothing where the maker's are not in the ledger.
    """
    found = queries.blanks(batch, at=timezone.now())
    if found is None:
        return None
    rows = [(_("Good cards"), found.issued), (_("Spoiled with a card"), found.bad),
            (_("Spoiled beside the cards"), found.wasted), (_("Cards without a blank of their own"), found.bare)]
    return {"rows": rows, "closes": found.closes, "cards": found.good + found.bad + found.bare,
            "used": found.issued + found.spoiled, "bare": found.bare, "wasted": found.wasted}


def offered_blank(batch: Batch) -> dict[str, Any]:
    """What the reader's panel asks of the blank card where the maker's are counted: its serial; the next is offered."""
    if batch.machine_id is None:
        return {}
    return {"counted": True, "next_blank": queries.next_blank(batch) or ""}


def progress_of(batch: Batch) -> dict[str, Any] | None:
    """The progress bar of the preparation while it runs, nothing before and after."""
    if batch.state != "preparing":
        return None
    done = queries.progress(batch)
    sealing = done.chunks == done.of_chunks
    label = _("The package is being sealed") if sealing else _("Cards are being prepared")
    return ui.progress(done.cards, done.of_cards, label,
                       poll=reverse("staff:batch-progress", args=[batch.pk]), unit=_("cards"), finished=False)


def failed_by(batch: Batch) -> tuple[str, str] | None:
    """Why the preparation of a stalled batch failed, and what to do, where that has a name."""
    problem = PROBLEMS.get(batch.problem) if batch.state == "stalled" else None
    return problem_words(problem) if problem else None


def counts_chart(batch: Batch) -> list[tuple[str, list[int]]]:
    """In and out as one bar: every card of the batch is in exactly one piece; nothing before they are counted."""
    if batch.state in ("open", "preparing", "paused", "stalled"):
        return []
    made = batch.good + batch.spoiled + batch.suspect
    waiting = batch.ordered - batch.prepared - batch.held
    return [(batch.number, [batch.good, batch.prepared - made, batch.held, waiting, batch.spoiled, batch.suspect])]


def held_table(batch: Batch) -> list[dict[str, Any]]:
    """The held cards by reason, what to do next about each, and what can be decided."""
    found = queries.held(batch).select_related("card__area__parent", "card__certificate").order_by("reason", "position")
    return [{"name": item.card.holder.name, "href": reverse("staff:card", args=[item.card_id]),
             "reason": _reason(item.reason), "still": item.card.state == "held",
             "next": NEXT_WORDS.get(item.reason.partition(" ")[0], ""),
             "decision": DECISION_WORDS[item.decision], "decides": _decides(batch, item),
             "url": reverse("staff:batch-release", args=[batch.pk, item.card_id])} for item in found[:SHOWN]]


def _decides(batch: Batch, item: Item) -> list[tuple[str, Text]]:
    """Address and word of each decision that is open about a held card."""
    if batch.state != "prepared" or item.decision or item.card.state != "held":
        return []
    short = [("shorten", _("Print %(name)s") % {"name": name})] if (name := services.short_name(item.card)) else []
    return [(reverse("staff:batch-decide", args=[batch.pk, item.card_id, each]), word)
            for each, word in [*short, *((each, DECIDE_WORDS[each]) for each in SET_ASIDE)]]


def findings_table(batch: Batch) -> Table | None:
    """What was wrong in the card maker's results; nothing where nothing was."""
    rows = [Row([_word(FINDING_WORDS, FINDINGS, found.code), Cell(found.serial, number=True),
                 Cell(found.detail, number=True)]) for found in queries.findings(batch)[:SHOWN]]
    columns = [Column(_("Finding")), Column(_("Serial")), Column(_("Chip"))]
    return Table(_("Findings in the results"), columns, rows, caption_hidden=True) if rows else None


def history(request: Request, batch: Batch) -> list[Event]:
    """What happened to the batch, the newest first."""
    rows = events(EventFilter(subject=Batch.kind(), subject_id=batch.pk), actor=request.actor).order_by("-version")
    return [Event(row.at, act_word(row.action), by=row.actor_name) for row in rows]


def hold_words(reason: str) -> str:
    """The words for a hold and what it is about, such as the character that no font has; empty for another reason."""
    return _reason(reason) if reason.partition(" ")[0] in HOLDS else ""


def _reason(reason: str) -> str:
    code, _space, detail = reason.partition(" ")
    word = str(_word(HOLD_WORDS, HOLDS, code))
    return f"{word} · {detail}" if detail else word


def _word(table: dict[str, Text], official: dict[str, str], code: str) -> Text:
    """The official Chinese term for those who read Chinese, ours for the others."""
    return official.get(code, code) if (get_language() or "").startswith("zh") else table.get(code, code)
