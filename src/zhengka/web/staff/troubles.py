"""Custody cases (异常): what is amiss with a parcel or a card, and how it is cleared up."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Trouble
from zhengka.custody.workflow import CUSTODY_CASE, OF_A_LOSS
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.custody_words import PLACE_WORDS, TROUBLE_WORDS, WHY_NOT_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import moment, problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Cards"), "staff:cards"), (_("Parcels of cards"), "staff:custody"),
         (_("Custody cases"), "staff:troubles"))


class ReasonForm(forms.Form):
    """How a case was cleared up."""

    reason = forms.CharField(label=_("What happened"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class FoundForm(ReasonForm):
    """The same of a missing card, which turned up at this office."""

    found = forms.BooleanField(label=_("The card was found and lies at this office"), required=False)


class BookletForm(ReasonForm):
    """The same of an old booklet."""

    found = forms.BooleanField(label=_("The booklet was found and lies at this office"), required=False)


FORMS: dict[str, type[ReasonForm]] = {"card-missing": FoundForm, "booklet-missing": BookletForm}
"""Sort of a case → the form by which it is cleared up, where that is not `ReasonForm`."""


@requires("custody.read")
def index(request: Request) -> HttpResponse:
    """The cases of one's offices, the open ones unless others are asked for."""
    state = request.GET.get("state", "")
    found = queries.troubles(actor=request.actor)
    found = found.filter(state=state) if state in CUSTODY_CASE.states else found.filter(state__in=("open", "proposed"))
    rows, pager = page_of(request, found, newest=True)
    return render(request, "staff/custody/troubles.html", {
        "title": _("Custody cases"), "table": table_of(rows, pager), "states": [
            (one, words.look("custody-case", one)[1]) for one in ("open", "proposed", "settled", "lost")],
        "breadcrumbs": trail(*TRAIL[:2])})


@requires("custody.read")
def trouble(request: Request, pk: int) -> HttpResponse:
    """One case: what is amiss, where it was noticed, where the card is now, and what may be done."""
    row = queries.trouble(pk, actor=request.actor)
    steps = [step.action for step in CUSTODY_CASE.open_to(row.state, request.actor.permissions)
             if step.action != "propose_loss" or row.sort in OF_A_LOSS]
    return render(request, "staff/custody/trouble.html", {
        "title": TROUBLE_WORDS[row.sort], "caption": row.serial or (row.parcel.number if row.parcel else ""),
        "trouble": row, "facts": _facts(row), "steps": steps, "events": history.of_row(request, row),
        "breadcrumbs": trail(*TRAIL)})


@requires("custody.keep")
def settle(request: Request, pk: int) -> HttpResponse:
    """Say how it was cleared up."""
    row = queries.trouble(pk, actor=request.actor)
    form = FORMS.get(row.sort, ReasonForm)(request.POST or None)

    def do(key: UUID) -> Trouble:
        found = queries.office(request.actor, row.parcel) if form.cleaned_data.get("found") else None
        return services.settle(row, form.cleaned_data["reason"], found=found, by=request.actor, request_id=key,
                               at=timezone.now())
    return _form(request, row, form, do, _("Clear the case up"))


@requires("custody.keep")
def propose(request: Request, pk: int) -> HttpResponse:
    """Propose that it is a loss."""
    row = queries.trouble(pk, actor=request.actor)
    form = ReasonForm(request.POST or None)

    def do(key: UUID) -> Trouble:
        return services.propose_loss(row, form.cleaned_data["reason"], by=request.actor, request_id=key,
                                     at=timezone.now())
    return _form(request, row, form, do, _("Propose a loss"))


@requires("custody.confirm")
@require_POST
def decide(request: Request, pk: int, yes: bool) -> HttpResponse:
    """The second person confirms the loss, or does not."""
    row = queries.trouble(pk, actor=request.actor)
    service = services.confirm_loss if yes else services.decline
    return act(request, lambda key: service(row, by=request.actor, request_id=key, at=timezone.now()),
               to=_url(row), said=_confirmed(row) if yes else _("The case is open again."))


def _confirmed(row: Trouble) -> Text:
    if row.sort == "booklet-missing":
        return _("It is written down that the booklet was not taken back.")
    return _("The loss is confirmed; the cards are made again.")


def table_of(rows: Iterable[Trouble], pager: Any) -> Table:
    """Custody cases as a table."""
    columns = [Column(_("What is amiss")), Column(_("State")), Column(_("Parcel")), Column(_("Noticed"))]
    return Table(_("Custody cases"), columns, [
        Row([Cell(TROUBLE_WORDS[row.sort], href=_url(row), note=row.serial),
             Cell(words.look("custody-case", row.state)[1], tone=words.look("custody-case", row.state)[0]),
             Cell(row.parcel.number if row.parcel else "—", number=True),
             moment(row.at)]) for row in rows],
        pager=pager, empty=_("Nothing is amiss."))


def _facts(row: Trouble) -> list[Fact]:
    names = {area.code: area_name(area) for area in Area.objects.filter(code=row.office or 0)}
    facts = [Fact(_("Issuing unit"), area_name(row.area)),
             Fact(_("Noticed at"), names.get(row.office or 0, "—")),
             Fact(_("Noticed"), moment(row.at))]
    if row.parcel:
        facts.append(Fact(_("Parcel"), Cell(row.parcel.number, href=reverse("staff:parcel", args=[row.parcel_id]))))
    if row.other:
        facts.append(Fact(_("On the list of"), Cell(row.other.number, number=True)))
    if row.sort == "seal-differs" and row.parcel:
        facts += [Fact(_("Seal on the paper"), row.parcel.seal), Fact(_("Seal that was read"), row.detail or "—")]
    if row.sort == "card-astray" and row.detail in PLACE_WORDS:
        facts.append(Fact(_("By the records"), PLACE_WORDS[row.detail]))
    if row.sort == "booklet-missing":
        facts.append(Fact(_("Why it is not here"), WHY_NOT_WORDS.get(row.detail, row.detail)))
    if row.sort == "parcel-late":
        facts.append(Fact(_("Was to leave by"), row.detail))
    if row.reason:
        facts.append(Fact(_("What happened"), row.reason))
    return facts


def _form(request: Request, row: Trouble, form: forms.Form, do: Any, title: Any) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            return act(request, do, to=_url(row), said=_("It is written down."))
        except Refusal as refusal:
            form.add_error("found" if "found" in form.fields else "reason", problem_line(refusal.problem))
    return render(request, "staff/form.html", {
        "title": title, "caption": TROUBLE_WORDS[row.sort], "form": form, "submit": title, "back": _url(row),
        "breadcrumbs": trail(*TRAIL)})


def _url(row: Trouble) -> str:
    return reverse("staff:trouble", args=[row.pk])


urls = [
    path("troubles/", index, name="troubles"),
    path("troubles/<int:pk>/", trouble, name="trouble"),
    path("troubles/<int:pk>/settle", settle, name="trouble-settle"),
    path("troubles/<int:pk>/loss", propose, name="trouble-loss"),
    path("troubles/<int:pk>/confirm", decide, {"yes": True}, name="trouble-confirm"),
    path("troubles/<int:pk>/decline", decide, {"yes": False}, name="trouble-decline"),
]
