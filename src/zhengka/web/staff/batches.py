"""Batches (制卡批次): opened, prepared, sent to the card maker and taken back, with every card accounted for."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from zhengka.bulk import queries as bulk
from zhengka.cards import queries as cards
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.workflow import Step
from zhengka.devices import queries as devices
from zhengka.formats.suites import SUITES
from zhengka.production import queries, services
from zhengka.production.models import Batch
from zhengka.production.workflow import BATCH
from zhengka.web.access import Request, act, request_key, requires, sure
from zhengka.web.staff import acts, batch_files, readback
from zhengka.web.staff.batch_parts import (
    SERIES,
    act_word,
    blanks_table,
    counts_chart,
    erased_table,
    facts,
    failed_by,
    findings_table,
    held_table,
    history,
    late,
    offered_blank,
    progress_of,
)
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.reader import panel, with_reader
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text, Tile

ACTS = {"prepare": services.prepare_batch, "retry": services.retry_batch, "send": services.send_batch,
        "pause": services.pause_batch, "resume": services.resume_batch,
        "give_up": services.give_up_batch, "cancel": services.cancel_batch, "close": services.close_batch,
        "propose_unanswered": services.propose_unanswered, "keep_waiting": services.keep_waiting,
        "declare_unanswered": services.declare_unanswered}
"""Steps that are one button; results come by a form of their own."""

RESULTS = "production.take_results"
LOOKS = {"prepare": ("primary", "p"), "retry": ("primary", "p"), "send": ("primary", "s"),
         "pause": ("secondary", ""), "resume": ("primary", "p"),
         "give_up": ("warning-quiet", ""), "cancel": ("warning-quiet", ""), "close": ("primary", "c"),
         "propose_unanswered": ("warning-quiet", ""), "keep_waiting": ("secondary", ""),
         "declare_unanswered": ("warning", "")}
SAID: dict[str, Text] = {
    "prepare": _("The preparation has begun."), "retry": _("The preparation goes on."),
    "send": _("The batch is at the card maker."),
    "pause": _("The batch stands still until it is resumed."), "resume": _("The batch goes on."),
    "give_up": _("The batch was given up; its cards wait for another one, under new serials where they had some."),
    "cancel": _("The batch is cancelled; its cards wait for another one."), "close": _("The batch is closed."),
    "propose_unanswered": _("It is proposed. Another person declares it, or the batch is waited for."),
    "keep_waiting": _("The batch is waited for."),
    "declare_unanswered": _("The batch is closed without results: its cards are missing, others are ordered.")}


ENDS: dict[str, Text] = {"give_up": _("Give this batch up?"), "cancel": _("Cancel this batch?"),
                         "declare_unanswered": _("Will this batch never come back?")}
"""Steps of which cards that are prepared already do not come back: they are asked for twice."""
NOT_MADE = _("Nothing of it is made. Prepared cards are void, and others are ordered in their place; if the package "
             "left the house, tell the card maker to destroy it.")
NOT_BACK = _("Each of its cards is void and counts as missing, and others are ordered in their place. Results that "
             "come later are not taken; cards that turn up are destroyed.")


class ResultsForm(forms.Form):
    """What the card maker sent back."""

    file = forms.FileField(label=_("Results file"), help_text=_("The signed file of the card maker (.jsonl)."))


@requires("batch.read")
def index(request: Request) -> HttpResponse:
    """All batches of one's area, and how many cards wait for one."""
    rows, pager = page_of(request, queries.batches(request.actor), newest=True)
    waiting = sum(queries.waiting(request.actor).values())
    overdue = queries.unacknowledged(request.actor, on=timezone.localdate()).count()
    columns = [Column(_("Batch")), Column(_("Issuing unit")), Column(_("State")), Column(_("Cards"), numeric=True),
               Column(_("Held"), numeric=True), Column(_("Good"), numeric=True), Column(_("Spoiled"), numeric=True),
               Column(_("Opened"))]
    table = Table(_("Batches"), columns, [_row(batch) for batch in rows], pager=pager, caption_hidden=True, empty=_(
        "Cards come here once their cases are approved."))
    may_open = request.actor.may("batch.make") and waiting
    return render(request, "staff/batches/index.html", {
        "title": _("Batches"), "table": table, "may_open": may_open,
        "tiles": [Tile(_("Cards that wait for a batch"), waiting, tone="wait" if waiting else ""),
                  Tile(_("Packages not acknowledged in time"), overdue, tone="bad" if overdue else "")]})


