"""Bulk acts (批量办理): asked for on the pages of their subjects, carried out by workers, seen here as they go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from zhengka.bulk import queries
from zhengka.bulk.models import Act
from zhengka.cases import queries as cases
from zhengka.core.errors import PROBLEMS
from zhengka.core.events import Replayed
from zhengka.registry.photos import FAULTS
from zhengka.web.access import Request, request_key, requires
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import bilingual, moment, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile
from zhengka.web.ui.templatetags import ui


@dataclass(frozen=True)
class Kind:
    """How a kind of act is spoken of: its title, what became of the rows that moved, what the rows are, the list that
    holds them, and whether it is done whole or not at all.
    """

    title: Text
    moved: Text
    rows: Text
    list: str
    whole: bool = False


KINDS: dict[str, Kind] = {
    "cases.open_exchange": Kind(_("Open the exchange"), _("Cases opened"), _("cases"), "cases"),
    "cases.invite_again": Kind(
        _("Invite those not yet written to"), _("Need no letter any more"), _("holders"), "letters"),
    "cases.confirm_all": Kind(_("Confirm all cases"), _("Confirmed"), _("cases"), "cases"),
    "cases.review_all": Kind(_("Review all cases"), _("Reviewed"), _("cases"), "cases"),
    "cases.approve_all": Kind(_("Approve all cases"), _("Approved, card ordered"), _("cases"), "cases"),
    "registry.take_photos": Kind(_("A pack of photos"), _("Photos kept"), _("photos"), "imports"),
    "cards.match_alive": Kind(_("Activate by a list of those alive"), _("Activated"), _("lines"), "activations"),
    "production.open_phase": Kind(_("Open the batches of a phase"), _("Batches opened"), _("units"), "batches"),
    "production.take_results": Kind(_("Results of the card maker"), _("Good"), _("cards"), "batches", whole=True),
    "production.take_looks": Kind(_("Cards that a station looked at"), _("Good"), _("cards"), "batches", whole=True),
}
"""Task → its words. A test holds it complete against the tasks that carry acts out."""

LISTS: dict[str, tuple[Text, str]] = {
    "cases": (_("To the cases"), "case.read"), "letters": (_("To the letters"), "letter.read"),
    "imports": (_("To the imports"), "import.run"),
    "batches": (_("To the batch"), "batch.read"), "activations": (_("To the yearly activation"), "card.read")}
"""List that holds the rows of an act → the words of the way there, and who may go it."""

LEFT_WORDS: Mapping[str, Text] = {
    "photo-known": _("The photo was there already"), "photo-stranger": _("Of nobody in this office"),
    "photo-unnamed": _("Not named by an ID number"), "match-unreadable": _("Neither an ID number nor a card's serial"),
    "match-stranger": _("Of nobody in this office"), "match-no-card": _("No card in use"),
    "match-twice": _("In the list twice"), "spoiled": _("Spoiled"), "suspect": _("Under inquiry"),
    "row-contradicts": _("Contradicts what is kept: open this case by itself")}
"""Why a row was left alone, besides the problems and the faults of photos."""


def begin(request: Request, ask: Callable[[UUID], Act], *, to: Callable[[int], str] | None = None) -> HttpResponse:
    """Ask for an act under the form's request id and go to its page (or `to` of its id); a repeat goes there, too."""
    try:
        pk = ask(request_key(request)).pk
    except Replayed as again:
        pk = again.event.subject_id
    return HttpResponseRedirect(to(pk) if to else reverse("staff:act", args=[pk]))


READERS = ("case.read", "import.run", "batch.read")


@requires(*READERS)
def index(request: Request) -> HttpResponse:
    """Every bulk act of one's area, newest first."""
    rows, pager = page_of(request, queries.acts(actor=request.actor), newest=True)
    columns = [Column(_("Bulk act")), Column(_("Office")), Column(_("Asked for at")), Column(_("State")),
               Column(_("Rows"), numeric=True), Column(_("Done with"), numeric=True),
               Column(_("Left alone"), numeric=True)]
    table = Table(_("Bulk acts"), columns, [_row(act) for act in rows], pager=pager, caption_hidden=True,
                  empty=_("Nothing was asked for in bulk yet."))
    return render(request, "staff/acts/index.html", {"title": _("Bulk acts"), "table": table})


@requires(*READERS)
def act(request: Request, pk: int) -> HttpResponse:
    """One bulk act: its progress while it goes on, then what became of its rows, and why some were left alone."""
    row = queries.act(pk, actor=request.actor)
    kind = KINDS[row.task]
    return render(request, "staff/acts/act.html", {
        "title": kind.title, "caption": _("Bulk act"), "act": row, "facts": _facts(row),
        "progress": progress_of(row), "problem": problem_of(row), "whole": kind.whole,
        "tiles": [Tile(kind.moved, row.moved, tone=words.GOOD if row.moved else ""),
                  Tile(_("Left alone"), row.left_alone, tone=words.WAIT if row.left_alone else "")],
        "reasons": _reasons(row), "who": _who(request, row), "unwritten": _unwritten(row),
        "onward": _onward(request, row, kind), "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Bulk acts"), "staff:acts"))})


