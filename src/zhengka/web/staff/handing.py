"""A card is handed over with proof (发放): who is there, by what it is proved, and the old booklet."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.core.errors import Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Booklet
from zhengka.custody.services import Agent, Proof
from zhengka.production import services as making
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.custody_words import PROOF_WORDS, RELATION_WORDS, WAY_WORDS, WHY_NOT_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.reader import chip_panel, with_reader
from zhengka.web.staff.words import problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Fact, Text

FIELDS = {"agent-incomplete": "agent_name", "signature-missing": "typed", "reading-missing": "matched",
          "proof-missing": "typed", "reason-missing": "why_not", "card-unseen": "looked"}
"""Refusal → the field that it belongs to; the others belong to the whole."""
BACK = "back"
"""What is chosen where the old booklet came back; nothing is chosen beforehand."""
AGENT = ("agent_name", "agent_digits", "relation", "mandate")


class ProofForm(forms.Form):
    """Who is there, and by what that is proved."""

    way = forms.ChoiceField(label=_("How the card reaches its holder"), choices=list(WAY_WORDS.items()))
    agent_name = forms.CharField(label=_("Name of who comes for them"), max_length=60, required=False)
    agent_digits = forms.CharField(label=_("Last four characters of their ID number"), max_length=4, required=False)
    relation = forms.ChoiceField(label=_("Relation to the holder"), required=False,
                                 choices=[("", "—"), *RELATION_WORDS.items()])
    mandate = forms.CharField(label=_("Number or day of the written mandate"), max_length=60, required=False)
    matched = forms.BooleanField(
        label=_("The chip was read just now, and I compared the photo with who is here"), required=False)
    strokes = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)
    typed = forms.CharField(label=_("Or: name of who receives the card, typed"), max_length=60, required=False)
    confirmed = forms.BooleanField(label=_("They confirm with this name that they received it"), required=False)
    why_not = forms.ChoiceField(label=_("Old booklet"), choices=[
        ("", _("Choose")), (BACK, _("It came back")), *WHY_NOT_WORDS.items()], error_messages={
        "required": _("Say whether the old booklet came back: it is counted and destroyed later.")})
    looked = forms.BooleanField(label=_("I compared name, number and photo on the card with the record"),
                                required=False)

    def __init__(self, *args: Any, booklet: bool, unseen: bool, **options: Any) -> None:
        """`booklet`: the holder has an old one still; `unseen`: no camera has looked at the card."""
        super().__init__(*args, **options)
        for name, there in (("why_not", booklet), ("looked", unseen)):
            if not there:
                del self.fields[name]

    def proof(self) -> Proof:
        """What the form says."""
        told = self.cleaned_data
        why_not = told.get("why_not", BACK)
        agent = Agent(*(told[name] for name in AGENT)) if told["way"] == "agent" else None
        return Proof(told["way"], agent, told["matched"], told["strokes"], told["typed"], told["confirmed"],
                     "" if why_not == BACK else why_not, told.get("looked", False))


@requires("card.hand_over")
def hand_over(request: Request, pk: int) -> HttpResponse:
    """Hand one card over, with proof."""
    row = cards.get(pk, actor=request.actor)
    if row.state != "ready" and request.method != "POST":
        CARD.step(row.state, "hand_over")
    form = ProofForm(request.POST or None, booklet=services.has_booklet(row), unseen=bool(making.unseen([pk])))
    if request.method == "POST" and form.is_valid():
        def do(key: UUID) -> Card:
            return services.hand_over(row, form.proof(), by=request.actor, request_id=key, at=timezone.now())
        try:
            return act(request, do, to=reverse("staff:card", args=[pk]), said=_("The card is handed over."))
        except Refusal as refusal:
            field = FIELDS.get(refusal.code)
            form.add_error(field if field in form.fields else None, problem_line(refusal.problem))
    panel = chip_panel(request, row)
    page = render(request, "staff/custody/hand_over.html", {
        "title": _("Hand over with proof"), "caption": row.holder.name, "form": form, "panel": panel,
        "intro": _("One proof is enough: the chip and the photo, a signature, or a typed name."),
        "back": reverse("staff:card", args=[pk]), "breadcrumbs": trail((_("Cards"), "staff:cards"))})
    return with_reader(page) if panel else page


@requires("card.read")
def signature(request: Request, pk: int) -> HttpResponse:
    """The signature with which a card was received, as a picture."""
    receipt = queries.receipt(cards.get(pk, actor=request.actor))
    if receipt is None:
        raise Refusal("not-found")
    return HttpResponse(services.signature_of(receipt), content_type="image/svg+xml")


def facts(card: Card) -> list[Fact]:
    """Where a card is and how it was handed over, for its page."""
    found: list[Fact] = []
    place = queries.place_of(card)
    if place.where == "parcel" and place.parcel:
        found.append(Fact(_("Where it is"), _("In a parcel"), href=reverse("staff:parcel", args=[place.parcel.pk]),
                          action=place.parcel.number))
    elif place.where in ("office", "missing", "lost"):
        office = queries.office_of(place)
        at: dict[str, Text] = {"office": area_name(office) if office else "—", "missing": _("Missing"),
                               "lost": _("Lost")}
        found.append(Fact(_("Where it is"), at[place.where]))
    if receipt := queries.receipt(card):
        found += [Fact(_("Handed over"), WAY_WORDS[receipt.way]), Fact(_("Proof"), PROOF_WORDS[receipt.proof])]
    if booklet := Booklet.objects.filter(card=card).first():
        said = {"absent": WHY_NOT_WORDS.get(booklet.why_not, ""), "missing": words.look("booklet", "missing")[1]}
        found.append(Fact(_("Old booklet"), said.get(booklet.state, _("It came back"))))
    return found


urls = [
    path("cards/<int:pk>/hand-over", hand_over, name="card-hand-over"),
    path("cards/<int:pk>/signature", signature, name="card-signature"),
]
