"""Parcels of finished cards (包裹流转): who has which, the scan field, packing, taking over, sending on, opening."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.custody import queries, services
from zhengka.custody.models import Parcel, Stay
from zhengka.custody.services import Seals
from zhengka.custody.workflow import PARCEL
from zhengka.production.models import Batch
from zhengka.web.access import Request, act, request_key, requires
from zhengka.web.staff import handing, history
from zhengka.web.staff.custody_words import OUTCOME_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.troubles import table_of
from zhengka.web.staff.words import moment, problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

TRAIL = ((_("Cards"), "staff:cards"), (_("Parcels of cards"), "staff:custody"),)
FEW = 10


class PackForm(forms.Form):
    """Cards of a batch that lie at the plant, into parcels."""

    batch = forms.ModelChoiceField(label=_("Batch"), queryset=Batch.objects.none())
    target = forms.ModelChoiceField(label=_("Where they go"), queryset=Area.objects.none())
    seals = forms.CharField(label=_("Numbers of the seals"), max_length=20_000,
                            widget=forms.Textarea(attrs={"rows": 3}),
                            help_text=_("One in each line, in the order in which they are used."))
    size = forms.IntegerField(label=_("Cards in each parcel"), min_value=1, max_value=1000, initial=200)

    def __init__(self, *args: Any, request: Request, **options: Any) -> None:
        """Offer the batches of which cards came, and the offices below the officer's."""
        super().__init__(*args, **options)
        actor = request.actor
        self.fields["batch"].queryset = _made(request)  # type: ignore[attr-defined]
        areas = Area.objects.filter(code__range=(actor.lo, actor.hi), level__in=("county", "street")).order_by("code")
        self.fields["target"].queryset = areas  # type: ignore[attr-defined]
        self.fields["target"].label_from_instance = area_name  # type: ignore[attr-defined]


class TakeInForm(forms.Form):
    """A batch whose cards were made at a desk here: they never travel."""

    batch = forms.ModelChoiceField(label=_("Batch"), queryset=Batch.objects.none())

    def __init__(self, *args: Any, request: Request, **options: Any) -> None:
        """Offer the batches of which cards came."""
        super().__init__(*args, **options)
        self.fields["batch"].queryset = _made(request)  # type: ignore[attr-defined]


class TakeForm(forms.Form):
    """A parcel as it lies there: its number, and the seal that is on it."""

    number = forms.CharField(label=_("Number of the parcel"), max_length=64)
    seal = forms.CharField(label=_("Number of the seal, as you read it"), max_length=64)


class OpenForm(forms.Form):
    """What was in a parcel."""

    seal = forms.CharField(label=_("Number of the seal, as you read it"), max_length=64)
    serials = forms.CharField(label=_("Serials of the cards in it"), max_length=40_000, required=False,
                              widget=forms.Textarea(attrs={"rows": 8}),
                              help_text=_("Scan one card after another; each stands in a line of its own."))


@requires("custody.read")
def index(request: Request) -> HttpResponse:
    """The scan field, what is amiss, and the parcels with who has them now."""
    state = request.GET.get("state", "")
    counts, actor = queries.by_state(request.actor), request.actor
    tiles = [Tile(words.look("parcel", one)[1], counts[one], href=f"?state={one}", tone="")
             for one in ("packed", "moving", "kept", "unpacked", "lost") if counts.get(one)]
    amiss = queries.open_troubles(actor)
    tiles += [Tile(_("Custody cases open"), amiss, href=reverse("staff:troubles"), tone=words.WAIT if amiss else "")]
    found = queries.parcels(actor=actor)
    found = found.filter(state=state) if state in PARCEL.states else found
    rows, pager = page_of(request, found, newest=True)
    return render(request, "staff/custody/index.html", {
        "title": _("Parcels of cards"), "breadcrumbs": trail(TRAIL[0]), "tiles": tiles,
        "may_keep": actor.may("custody.keep"),
        "parcels": _table(rows, pager), "handed": handing.by_officer(request),
        "troubles": table_of(queries.troubles(actor=actor).filter(state__in=("open", "proposed"))[:FEW], None)})


@requires("custody.keep")
@require_POST
def scan(request: Request) -> HttpResponse:
    """What was scanned: a parcel opens its page (or the form to take it over), a card says where it should be."""
    try:
        found = queries.scanned(request.POST.get("number", ""))
    except Refusal as no:
        messages.warning(request, problem_line(no.problem))
        return HttpResponseRedirect(reverse("staff:custody"))
    if isinstance(found, Parcel):
        seen = queries.parcels(actor=request.actor).filter(pk=found.pk).exists()
        return HttpResponseRedirect(_url(found.pk) if seen else
                                    f"{reverse('staff:custody-take')}?number={found.number}")
    return _scanned(request, found)


