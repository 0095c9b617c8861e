"""Suspect, spoiled and ended cards are cleared up (销毁): others are ordered, one officer proposes, one destroys."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import services
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Done, Replayed
from zhengka.production import services as production
from zhengka.web.access import Request, request_key, requires, sure
from zhengka.web.staff.paging import ticked
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Text

USELESS = ("suspect", "spoiled", "cancelled")
"""States of cards that may lie here and are good for nothing: an ended one came from the maker or from its holder."""


def _order_again(ids: list[int], **by: Any) -> Done:
    made = services.reorder_many(ids, **by)
    left = len(set(ids)) - len(made)
    return Done(len(made), {"card-replaced": left} if left else {})


ACTS: Mapping[str, tuple[Any, str, Text, str]] = {
    "order-again": (_order_again, "card.order", _("Order others in their place"), "o"),
    "condemn": (services.condemn_many, "batch.receive", words.act("condemn"), "p"),
    "destroy": (production.destroy_many, "batch.receive", words.act("destroy"), "d"),
    "spare": (services.spare_many, "batch.receive", words.act("spare"), "")}
"""Address of an act → the service, its permission, its words and key, in the order in which they are needed."""


def _fits(state: str, name: str) -> bool:
    """Whether an act is there for cards of a state: no other card is ordered here in place of one that has ended."""
    return state in USELESS and name in ACTS and not (state == "cancelled" and name == "order-again")


def buttons(actor: Actor, state: str) -> list[dict[str, Any]]:
    """What may be done with the ticked cards of a state on the list of cards."""
    return [{"url": reverse("staff:cards-useless", args=[state, name]), "label": label, "key": key}
            for name, (_service, permission, label, key) in ACTS.items()
            if _fits(state, name) and actor.may(permission)]


def standing(card: Card, actor: Actor) -> Text:
    """Whether somebody proposed that the card is destroyed; empty where nobody did."""
    if not card.condemned_person or card.state not in USELESS:
        return ""
    return _("You proposed to destroy it") if card.condemned_person == actor.person else _("A colleague proposes "
                                                                                          "to destroy it")


@requires("card.order", "batch.receive")
@require_POST
def act(request: Request, state: str, name: str) -> HttpResponse:
    """Take one act with every card that is ticked; those that it does not fit stay as they are, and the page says why.
    To destroy is asked a second time.
    """
    if not _fits(state, name):
        raise Refusal("not-found")
    service, _permission, label, _key = ACTS[name]
    ids, back = ticked(request, "card"), f"{reverse('staff:cards')}?state={state}"
    if not ids:
        messages.warning(request, gettext("No card was ticked."))
        return HttpResponseRedirect(back)
    if name == "destroy" and not sure(request):
        asked = ngettext("Destroy %(n)d card?", "Destroy %(n)d cards?", len(ids)) % {"n": len(ids)}
        return render(request, "staff/sure.html", {
            "title": asked, "url": request.path, "submit": label, "back": back, "kind": "warning",
            "meaning": _("Count the cards in your hand and shred them with your colleague. Nothing brings them back."),
            "hidden": [("card", pk) for pk in ids]})
    with suppress(Replayed):
        done = service(ids, by=request.actor, request_id=request_key(request), at=timezone.now())
        _tell(request, label, done)
    return HttpResponseRedirect(back)


def _tell(request: Request, label: Text, done: Done) -> None:
    if done.moved:
        said = ngettext("%(act)s: %(n)d card", "%(act)s: %(n)d cards", done.moved)
        messages.success(request, said % {"act": label, "n": done.moved})
    for code, number in done.left.items():
        title, onward = problem_words(PROBLEMS[code])
        left = ngettext("%(n)d card stayed as it was: %(why)s. %(next)s",
                        "%(n)d cards stayed as they were: %(why)s. %(next)s", number)
        messages.warning(request, left % {"n": number, "why": title, "next": onward})


urls = [path("cards/useless/<slug:state>/<slug:name>", act, name="cards-useless")]
