"""How people ask to be written to (告知方式): asked at the counter, changed on the holder's page."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.letters.rules import WISHES
from zhengka.registry import queries, services
from zhengka.registry.models import Holder
from zhengka.registry.services import InFull
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import trail
from zhengka.web.ui.parts import Cell, Fact, Text

WISH_WORDS: dict[str, Text] = {
    "paper": _("On paper"), "large": _("In very large type"), "braille": _("In Braille"), "en": _("In English")}
"""Wish → its words; a test holds it complete against `letters.rules.WISHES`."""


class WishesField(forms.MultipleChoiceField):
    """Ways that are asked for beside a short message."""

    def __init__(self, **options: Any) -> None:
        """Boxes to tick, none of which must be."""
        super().__init__(label=_("Letters are wished"), required=False, widget=forms.CheckboxSelectMultiple,
                         choices=[(wish, WISH_WORDS[wish]) for wish in WISHES], help_text=_(
            "Beside the short message. Who has no phone gets paper."), **options)


class WishesForm(forms.Form):
    """How a holder asks to be written to."""

    wishes = WishesField()


def fact(request: Request, row: Holder, clear: InFull | None) -> Fact:
    """The wishes of a holder as their page shows them, with the way to change them: in words only where the record was
    read in full (`clear`), for a wish for Braille tells of the person.
    """
    said = ", ".join(str(WISH_WORDS[wish]) for wish in clear.wishes) or _("No special wish") if clear else _(
        "Shown in full only")
    may = request.actor.may("case.confirm") and row.state == "registered"
    return Fact(_("Letters are wished"), Cell(said),
                href=reverse("staff:holder-wishes", args=[row.pk]) if may else "", action=_("Change"))


@requires("case.confirm")
def wishes(request: Request, pk: int) -> HttpResponse:
    """How a holder asks to be written to is written down anew. What was wished before is not shown here."""
    row, back = queries.holder(pk, actor=request.actor), reverse("staff:holder", args=[pk])
    form = WishesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: services.wish(
            row, form.cleaned_data["wishes"], by=request.actor, request_id=key, at=timezone.now()),
            to=back, said=_("The wish is kept; the next letter follows it."))
    return render(request, "staff/form.html", {
        "title": _("How letters are wished"), "caption": row.name, "form": form, "submit": _("Keep the wish"),
        "back": back, "intro": _(
            "Ask the person, and tick all that they wish: it takes the place of what was kept before. The holder's "
            "page shows that where you read it in full."), "breadcrumbs": [*trail((_("Holders"), "staff:holders")),
                                                   {"label": row.name, "href": back}]})


urls = [path("holders/<int:pk>/wishes", wishes, name="holder-wishes")]