def _scanned(request: Request, found: Card) -> HttpResponse:
    """A card was scanned here: the case about it where by the records it cannot be here, else its page."""
    try:
        case = services.note_scan(found, queries.office(request.actor), by=request.actor,
                                  request_id=request_key(request), at=timezone.now())
    except Replayed as again:
        return HttpResponseRedirect(reverse("staff:trouble", args=[again.event.subject_id]))
    if case is not None:
        messages.warning(request, gettext("By the records this card is not here. A case is open."))
        return HttpResponseRedirect(reverse("staff:trouble", args=[case.pk]))
    messages.success(request, gettext("The card is where the records have it."))
    if request.actor.sees(found.area_id) and request.actor.may("card.read"):
        return HttpResponseRedirect(reverse("staff:card", args=[found.pk]))
    return HttpResponseRedirect(reverse("staff:custody"))


@requires("custody.keep")
def take(request: Request) -> HttpResponse:
    """Take a parcel over: from now on this office has it."""
    form = TakeForm(request.POST or None, initial={"number": request.GET.get("number", "")})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            row = queries.scanned(told["number"])
            if not isinstance(row, Parcel):
                raise Refusal("nothing-under-number")
            return act(request, lambda key: services.arrive(
                row, queries.office(request.actor, row), told["seal"], by=request.actor, request_id=key,
                at=timezone.now()), to=_url, said=_("This office has the parcel now."))
        except Refusal as refusal:
            form.add_error("number", problem_line(refusal.problem))
    return _form(request, form, _("Take a parcel over"), _("Take over"), intro=_(
        "Read the seal on the parcel itself. One that differs is written down and opens a case."))


@requires("custody.keep")
def pack(request: Request) -> HttpResponse:
    """Pack the cards of a batch that lie at the plant."""
    form = PackForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        seals = Seals([line.strip() for line in told["seals"].splitlines() if line.strip()], told["size"])
        try:
            return act(request, lambda key: services.pack_batch(
                told["batch"], seals, told["target"], by=request.actor, request_id=key, at=timezone.now()),
                to=reverse("staff:custody"), said=_packed)
        except Refusal as refusal:
            form.add_error("target" if refusal.code == "parcel-target-wrong" else "seals",
                           problem_line(refusal.problem))
    return _form(request, form, _("Pack finished cards"), _("Pack"), intro=_(
        "All good cards of the batch that lie at the plant are packed in its order. Each parcel has its list."))


@requires("custody.keep")
def take_in(request: Request) -> HttpResponse:
    """Keep cards at the office where they were made."""
    form = TakeInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        batch: Batch = form.cleaned_data["batch"]
        return act(request, lambda key: services.take_in(
            queries.left_at_the_plant(batch.pk), batch.area, by=request.actor, request_id=key, at=timezone.now()),
            to=reverse("staff:waiting"), said=_taken_in)
    return _form(request, form, _("Cards made at this office"), _("Take them in"), intro=_(
        "The cards of the batch that are in no parcel lie at this office and wait for their holders."))


def _taken_in(many: int) -> str:
    return ngettext("%(n)d card is taken in.", "%(n)d cards are taken in.", many) % {"n": many}


def _made(request: Request) -> "QuerySet[Batch]":
    return Batch.objects.filter(area__code__range=(request.actor.lo, request.actor.hi),
                                state__in=("received", "closed")).order_by("-pk")


def _packed(done: list[Parcel]) -> str:
    return ngettext("%(n)d parcel is packed.", "%(n)d parcels are packed.", len(done)) % {"n": len(done)}


@requires("custody.read")
def parcel(request: Request, pk: int) -> HttpResponse:
    """One parcel: who has it, its journey, its list, what is amiss with it."""
    row = queries.parcel(pk, actor=request.actor)
    stays, lines = queries.journey(row), list(queries.lines(row))
    names = _names(stays)
    now = next((stay for stay in stays if stay.until is None), None)
    facts: list[Fact] = [
        Fact(_("Number of the seal"), Cell(row.seal, number=True)), Fact(_("Where it goes"), area_name(row.target)),
        Fact(_("Issuing unit"), area_name(row.area)), Fact(_("Cards on the list"), row.quantity)]
    if now:
        facts[:0] = [Fact(_("Who has it"), _place(now, names)), Fact(_("Since"), moment(now.since)),
                     Fact(_("May stay until"), now.due.isoformat())]
    if row.batch_id:
        facts.append(Fact(_("Batch"), Cell(str(row.batch), href=reverse("staff:batch", args=[row.batch_id])
                                           if request.actor.may("batch.read") else "")))
    found = queries.troubles(actor=request.actor).filter(parcel=row)
    return render(request, "staff/custody/parcel.html", {
        "title": row.number, "caption": _("Parcel of cards"), "parcel": row, "facts": facts,
        "acts": _acts(request, row, now), "journey": _journey(stays, names), "lines": _lines(lines),
        "troubles": table_of(found, None) if found else None, "events": history.of_row(request, row),
        "breadcrumbs": trail(*TRAIL)})


@requires("custody.keep")
@require_POST
def dispatch(request: Request, pk: int) -> HttpResponse:
    """Give a parcel to the carrier."""
    row = queries.parcel(pk, actor=request.actor)
    return act(request, lambda key: services.dispatch(row, by=request.actor, request_id=key, at=timezone.now()),
               to=_url(pk), said=_("The parcel is on its way."))