@requires(*READERS)
@require_safe
def progress(request: Request, pk: int) -> HttpResponse:
    """The progress bar alone, asked for each second; at the end the whole page is loaded again."""
    row = queries.act(pk, actor=request.actor)
    response = render(request, "ui/parts/progress.html", progress_of(row) or {})
    if row.state != Act.workflow.initial:
        response.headers["HX-Refresh"] = "true"
    return response


def progress_of(act: Act) -> dict[str, Any] | None:
    """The progress bar of an act that goes on; nothing once it has ended."""
    if act.state != Act.workflow.initial:
        return None
    kind = KINDS[act.task]
    note = _("It is done whole or not at all: you may leave this page.") if kind.whole else _(
        "What is done stays done: you may leave this page.")
    label, total = (kind.title, 0) if kind.whole else (_("Progress"), max(act.total, act.done))
    return ui.progress(act.done, total, label, unit=kind.rows, note=note, finished=False,
                       poll=reverse("staff:act-progress", args=[act.pk]))


def problem_of(act: Act | None) -> tuple[str, str, list[str]] | None:
    """Why an act was refused, what to do next, and what was met; nothing where it was not."""
    if act is None or not act.problem:
        return None
    met = [gettext("line %(n)s") % {"n": fact} if name == "line" else str(fact)
           for name, fact in act.problem_facts.items() if fact]
    return *problem_words(PROBLEMS[act.problem]), met


def _reasons(act: Act) -> Table | None:
    """Why rows were left alone and how many, the most frequent reason first; nothing where none was."""
    counted = sorted(act.reasons.items(), key=lambda item: (-item[1], item[0]))
    columns = [Column(_("Reason")), Column(_("Rows"), numeric=True)]
    rows = [Row([why_left(code), f"{number:,}"]) for code, number in counted]
    return Table(_("Why rows were left alone"), columns, rows) if rows else None


def _unwritten(act: Act) -> Table | None:
    """Which letters could not be written for what was done, and why; nothing where all could."""
    counted = sorted(act.unwritten.items(), key=lambda item: (-item[1], item[0]))
    columns = [Column(_("Reason")), Column(_("Letters"), numeric=True)]
    rows = [Row([why_left(code), f"{number:,}"]) for code, number in counted]
    return Table(_("Letters that could not be written"), columns, rows) if rows else None


def why_left(code: str) -> str:
    """Why rows were left alone, in the visitor's language."""
    if code in FAULTS:
        return bilingual(FAULTS[code])
    return problem_words(PROBLEMS[code])[0] if code in PROBLEMS else str(LEFT_WORDS.get(code, code))


def _who(request: Request, act: Act) -> Table | None:
    """The first cases that were left alone, each with a link and the reason; nothing of an act on other rows."""
    if KINDS[act.task].list != "cases" or not request.actor.may("case.read"):
        return None
    found = cases.named(map(int, act.who_left), actor=request.actor)
    rows = [Row([Cell(case.name, href=reverse("staff:case", args=[case.pk])), why_left(act.who_left[str(case.pk)])])
            for case in found]
    return Table(_("Left alone, the first ones"), [Column(_("Name")), Column(_("Why"))], rows) if rows else None


def _facts(act: Act) -> list[Fact]:
    return [Fact(_("Office"), area_name(act.area)), Fact(_("Rows expected"), act.total or "—"),
            Fact(_("Rows looked at"), act.done), Fact(_("Asked for at"), moment(act.asked_at, seconds=True)),
            Fact(_("Finished at"), moment(act.finished_at, seconds=True))]



def _onward(request: Request, act: Act, kind: Kind) -> tuple[Text, str] | None:
    """Where the rows are found now: the batch of results, else the list of their kind; nothing for who may not."""
    word, permission = LISTS[kind.list]
    if not request.actor.may(permission):
        return None
    return word, reverse(f"staff:{kind.list}") if act.subject_id is None else reverse("staff:batch",
                                                                                     args=[act.subject_id])


def _row(act: Act) -> Row:
    tone, word = words.look("bulk-act", act.state)
    return Row([Cell(KINDS[act.task].title, href=reverse("staff:act", args=[act.pk])), area_name(act.area),
                moment(act.asked_at), Cell(word, tone=tone),
                f"{act.done:,}", f"{act.moved:,}", f"{act.left_alone:,}"])


urls = [
    path("acts/", index, name="acts"),
    path("acts/<int:pk>", act, name="act"),
    path("acts/<int:pk>/progress", progress, name="act-progress"),
]
