"""The outbox (发件箱): what people were told, what became of it, and what waits to be printed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.letters import queries, services
from zhengka.letters.models import Letter
from zhengka.letters.queries import Shown
from zhengka.letters.rules import LANGUAGES, SMS_UNITS, units
from zhengka.letters.senders import REASONS
from zhengka.letters.workflow import BY_HAND, LETTER
from zhengka.web.access import Request, act, request_key, requires
from zhengka.web.staff import history, missing
from zhengka.web.staff.letter_words import CHANNEL_WORDS, KIND_WORDS, SENDER_WORDS, SENT_LOOKS, look
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import Place, page_of
from zhengka.web.staff.words import FORM_WORDS, SUBJECT_WORDS, bilingual, moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

SHOWN = ("queued", "sending", "unknown", "failed", "sent", "delivered", "cancelled")
"""States in the order in which an officer looks for them."""
ACTS = {"send_again": services.send_again, "cancel": services.cancel, "deliver": services.mark_delivered,
        "come_back": services.come_back}
LOOKS = {"send_again": "primary", "cancel": "warning-quiet", "deliver": "secondary", "come_back": "secondary"}
SAID: dict[str, Text] = {
    "send_again": _("The letter goes out again."), "cancel": _("The letter is taken back."),
    "deliver": _("The letter has arrived."), "come_back": _("The letter has come back.")}
KEPT = timedelta(days=7)
"""Print runs younger than this are offered once more."""


@requires("letter.read")
def index(request: Request) -> HttpResponse:
    """Letters of one's area, the newest first, and what waits to be printed."""
    state = request.GET.get("state", "")
    table = missing.table(request) if state == missing.MISSING else _table(
        request, state if state in LETTER.states else "", request.GET.get("sender", ""))
    return render(request, "staff/letters/index.html", {
        "title": _("Letters"), "tiles": _tiles(request), "table": table, "waiting": _waiting(request),
        "runs": _runs(request)})


def _table(request: Request, state: str, sender: str) -> Table:
    """The letters in one state, and of those that are sent by one carrier; or all."""
    sender = sender if state == "sent" and sender in SENT_LOOKS else ""
    rows, pager = page_of(request, queries.outbox(actor=request.actor, state=state, sender=sender), newest=True)
    columns = [Column(_("Letter")), Column(_("Recipient")), Column(_("Way")), Column(_("About")), Column(_("Office")),
               Column(_("Written")), Column(_("State"))]
    caption = look(state, sender)[1] if state else _("All letters")
    return Table(caption, columns, [_row(letter) for letter in rows], pager=pager, empty=_("No letter is here."))


def _tiles(request: Request) -> list[Tile]:
    """How many letters are in each state, those that are sent by who carried them; and how many are missing."""
    counts = queries.counts(actor=request.actor)
    carried = queries.carried(actor=request.actor)
    tiles = [Tile(_("All"), sum(counts.values()), href="?")]
    if lacking := missing.number(request):
        tiles.append(Tile(missing.TITLE, lacking, href=f"?state={missing.MISSING}", tone=words.WAIT))
    for state in SHOWN:
        if state == "sent":
            tiles += [Tile(look(state, sender)[1], number, href=f"?state=sent&sender={sender}")
                      for sender, number in carried.items()]
        elif counts.get(state):
            tiles.append(Tile(words.look("letter", state)[1], counts[state], href=f"?state={state}",
                              tone=words.WAIT if state in ("failed", "unknown") else ""))
    return tiles


@requires("letter.read")
def letter(request: Request, pk: int) -> HttpResponse:
    """One letter: what it says, to whom in part, and what became of it."""
    row = queries.letter(pk, actor=request.actor)
    shown = queries.shown(row)
    return render(request, "staff/letters/letter.html", {
        "title": KIND_WORDS[row.template], "caption": CHANNEL_WORDS[row.channel], "letter": row, "shown": shown,
        "lang": LANGUAGES[row.language], "facts": _facts(row, shown), "buttons": _buttons(request, row),
        "downloads": FORM_WORDS.items() if row.channel != "sms" or row.whole else [],
        "missing": " ".join(shown.missing),
        "look": look(row.state, row.sender), "kept": (row.channel, row.sender) == ("sms", "store"),
        "problem": bilingual(REASONS[row.problem]) if row.problem else "",
        "units": (units(shown.words.paragraphs[0]), SMS_UNITS) if row.channel == "sms" else None,
        "events": history.of_row(request, row), "breadcrumbs": trail((_("Letters"), "staff:letters"))})


