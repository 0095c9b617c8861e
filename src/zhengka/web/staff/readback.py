"""Finished cards looked at before they are handed out (发卡前核对): one card after another, one key per act.

The number on the card says which one it is; then its face is compared with the screen, its code photographed and its
chip read. What does not fit sets the card aside and puts the whole batch before the inspector.
"""

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.core.errors import Refusal
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka.production.workflow import DIFFERENCES, LOOKS
from zhengka.web.access import Request, act, requires, sure
from zhengka.web.staff import acts
from zhengka.web.staff.batch_parts import FINDING_WORDS
from zhengka.web.staff.faces import described
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.reader import LOOK, panel, with_reader
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Batches"), "staff:batches"),)
LOOK_WORDS: dict[str, Text] = {
    "number": _("Number on the card"), "print": _("Print and photo"), "code": _("QR code"), "chip": _("Chip")}
"""What is looked at of a card; complete against `production.workflow.LOOKS`."""
GATE_WORDS: dict[str, Text] = {
    "sample": _("A sample of this batch is looked at before any card is ready."),
    "whole": _("Every card of this batch is looked at before any is ready."),
    "passed": _("The cards of this batch were looked at: they are ready.")}
RESULT_WORDS: dict[str, tuple[str, Text]] = {
    "": (words.WAIT, _("To be looked at")), "passed": (words.GOOD, _("As the record says")),
    "failed": (words.BAD, _("Differs, set aside"))}


class NumberForm(forms.Form):
    """What is printed on the card in the hand."""

    number = forms.CharField(label=_("Serial of the card in your hand"), max_length=40, help_text=_(
        "Scan or type the 16 digits on its back."), widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "autofocus": True,
                   "class": "govuk-input--width-20"}))


class PhotoForm(forms.Form):
    """A photo of the code."""

    photo = forms.FileField(label=_("Photo of the code on the card"), widget=forms.FileInput(
        attrs={"accept": "image/png,image/jpeg", "capture": "environment"}))


class StationForm(forms.Form):
    """What a read-back station saw."""

    file = forms.FileField(label=_("File of a read-back station"), help_text=_(
        "The station looked at many cards at once and signed what it saw (.jsonl). What it did not see waits here."))


class WrongForm(forms.Form):
    """What the inspector sees."""

    what = forms.ChoiceField(label=_("What differs"), choices=[
        ("", "—"), *((code, FINDING_WORDS[code]) for code in DIFFERENCES)])


@requires("batch.receive")
def index(request: Request, pk: int) -> HttpResponse:
    """The sample of a batch: how far one is, the card in the hand, which are to be fetched."""
    row = queries.batch(pk, actor=request.actor)
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            item = services.drawn_by_number(row, form.cleaned_data["number"])
            return act(request, lambda key: services.check_number(
                row, form.cleaned_data["number"], by=request.actor, request_id=key, at=timezone.now()),
                to=_url(item))
        except Refusal as refusal:
            if refusal.code != "card-not-drawn":
                raise
            form.add_error("number", " ".join(map(str, problem_words(refusal.problem))))
    done, of = queries.looked_at(row)
    may_settle = row.gate in ("sample", "whole") and not services.to_check(row).exists()
    rows, pager = page_of(request, queries.drawn(row).order_by("pk"))
    return render(request, "staff/readback/index.html", {
        "title": row.number, "caption": _("Look at the finished cards"), "batch": row, "done": done, "of": of,
        "gate": GATE_WORDS.get(row.gate, ""), "form": form if row.gate in ("sample", "whole") and done < of else None,
        "may_settle": may_settle, "station": StationForm() if row.gate in ("sample", "whole") and done < of else None,
        "table": Table(_("Cards that were drawn"), [Column(_("Serial")), *(Column(LOOK_WORDS[look]) for look in LOOKS),
                                                    Column(_("Result"))], [_row(each) for each in rows], pager=pager,
                       empty=_("No card was drawn.")),
        "breadcrumbs": trail(*TRAIL)})


@requires("batch.receive")
@require_POST
def station(request: Request, pk: int) -> HttpResponse:
    """Take the file of a read-back station; a worker matches it, and the act's page shows what comes of it."""
    row = queries.batch(pk, actor=request.actor)
    form = StationForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "staff/form.html", {
            "title": _("Take a station's file"), "form": form, "submit": _("Take a station's file"),
            "back": reverse("staff:readback", args=[pk])}, status=400)
    file = form.cleaned_data["file"].file
    return acts.begin(request, lambda key: services.ask_station(
        row, file, by=request.actor, request_id=key, at=timezone.now()))


@requires("batch.receive")
def card(request: Request, pk: int, card: int) -> HttpResponse:
    """The card in the hand: what the record says, what is still to be looked at."""
    item = _drawn(request, pk, card)
    return _page(request, item, PhotoForm())


@requires("batch.receive")
@require_POST
def face(request: Request, pk: int, card: int) -> HttpResponse:
    """Say that the face on the card is the one on the screen."""
    item = _drawn(request, pk, card)
    return act(request, lambda key: services.check_print(item, by=request.actor, request_id=key, at=timezone.now()),
               to=_url(item), said=_("Print and photo are looked at."))


