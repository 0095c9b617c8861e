"""Shipments of blank cards: taken in as they were counted, what came later, and what is declared lost on its way."""

from django import forms
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.core.errors import Refusal
from zhengka.core.scope import seeing_all
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.stock import queries, services
from zhengka.stock.models import Slip
from zhengka.stock.workflow import ON_ITS_WAY
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.words import problem_words

TRAIL = ((_("Blank cards"), "staff:stock"),)


class ArriveForm(forms.Form):
    """What a shipment turned out to hold."""

    serials = forms.CharField(label=_("Serials that arrived"), max_length=200_000,
                              widget=forms.Textarea(attrs={"rows": 3}),
                              help_text=_("As you counted them; what is missing stays on the sender's account."))


class LostForm(forms.Form):
    """What nobody will receive, and why."""

    serials = forms.CharField(label=_("Serials that are missing"), max_length=200_000,
                              widget=forms.Textarea(attrs={"rows": 3}))
    why = forms.CharField(label=_("Reason"), max_length=200)


@requires("stock.keep")
def arrive(request: Request, pk: int) -> HttpResponse:
    """Take in a shipment as it was counted, or what came of it later."""
    row = of_mine(request, pk)
    short = row.state == "short"
    form = ArriveForm(request.POST or None, initial={"serials": serials.said(missing(row) if short else row.serials)})
    if request.method == "POST" and form.is_valid():
        try:
            return act(request, lambda key: services.arrive(
                row, services.runs_of(form.cleaned_data["serials"]), by=request.actor, request_id=key,
                at=timezone.now()), to=address(row), said=_("The shipment is taken in."))
        except Refusal as refusal:
            form.add_error("serials", words_of(refusal))
    return render(request, "staff/form.html", {
        "title": _("The rest came") if short else _("Take in a shipment"), "form": form, "submit": _("Take in"),
        "back": address(row), "breadcrumbs": trail(*TRAIL)})


@requires("stock.keep")
def lose(request: Request, pk: int) -> HttpResponse:
    """Propose to declare lost what is missing of a shipment; another person confirms it."""
    row = of_mine(request, pk)
    form = LostForm(request.POST or None, initial={"serials": serials.said(missing(row))})
    if request.method == "POST" and form.is_valid():
        try:
            return act(request, lambda key: services.lose_on_the_way(
                row, services.runs_of(form.cleaned_data["serials"]), form.cleaned_data["why"], by=request.actor,
                request_id=key, at=timezone.now()), to=lambda done: reverse("staff:stock-slip", args=[done]),
                said=_("It waits for a second person."))
        except Refusal as refusal:
            form.add_error("serials", words_of(refusal))
    return render(request, "staff/form.html", {
        "title": _("Declare lost on the way"), "form": form, "submit": _("Declare lost"), "back": address(row),
        "intro": _("Another person must confirm it. Until then the blanks stay on this office's account."),
        "breadcrumbs": trail(*TRAIL)})


def open_to(request: Request, row: Slip) -> list[str]:
    """What this officer may do with a shipment of which something is on its way: `arrive` where it goes, `lose` whence
    it came.
    """
    if row.state not in ON_ITS_WAY or not request.actor.may("stock.keep"):
        return []
    return [name for name, area in (("arrive", row.shared_with), ("lose", row.area_id)) if request.actor.sees(area)]


def missing(row: Slip) -> Runs:
    """What of a shipment is still on its way: who may see its slip may see that."""
    with seeing_all(connection):
        return queries.on_the_way(row)


def of_mine(request: Request, pk: int) -> Slip:
    """A slip of one's offices or on its way to them; `Refusal("not-found")`."""
    for row in queries.slips(actor=request.actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def address(row: Slip) -> str:
    """The page of a slip."""
    return reverse("staff:stock-slip", args=[row.pk])


def words_of(refusal: Refusal) -> str:
    """What a refusal says, with the serial or the piece of text that it names."""
    named = refusal.facts.get("serial") or refusal.facts.get("part")
    title, following = problem_words(refusal.problem)
    return f"{title}{f' ({named})' if named else ''} {following}"


urls = [
    path("slips/<int:pk>/arrive", arrive, name="stock-arrive"),
    path("slips/<int:pk>/lose", lose, name="stock-lose"),
]