@requires("custody.keep")
def unpack(request: Request, pk: int) -> HttpResponse:
    """Open a parcel at its destination and count what is in it."""
    row = queries.parcel(pk, actor=request.actor)
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data

        def do(key: UUID) -> services.Opened:
            return services.unpack(row, told["seal"], told["serials"].split(), by=request.actor, request_id=key,
                                   at=timezone.now())
        try:
            return act(request, do, to=_url(pk), said=_("The parcel is opened and counted."))
        except Refusal as refusal:
            form.add_error("seal", problem_line(refusal.problem))
    return _form(request, form, _("Open and count"), _("Open and count"), caption=row.number, back=_url(pk), intro=_(
        "What the list names and is not there, and what is there and the list does not name, opens a case each."))


def _form(request: Request, form: forms.Form, title: Text, submit: Text, *, intro: Text, **more: Any) -> HttpResponse:
    return render(request, "staff/form.html", {
        "title": title, "form": form, "submit": submit, "intro": intro, "back": reverse("staff:custody"),
        "breadcrumbs": trail(*TRAIL), **more})


def _acts(request: Request, row: Parcel, now: Stay | None) -> list[dict[str, Any]]:
    """What this officer may do with the parcel, where it is now."""
    if not request.actor.may("custody.keep"):
        return []
    if now is None:
        back = queries.returned(request.actor).filter(parcel=row).exists()
        return [{"url": reverse("staff:parcel-again", args=[row.pk]),
                 "label": _("Its cards that went back wait again")}] if back else []
    holds = row.area_id if now.office is None else now.office
    mine = now.place != "moving" and request.actor.sees(holds)
    found: list[dict[str, Any]] = []
    if mine and now.office == row.target_id:
        found.append({"href": reverse("staff:parcel-unpack", args=[row.pk]), "label": _("Open and count")})
    elif mine:
        found.append({"url": reverse("staff:parcel-dispatch", args=[row.pk]), "label": words.act("dispatch")})
    if now.place != "office" or now.office != request.actor.lo:
        found.append({"href": f"{reverse('staff:custody-take')}?number={row.number}", "label": _("Take over")})
    return found


def _table(rows: list[Parcel], pager: Any) -> Table:
    has = queries.has(rows)
    names = _names(list(has.values()))
    columns = [Column(_("Parcel")), Column(_("State")), Column(_("Who has it")), Column(_("Since")),
               Column(_("Where it goes")), Column(_("Cards"), numeric=True)]
    return Table(_("Parcels"), columns, [
        Row([Cell(row.number, href=_url(row.pk), number=True), _state(row),
             _place(has[row.pk], names) if row.pk in has else "—", moment(has[row.pk].since) if row.pk in has else "—",
             area_name(row.target), row.quantity]) for row in rows],
        pager=pager, empty=_("No parcel was packed yet."))


def _state(row: Parcel) -> Cell:
    tone, word = words.look("parcel", row.state)
    return Cell(word, tone=tone)


def _journey(stays: list[Stay], names: dict[int, str]) -> Table:
    columns = [Column(_("Where")), Column(_("Since")), Column(_("Until")), Column(_("May stay until"))]
    seal = gettext("Seal %(number)s")
    return Table(_("Its journey"), columns, [
        Row([Cell(_place(stay, names), note=seal % {"number": stay.seal} if stay.seal else ""),
             moment(stay.since), moment(stay.until), stay.due.isoformat()]) for stay in stays])


def _lines(lines: list[Any]) -> Table:
    tones = {"missing": words.BAD, "elsewhere": words.WAIT, "there": words.GOOD}
    return Table(_("List of the cards in it"), [Column(_("Serial")), Column(_("What was found"))], [
        Row([Cell(line.serial, number=True), Cell(OUTCOME_WORDS[line.outcome], tone=tones.get(line.outcome, ""))])
        for line in lines])


def _names(stays: list[Stay]) -> dict[int, str]:
    return {row.code: area_name(row) for row in Area.objects.filter(code__in={stay.office for stay in stays})}


def _place(stay: Stay, names: dict[int, str]) -> str:
    name = names.get(stay.office or 0, "")
    said: dict[str, Callable[[], str]] = {
        "plant": lambda: gettext("The card maker"), "moving": lambda: gettext("On the way to %(place)s") % {
            "place": name}, "office": lambda: name}
    return said[stay.place]()


def _url(pk: int) -> str:
    return reverse("staff:parcel", args=[pk])



urls = [
    path("custody/", index, name="custody"),
    path("custody/scan", scan, name="custody-scan"),
    path("custody/take", take, name="custody-take"),
    path("custody/pack", pack, name="custody-pack"),
    path("custody/take-in", take_in, name="custody-take-in"),
    path("parcels/<int:pk>/", parcel, name="parcel"),
    path("parcels/<int:pk>/dispatch", dispatch, name="parcel-dispatch"),
    path("parcels/<int:pk>/unpack", unpack, name="parcel-unpack"),
]