@requires("batch.receive")
@require_POST
def code(request: Request, pk: int, card: int) -> HttpResponse:
    """Take a photo of the card's code."""
    item = _drawn(request, pk, card)
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, item, form)
    photo = form.cleaned_data["photo"].read()
    try:
        return act(request, lambda key: services.check_code(
            item, photo, by=request.actor, request_id=key, at=timezone.now()), to=_url(item),
            said=_("The code is looked at."))
    except Refusal as refusal:
        if refusal.code != "code-not-seen":
            raise
        form.add_error("photo", " ".join(map(str, problem_words(refusal.problem))))
        return _page(request, item, form)


@requires("batch.receive")
@require_POST
def wrong(request: Request, pk: int, card: int) -> HttpResponse:
    """Say that the card differs; asked twice, for the whole batch is looked at then."""
    item = _drawn(request, pk, card)
    form = WrongForm(request.POST)
    if not form.is_valid():
        return _page(request, item, PhotoForm(), form)
    what = form.cleaned_data["what"]
    if not sure(request):
        return render(request, "staff/sure.html", {
            "title": _("Does this card differ?"), "caption": item.card.serial, "url": request.path, "kind": "warning",
            "meaning": _("It is set aside and destroyed, and every other card of the batch is looked at before one is "
                         "ready."), "lines": [FINDING_WORDS[what]], "submit": _("It differs"), "back": _url(item),
            "hidden": [("what", what)]})

    def do(key: UUID) -> Batch:
        return services.fail_card(item, what, by=request.actor, request_id=key, at=timezone.now())
    return act(request, do, to=reverse("staff:readback", args=[pk]),
               said=_("The card is set aside; the whole batch is looked at."))


@requires("batch.receive")
@require_POST
def settle(request: Request, pk: int) -> HttpResponse:
    """Let the cards be ready of a batch whose last drawn card ended meanwhile."""
    row = queries.batch(pk, actor=request.actor)
    return act(request, lambda key: services.pass_gate(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:batch", args=[pk]), said=GATE_WORDS["passed"])


def _page(request: Request, item: Item, form: PhotoForm, wrong: WrongForm | None = None) -> HttpResponse:
    shown = queries.look(item.card)
    open_ = item.checked == "" and item.card.state == "arrived"
    chip = panel(card=item.card_id, buttons=[LOOK]) if open_ and request.actor.may("device.use") else None
    facts = [Fact(LOOK_WORDS[look], Cell(_("Matches"), tone=words.GOOD) if look in item.seen
                  else Cell(_("To be looked at"), tone=words.WAIT)) for look in LOOKS]
    tone, word = RESULT_WORDS[item.checked]
    page = render(request, "staff/readback/card.html", {
        "title": item.card.serial, "caption": _("Card in your hand"), "item": item, "face": described(shown),
        "facts": [*facts, Fact(_("Result"), Cell(word, tone=tone))], "form": form, "wrong": wrong or WrongForm(),
        "open": open_, "panel": chip, "back": reverse("staff:readback", args=[item.batch_id]),
        "need_print": "print" not in item.seen, "need_code": "code" not in item.seen,
        "need_chip": "chip" not in item.seen,
        "breadcrumbs": [*trail(*TRAIL), {"label": item.batch.number,
                                         "href": reverse("staff:readback", args=[item.batch_id])}]})
    return with_reader(page) if chip else page


def _drawn(request: Request, pk: int, card: int) -> Item:
    item = queries.drawn_item(card, actor=request.actor)
    if item.batch_id != pk:
        raise Refusal("not-found")
    return item


def _row(item: Item) -> Row:
    tone, word = RESULT_WORDS[item.checked]
    why = FINDING_WORDS.get(item.reason, "") if item.checked == "failed" else ""
    place = _("Place in the batch")
    name = Cell(item.card.serial or "—", number=True, note=f"{place} {item.position}",
                href=_url(item) if "number" in item.seen else "")
    return Row([name, *("✓" if look in item.seen else "—" for look in LOOKS), Cell(word, tone=tone, note=why)])


def _url(item: Item) -> str:
    return reverse("staff:readback-card", args=[item.batch_id, item.card_id])


def facts(batch: Batch) -> list[Fact]:
    """What a batch's page says of the looking; nothing where it is not asked for."""
    if not batch.gate:
        return []
    done, of = queries.looked_at(batch)
    return [Fact(_("Looked at before it is ready"), Cell(f"{done} / {of}", tone=words.GOOD if batch.gate == "passed"
                                                        else words.WAIT, note=GATE_WORDS[batch.gate]))]


urls = [
    path("readback/<int:pk>/", index, name="readback"),
    path("readback/<int:pk>/station", station, name="readback-station"),
    path("readback/<int:pk>/settle", settle, name="readback-settle"),
    path("readback/<int:pk>/<int:card>", card, name="readback-card"),
    path("readback/<int:pk>/<int:card>/print", face, name="readback-print"),
    path("readback/<int:pk>/<int:card>/code", code, name="readback-code"),
    path("readback/<int:pk>/<int:card>/wrong", wrong, name="readback-wrong"),
]
