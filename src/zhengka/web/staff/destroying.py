"""Suspect, spoiled and ended cards are cleared up (销毁): others are ordered, one officer proposes, one destroys; those
that are not here are looked for and declared lost by two, too (认定遗失).
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
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
from zhengka.cards.workflow import NOT_HERE
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


@dataclass(frozen=True)
class Act:
    """What is done with ticked cards: by which service, whose right it is, its words and key, for cards in which
    states, and what it means, where it is asked a second time.
    """

    service: Callable[..., Done]
    permission: str
    label: Text
    key: str
    states: Collection[str]
    meaning: Text = ""


ACTS = {
    "order-again": Act(_order_again, "card.order", _("Order others in their place"), "o",
                       ("suspect", "spoiled", *NOT_HERE)),  # none in place of a card that has ended
    "condemn": Act(services.condemn_many, "batch.receive", words.act("condemn"), "p", USELESS),
    "destroy": Act(production.destroy_many, "batch.receive", words.act("destroy"), "d", USELESS, _(
        "Count the cards in your hand and shred them with your colleague. Nothing brings them back.")),
    "spare": Act(services.spare_many, "batch.receive", words.act("spare"), "", USELESS),
    "not-here": Act(services.note_missing_many, "batch.receive", words.act("go_missing"), "", USELESS),
    "propose-lost": Act(services.propose_lost_many, "batch.receive", words.act("propose_lost"), "p", ("missing",)),
    "declare-lost": Act(services.declare_lost_many, "batch.receive", words.act("declare_lost"), "d", ("missing",), _(
        "Look once more with your colleague: in the parcel, in the cupboard, at the card maker. Every check refuses "
        "them; those that turn up later are destroyed.")),
    "turn-up": Act(services.turn_up_many, "batch.receive", words.act("turn_up"), "t", NOT_HERE)}
"""Address of an act → what it is, in the order in which they are needed."""


def _fits(state: str, name: str) -> bool:
    """Whether an act is there for cards of a state."""
    return name in ACTS and state in ACTS[name].states


def buttons(actor: Actor, state: str) -> list[dict[str, Any]]:
    """What may be done with the ticked cards of a state on the list of cards."""
    return [{"url": reverse("staff:cards-useless", args=[state, name]), "label": one.label, "key": one.key}
            for name, one in ACTS.items() if _fits(state, name) and actor.may(one.permission)]


def standing(card: Card, actor: Actor) -> Text:
    """Whether somebody proposed that the card is destroyed or declared lost; empty where nobody did."""
    if card.state == "missing" and card.missed_person:
        return _("You proposed to declare it lost") if card.missed_person == actor.person else _(
            "A colleague proposes to declare it lost")
    if not card.condemned_person or card.state not in USELESS:
        return ""
    return _("You proposed to destroy it") if card.condemned_person == actor.person else _("A colleague proposes "
                                                                                          "to destroy it")


@requires("card.order", "batch.receive")
@require_POST
def act(request: Request, state: str, name: str) -> HttpResponse:
    """Take one act with every card that is ticked; those that it does not fit stay as they are, and the page says why.
    To destroy, and to declare lost, is asked a second time.
    """
    if not _fits(state, name):
        raise Refusal("not-found")
    chosen = ACTS[name]
    ids, back = ticked(request, "card"), f"{reverse('staff:cards')}?state={state}"
    if not ids:
        messages.warning(request, gettext("No card was ticked."))
        return HttpResponseRedirect(back)
    if chosen.meaning and not sure(request):
        return render(request, "staff/sure.html", {
            "title": _asked(name, len(ids)), "url": request.path, "submit": chosen.label, "back": back,
            "kind": "warning", "meaning": chosen.meaning, "hidden": [("card", pk) for pk in ids]})
    with suppress(Replayed):
        done = chosen.service(ids, by=request.actor, request_id=request_key(request), at=timezone.now())
        _tell(request, chosen.label, done)
    return HttpResponseRedirect(back)


def _asked(name: str, number: int) -> str:
    if name == "destroy":
        asked = ngettext("Destroy %(n)d card?", "Destroy %(n)d cards?", number)
    else:
        asked = ngettext("Declare %(n)d card lost?", "Declare %(n)d cards lost?", number)
    return asked % {"n": number}


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