@requires("letter.send")
@require_POST
def step(request: Request, pk: int, action: str) -> HttpResponse:
    """Take one step with a letter."""
    row = queries.letter(pk, actor=request.actor)
    if action not in ACTS:
        raise Refusal("step-not-open", action=action)
    return act(request, lambda key: ACTS[action](row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:letter", args=[pk]), said=SAID[action])


@requires("letter.read")
@require_POST
def download(request: Request, pk: int, name: str) -> HttpResponse:
    """A letter in full as a file; who took it is written down first."""
    row = queries.letter(pk, actor=request.actor)
    with suppress(Replayed):
        services.read(row, name, by=request.actor, request_id=request_key(request), at=timezone.now())
    suffix, media = queries.FORMS[name]
    return _file(queries.as_file(row, name), f"letter-{pk}.{suffix}", media)


@requires("letter.send")
@require_POST
def print_(request: Request, name: str) -> HttpResponse:
    """All that waits for paper (or Braille) as one file: a PDF for window envelopes (or a BRF)."""
    key = request_key(request)
    return _printed(key, services.print_many(name, by=request.actor, request_id=key, at=timezone.now()))


@requires("letter.send")
@require_POST
def print_again(request: Request, run: UUID) -> HttpResponse:
    """An earlier print run once more."""
    return _printed(run, services.print_again(run, by=request.actor, request_id=request_key(request),
                                              at=timezone.now()))


def _printed(run: UUID, rows: list[Letter]) -> HttpResponse:
    suffix, media = queries.FORMS["brf" if rows[0].channel == "braille" else "pdf"]
    return _file(queries.printed(rows), f"letters-{run}.{suffix}", media)


def _file(data: bytes, name: str, media: str) -> HttpResponse:
    return HttpResponse(data, content_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _row(row: Letter) -> Row:
    tone, word = look(row.state, row.sender)
    return Row([Cell(KIND_WORDS[row.template], href=reverse("staff:letter", args=[row.pk])), queries.name_of(row),
                CHANNEL_WORDS[row.channel], Cell(SUBJECT_WORDS.get(row.subject, row.subject), note=str(row.subject_id)),
                area_name(row.area), moment(row.written_at), Cell(word, tone=tone)])


def _facts(row: Letter, shown: Shown) -> list[Fact]:
    about = f"{SUBJECT_WORDS.get(row.subject, row.subject)} {row.subject_id}"
    facts = [Fact(_("Recipient"), shown.name), Fact(_("About"), about), Fact(_("Office"), area_name(row.area)),
             Fact(_("Written"), moment(row.written_at)),
             Fact(SENT_LOOKS[row.sender][1] if row.sender in SENT_LOOKS else _("Sent"), moment(row.sent_at)),
             Fact(_("Carried by"), SENDER_WORDS.get(row.sender, "—")), Fact(_("Tries"), row.tries),
             Fact(_("Wording in force since"), row.template_from.isoformat())]
    if row.channel == "sms":
        facts.insert(1, Fact(_("Phone"), Cell(shown.phone, number=True)))
    if row.channel in BY_HAND:
        facts.insert(1, Fact(_("Address"), _("Given") if shown.has_address else "—"))
    if row.reference and row.sender != "store":
        facts.append(Fact(_("Reference"), Cell(row.reference, number=True)))
    if row.retry_at:
        facts.append(Fact(_("Tried again at"), moment(row.retry_at)))
    return facts


def section(request: Request, subjects: Sequence[tuple[str, int]], here: str) -> dict[str, Any] | None:
    """What a page shows of the letters about its rows (kind and id), with the way to each; `here`: its own address.
    None for who may see no letters.
    """
    if not request.actor.may("letter.read"):
        return None
    rows, pager = page_of(request, queries.of_subjects(subjects, actor=request.actor), newest=True, size=TOLD,
                          where=Place("letters", _("Pages of the letters"), here))
    columns = [Column(_("Letter")), Column(_("State"))]
    return {"table": Table(_("Letters"), columns, [_told(row) for row in rows], caption_hidden=True,
                           pager=pager if pager.next or pager.previous else None,
                           empty=_("Nobody was written to about this yet.")),
            "unwritten": [missing.line(one) for one in queries.unwritten(subjects, actor=request.actor)]}


TOLD = 10
"""Letters of a row that its page shows at once."""


def _told(row: Letter) -> Row:
    tone, word = look(row.state, row.sender)
    return Row([Cell(KIND_WORDS[row.template], href=reverse("staff:letter", args=[row.pk]),
                     note=f"{moment(row.written_at)} · {CHANNEL_WORDS[row.channel]}"), Cell(word, tone=tone)])


def _buttons(request: Request, row: Letter) -> list[dict[str, Any]]:
    return [{"url": reverse("staff:letter-step", args=[row.pk, one.action]), "label": _act_word(one.action),
             "kind": LOOKS[one.action]}
            for one in LETTER.open_to(row.state, request.actor.permissions) if one.action in ACTS]


def _act_word(action: str) -> Text:
    return _("Take back") if action == "cancel" else words.act(action)


def _waiting(request: Request) -> list[dict[str, Any]]:
    """What waits to be printed, for those who may print."""
    found = queries.waiting(actor=request.actor) if request.actor.may("letter.send") else {}
    return [{"word": CHANNEL_WORDS[channel], "number": found[channel],
             "url": reverse("staff:letters-print", args=[channel])} for channel in BY_HAND if found.get(channel)]


def _runs(request: Request) -> list[dict[str, Any]]:
    """The print runs of the last days, for those who may print."""
    if not request.actor.may("letter.send"):
        return []
    return [{"at": moment(run.at), "word": CHANNEL_WORDS[run.channel], "number": run.letters,
             "url": reverse("staff:letters-run", args=[run.number])}
            for run in queries.runs(actor=request.actor, since=timezone.now() - KEPT)]



urls = [
    path("letters/", index, name="letters"),
    path("letters/<int:pk>/", letter, name="letter"),
    path("letters/<int:pk>/file/<slug:name>", download, name="letter-file"),
    path("letters/<int:pk>/<slug:action>", step, name="letter-step"),
    path("letters/print/<slug:name>", print_, name="letters-print"),
    path("letters/runs/<uuid:run>", print_again, name="letters-run"),
]
