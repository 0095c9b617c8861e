"""Numbers of a card at the partners of its template (合作方号码): noted on its page before it is made."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.production import services
from zhengka.production.faces import Layout, layout_for
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.words import bilingual, problem_words

OPEN = ("ordered", "held")
"""States in which a number can still be printed."""


class NumbersForm(forms.Form):
    """A number for each partner; empty: it stays as it was."""

    def __init__(self, data: Any = None, *, layout: Layout) -> None:
        """Ask for what the template has a place for."""
        super().__init__(data)
        for code in layout.numbers:
            partner = layout.partners[code]
            self.fields[code] = forms.CharField(
                label=bilingual((partner.title_zh, partner.title)), required=False, max_length=40,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))


def panel(request: Request, card: Card) -> NumbersForm | None:
    """The form on a card's page; None where its template has no such place, it is made already, or one may not."""
    layout = layout_for(card.profile)
    if card.state not in OPEN or not layout.numbers or not request.actor.may("batch.make"):
        return None
    return NumbersForm(layout=layout)


@requires("batch.make")
@require_POST
def note(request: Request, pk: int) -> HttpResponse:
    """Note the numbers."""
    card = queries.get(pk, actor=request.actor)
    form = NumbersForm(request.POST, layout=layout_for(card.profile))
    if form.is_valid():
        numbers = {code: "".join(number.split()) for code, number in form.cleaned_data.items() if number.strip()}

        def do(key: UUID) -> Card:
            return services.note_numbers(card, numbers, by=request.actor, request_id=key, at=timezone.now())
        try:
            return act(request, do, to=reverse("staff:card", args=[pk]), said=_("The numbers are noted."))
        except Refusal as refusal:
            if refusal.code != "partner-number-bad":
                raise
            form.add_error(refusal.facts["partner"], " ".join(map(str, problem_words(refusal.problem))))
    return render(request, "staff/form.html", {
        "title": _("Numbers at partners"), "caption": card.holder.name, "form": form, "submit": _("Note the numbers"),
        "back": reverse("staff:card", args=[pk]), "breadcrumbs": trail((_("Cards"), "staff:cards"))}, status=400)


urls = [path("cards/<int:pk>/numbers", note, name="card-numbers")]
