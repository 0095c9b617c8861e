"""One card is held, or wanted before others, by an officer who says why (暂缓, 加急)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.core.errors import Refusal
from zhengka.production import services
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import trail
from zhengka.web.ui.parts import Text


class Asked(NamedTuple):
    """An act that needs a reason: what it is called, what it means, what was done, and the service."""

    title: Text
    meaning: Text
    said: Text
    do: Callable[..., Card]


ACTS = {
    "hold": Asked(_("Hold this card"),
                  _("It is left out of its batch, or of the next one, until somebody releases it."),
                  _("The card is held."), services.hold),
    "hurry": Asked(_("Make this card first"), _("It comes before others in the next batch."),
                   _("The card comes first in the next batch."), services.hurry),
}


class WhyForm(forms.Form):
    """A reason, which the history keeps."""

    why = forms.CharField(label=_("Reason"), max_length=200, help_text=_("The history of the card keeps it."))


@requires("batch.make", "card.order")
def why(request: Request, pk: int, action: str) -> HttpResponse:
    """Ask why, and do it."""
    row = queries.get(pk, actor=request.actor)
    if action not in ACTS:
        raise Refusal("not-found")
    CARD.step(row.state, action)
    asked, back, form = ACTS[action], reverse("staff:card", args=[pk]), WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: asked.do(row, form.cleaned_data["why"], by=request.actor, request_id=key,
                                                 at=timezone.now()), to=back, said=asked.said)
    return render(request, "staff/form.html", {
        "title": asked.title, "caption": row.holder.name, "intro": asked.meaning, "form": form, "submit": asked.title,
        "back": back, "breadcrumbs": trail((_("Cards"), "staff:cards"))})


@requires("card.order")
@require_POST
def unhurry(request: Request, pk: int) -> HttpResponse:
    """Let it wait in its turn again."""
    row = queries.get(pk, actor=request.actor)
    return act(request, lambda key: services.unhurry(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:card", args=[pk]), said=_("The card waits in its turn."))


@requires("batch.make")
@require_POST
def release(request: Request, pk: int) -> HttpResponse:
    """Let a held card be made."""
    row = queries.get(pk, actor=request.actor)
    return act(request, lambda key: services.release(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:card", args=[pk]), said=_("The card waits for the next batch."))


def buttons(request: Request, card: Card) -> list[dict[str, Any]]:
    """What this officer may do with a card before it is made: pages that ask why, and acts that need no reason."""
    open_ = {step.action for step in CARD.open_to(card.state, request.actor.permissions)}
    asks = [name for name in ACTS if name in open_ and not (name == "hurry" and card.urgent)]
    found = [{"href": reverse("staff:card-why", args=[card.pk, name]), "label": ACTS[name].title} for name in asks]
    if "unhurry" in open_ and card.urgent:
        found.append({"url": reverse("staff:card-unhurry", args=[card.pk]), "label": _("No longer urgent")})
    if "release" in open_:
        found.append({"url": reverse("staff:card-release", args=[card.pk]), "label": _("Release")})
    return found


urls = [
    path("cards/<int:pk>/unhurry", unhurry, name="card-unhurry"),
    path("cards/<int:pk>/release", release, name="card-release"),
    path("cards/<int:pk>/why/<slug:action>", why, name="card-why"),
]