@requires("batch.read")
def batch(request: Request, pk: int) -> HttpResponse:
    """One batch: where it stands, what came in and went out, what is held and why, what was found."""
    row = queries.batch(pk, actor=request.actor)
    received = bulk.latest(RESULTS, pk, actor=request.actor) if row.state in ("sent", "received") else None
    running = acts.progress_of(received) if received else None
    making = None if running else _making(request, row)
    page = render(request, "staff/batches/batch.html", {
        "title": row.number, "caption": area_name(row.area), "batch": row, "facts": [*facts(row), *readback.facts(row)],
        "looks": row.gate in ("sample", "whole") and request.actor.may("batch.receive"),
        "buttons": _buttons(request, row),
        "progress": progress_of(row) or running, "problem": acts.problem_of(received) if row.state == "sent" else None,
        "failed_by": failed_by(row), "by_another": _by_another(request, row), "whole": True,
        "chart": counts_chart(row), "series": SERIES,
        "held": held_table(row), "blanks": blanks_table(row),
        "findings": findings_table(row), "may_release": request.actor.may("batch.make"),
        "results": ResultsForm() if _open(request, row, "receive") and not running else None,
        "history": history(request, row),
        "receipt_form": batch_files.ReceiptForm() if _open(request, row, "acknowledge") else None,
        "part_form": batch_files.PartForm() if _open(request, row, "take_package") else None,
        "late": late(row), "erased": erased_table(row), "may_take_receipt": request.actor.may("batch.receive"),
        "downloads": [name for name in FILES if _open(request, row, name)], "panel": making,
        "breadcrumbs": trail((_("Batches"), "staff:batches"))})
    return with_reader(page) if making else page


@requires("batch.read")
@require_safe
def progress(request: Request, pk: int) -> HttpResponse:
    """The progress bar alone, asked each second; when the work is over the page is loaded anew."""
    row = queries.batch(pk, actor=request.actor)
    answer = render(request, "ui/parts/progress.html", progress_of(row) or {})
    if row.state != "preparing":
        answer.headers["HX-Refresh"] = "true"
    return answer


@requires("batch.make", "batch.send", "batch.receive")
@require_POST
def step(request: Request, pk: int, action: str) -> HttpResponse:
    """Take one step with the batch."""
    row = queries.batch(pk, actor=request.actor)
    if action not in ACTS:
        raise Refusal("step-not-open", action=action)
    if action == "send" and row.undecided and not sure(request):
        return _undecided(request, row)
    if action in ENDS and not (action == "cancel" and row.state == "open") and not sure(request):
        return render(request, "staff/sure.html", {
            "title": ENDS[action], "caption": row.number, "url": request.path, "kind": "warning",
            "meaning": NOT_BACK if action == "declare_unanswered" else NOT_MADE,
            "submit": act_word(action), "back": reverse("staff:batch", args=[pk]), "hidden": []})
    return act(request, lambda key: ACTS[action](row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:batch", args=[pk]), said=SAID[action])


def _undecided(request: Request, row: Batch) -> HttpResponse:
    """Before a batch goes out it is said what nobody decided about: that is taken out of it."""
    BATCH.step(row.state, "send")
    asked = ngettext("Send it without %(n)d held card?", "Send it without %(n)d held cards?", row.undecided)
    return render(request, "staff/sure.html", {
        "title": asked % {"n": row.undecided}, "caption": row.number, "url": request.path, "kind": "primary",
        "meaning": _("Nobody has decided about them. They are taken out of this batch and stay held until somebody "
                     "sees to them."), "submit": act_word("send"), "back": reverse("staff:batch", args=[row.pk]),
        "hidden": []})


@requires("batch.make")
@require_POST
def decide(request: Request, pk: int, card: int, decision: str) -> HttpResponse:
    """Decide about one held card: shorten its name, let it wait, take it out."""
    row, held = queries.batch(pk, actor=request.actor), cards.get(card, actor=request.actor)

    def do(key: UUID) -> Batch:
        told: dict[str, Any] = {"by": request.actor, "request_id": key, "at": timezone.now()}
        if decision == "shorten":
            return services.shorten(row, held, **told)
        return services.decide(row, [held.pk], decision, **told)
    return act(request, do, to=reverse("staff:batch", args=[pk]), said=_("It is decided."))


@requires("batch.receive")
@require_POST
def receive(request: Request, pk: int) -> HttpResponse:
    """Take the card maker's results file; a worker matches it, and the batch's page shows what comes of it."""
    row = queries.batch(pk, actor=request.actor)
    form = ResultsForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "staff/form.html", {
            "title": _("Receive results"), "form": form, "submit": _("Receive results"),
            "back": reverse("staff:batch", args=[pk])}, status=400)

    file = form.cleaned_data["file"].file
    return acts.begin(request, lambda key: services.ask_results(
        row, file, by=request.actor, request_id=key, at=timezone.now()), to=lambda _act: reverse(
            "staff:batch", args=[pk]))


@requires("batch.make")
@require_POST
def release(request: Request, pk: int, card: int) -> HttpResponse:
    """Let a held card wait for the next batch: what held it was put right."""
    queries.batch(pk, actor=request.actor)
    row = cards.get(card, actor=request.actor)
    return act(request, lambda key: services.release(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:batch", args=[pk]), said=_("The card waits for the next batch."))


@requires("batch.read")
@require_POST
def download(request: Request, pk: int, name: str) -> HttpResponse:
    """The sealed package or the proof sheet; who took it is written down first. A package that is to be printed on a
    desk's printer is a print job: only a printer at work gets it.
    """
    if name not in FILES:
        raise Refusal("not-found")
    row = queries.batch(pk, actor=request.actor)
    if queue := request.POST.get("printer", ""):
        devices.printer(queue, beside=devices.by_key(_key_id(row), actor=request.actor))
    note, send = FILES[name]
    with suppress(Replayed):
        note(row, by=request.actor, request_id=request_key(request), at=timezone.now())
    return send(row)


def _package(row: Batch) -> HttpResponse:
    file = queries.package_path(row).open("rb")
    return FileResponse(file, as_attachment=True, filename=row.package)  # type: ignore[return-value]


def _proof(row: Batch) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{row.number}-proof.pdf"'}
    return HttpResponse(queries.proof_sheet(row), content_type="application/pdf", headers=headers)


FILES: dict[str, tuple[Callable[..., Batch], Callable[[Batch], HttpResponse]]] = {
    "take_package": (services.take_package, _package), "take_proof": (services.take_proof, _proof)}
"""What can be downloaded: the step that is written down, and the answer."""


def _making(request: Request, row: Batch) -> dict[str, Any] | None:
    """The part of the page by which the one card of a batch is made on the reader of this PC."""
    if row.state != "sent" or row.prepared != 1 or not (
            _open(request, row, "receive") and _open(request, row, "take_package")):
        return None
    key_id = _key_id(row)
    if not devices.ready(actor=request.actor).filter(key_id=key_id).exists():
        return None
    return panel(**offered_blank(row), package=reverse("staff:batch-download", args=[row.pk, "take_package"]),
                 results=reverse("staff:batch-results", args=[row.pk]), printed=reverse("staff:reader-printed"),
                 key=key_id.hex())


def _key_id(row: Batch) -> bytes:
    """The key of the batch's card maker: that of the reader, where that is a desk's."""
    return SUITES[row.maker.suite].public_key(bytes(row.maker.public)).key_id


def _steps(request: Request, row: Batch) -> list[Step]:
    """The steps that this officer may take with the batch as it is now, what guards say included."""
    found = []
    for one in BATCH.open_to(row.state, request.actor.permissions):
        with suppress(Refusal):
            for guard in one.guards:
                guard(row, {"by": request.actor})
            found.append(one)
    return found


def _by_another(request: Request, row: Batch) -> bool:
    """True for whoever would send the batch, had another one had it prepared."""
    return row.state == "prepared" and row.prepared > 0 and request.actor.may("batch.send") and (
        row.prepared_person == request.actor.person)


def _open(request: Request, row: Batch, action: str) -> bool:
    return any(one.action == action for one in _steps(request, row))


def _buttons(request: Request, row: Batch) -> list[dict[str, Any]]:
    return [{"url": reverse("staff:batch-step", args=[row.pk, one.action]), "label": act_word(one.action),
             "kind": LOOKS[one.action][0], "key": LOOKS[one.action][1]}
            for one in _steps(request, row) if one.action in ACTS]


def _row(row: Batch) -> Row:
    tone, word = words.look("batch", row.state)
    return Row([Cell(row.number, href=reverse("staff:batch", args=[row.pk]), number=True), area_name(row.area),
                Cell(word, tone=tone), row.ordered, row.held, row.good, row.spoiled,
                moment(row.opened_at)])


urls = [
    path("batches/", index, name="batches"),
    path("batches/<int:pk>/", batch, name="batch"),
    path("batches/<int:pk>/progress", progress, name="batch-progress"),
    path("batches/<int:pk>/results", receive, name="batch-results"),
    path("batches/<int:pk>/release/<int:card>", release, name="batch-release"),
    path("batches/<int:pk>/decide/<int:card>/<slug:decision>", decide, name="batch-decide"),
    path("batches/<int:pk>/download/<slug:name>", download, name="batch-download"),
    *batch_files.urls,
    path("batches/<int:pk>/<slug:action>", step, name="batch-step"),
]
