"""A card is handed over with proof (发放): who is there, by what it is proved, and the old booklet; many against a list
that their holders signed by hand.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zhengka.accounts import queries as accounts
from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Booklet
from zhengka.custody.services import Agent, Proof, SignedList
from zhengka.production import services as making
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.custody_words import (
    PROOF_WORDS,
    RELATION_WORDS,
    WAY_WORDS,
    WHY_NOT_WORDS,
    WHY_TYPED_WORDS,
)
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.reader import chip_panel, with_reader
from zhengka.web.staff.words import problem_line
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

FIELDS = {"agent-incomplete": "agent_name", "agent-must-sign": "typed", "signature-missing": "typed",
          "reading-missing": "matched", "proof-missing": "typed", "list-incomplete": "list_number",
          "reason-missing": "why_not", "card-unseen": "looked"}
"""Refusal → the field that it belongs to; the others belong to the whole."""
BACK = "back"
"""What is chosen where the old booklet came back; nothing is chosen beforehand."""
AGENT = ("agent_name", "agent_digits", "relation", "mandate")
MONTH: Final = timedelta(days=30)
"""So far back one sees how each officer proved hand-overs."""


class ProofForm(forms.Form):
    """Who is there, and by what that is proved."""

    way = forms.ChoiceField(label=_("How the card reaches its holder"), choices=list(WAY_WORDS.items()))
    agent_name = forms.CharField(label=_("Name of who comes for them"), max_length=60, required=False)
    agent_digits = forms.CharField(label=_("Last four characters of their ID number"), max_length=4, required=False)
    relation = forms.ChoiceField(label=_("Relation to the holder"), required=False,
                                 choices=[("", "—"), *RELATION_WORDS.items()])
    mandate = forms.CharField(label=_("Number or day of the written mandate"), max_length=60, required=False)
    matched = forms.BooleanField(
        label=_("The holder is here: the chip was read just now, and I compared the photo with them"), required=False)
    tapped = forms.BooleanField(
        label=_("Somebody comes for them: the chip was read just now, and they sign below"), required=False)
    strokes = forms.CharField(required=False, max_length=200_000, widget=forms.HiddenInput)
    typed = forms.CharField(label=_("For who cannot sign: name of who receives the card, typed"), max_length=60,
                            required=False)
    why = forms.ChoiceField(label=_("Why they do not sign"), required=False,
                            choices=[("", "—"), *WHY_TYPED_WORDS.items()])
    confirmed = forms.BooleanField(label=_("They confirm with this name that they received it"), required=False)
    list_number = forms.CharField(label=_("Or: number of the list that the holder signed by hand"), max_length=60,
                                  required=False)
    list_day = DateField(label=_("Day on which it was signed"), required=False)
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
        listed = SignedList(told["list_number"], told["list_day"]) if told["list_day"] else None
        return Proof(told["way"], agent, listed=listed, why_not="" if why_not == BACK else why_not,
                     looked=told.get("looked", False),
                     **{name: told[name] for name in ("matched", "tapped", "strokes", "typed", "why", "confirmed")})

    def clean(self) -> dict[str, Any]:
        """A list has a number and a day."""
        told: dict[str, Any] = super().clean() or {}
        if told.get("list_number") and not told.get("list_day") and "list_day" not in self.errors:
            self.add_error("list_day", problem_line(PROBLEMS["list-incomplete"]))
        return told


class ListForm(forms.Form):
    """The list that the holders of many cards signed by hand."""

    way = forms.ChoiceField(label=_("How the cards reach their holders"),
                            choices=[("home", _("Brought to their homes")), ("counter", _("The holders are here"))])
    number = forms.CharField(label=_("Number of the list that the holders signed by hand"), max_length=60)
    day = DateField(label=_("Day on which it was signed"))

    def clean_day(self) -> date:
        """Nobody signs tomorrow."""
        day: date = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError(problem_line(PROBLEMS["list-incomplete"]))
        return day

    def proof(self) -> Proof:
        """What the form says."""
        told = self.cleaned_data
        return Proof(told["way"], listed=SignedList(told["number"], told["day"]))


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
            tapped = refusal.code == "reading-missing" and form.cleaned_data["way"] == "agent"
            field = "tapped" if tapped else FIELDS.get(refusal.code)
            form.add_error(field if field in form.fields else None, problem_line(refusal.problem))
    panel = chip_panel(request, row)
    page = render(request, "staff/custody/hand_over.html", {
        "title": _("Hand over with proof"), "caption": row.holder.name, "form": form, "panel": panel,
        "intro": _("One proof is enough: the chip and the photo, a signature, a list that was signed by hand, or, for "
                   "who cannot sign, a typed name. Who comes for somebody else always signs."),
        "back": reverse("staff:card", args=[pk]), "breadcrumbs": trail((_("Cards"), "staff:cards"))})
    return with_reader(page) if panel else page


def place_to_prove(request: Request, card: Card) -> str:
    """Where a card is handed over with proof; empty where it is not to be handed over."""
    may = card.state == "ready" and card.certificate.state == "valid" and request.actor.may("card.hand_over")
    return reverse("staff:card-hand-over", args=[card.pk]) if may else ""


def asks_for_the_list(request: Request, form: ListForm, ids: Sequence[int], back: str) -> HttpResponse:
    """The page on which many cards are handed over once more: against which list."""
    return render(request, "staff/custody/hand_over_list.html", {
        "title": ngettext("Hand over %(n)d card?", "Hand over %(n)d cards?", len(ids)) % {"n": len(ids)},
        "form": form, "cards": ids, "back": back, "submit": words.act("hand_over"),
        "breadcrumbs": trail((_("Cards"), "staff:cards"))})


def by_officer(request: Request) -> Table | None:
    """By what each officer proved hand-overs in the last month, who typed most names first: for who confirms what
    others do; None for everybody else, and where nothing was handed over.
    """
    if not request.actor.may("custody.confirm"):
        return None
    found = queries.proofs(request.actor, timezone.now() - MONTH)
    names = dict(accounts.officers(actor=request.actor).filter(person__in=found).values_list("person", "name"))
    many = sorted(found, key=lambda one: (-found[one]["typed"] / found[one].total(), one))
    columns = [Column(_("Officer")), Column(_("Handed over"), numeric=True),
               Column(PROOF_WORDS["list"], numeric=True), Column(PROOF_WORDS["typed"], numeric=True),
               Column(_("Share of typed names"), numeric=True)]
    return Table(_("How hand-overs of the last 30 days were proved"), columns, [
        Row([names.get(one, one), found[one].total(), found[one]["list"], found[one]["typed"],
             f"{found[one]['typed'] / found[one].total():.0%}"]) for one in many]) if many else None


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
        if receipt.why_typed:
            found.append(Fact(_("Why they do not sign"), WHY_TYPED_WORDS[receipt.why_typed]))
        if receipt.list_day:
            signed = f"{receipt.list_number} · {receipt.list_day.isoformat()}"
            found.append(Fact(_("Signed list"), Cell(signed, number=True)))
    if booklet := Booklet.objects.filter(card=card).first():
        said = {"absent": WHY_NOT_WORDS.get(booklet.why_not, ""), "missing": words.look("booklet", "missing")[1]}
        found.append(Fact(_("Old booklet"), said.get(booklet.state, _("It came back"))))
    return found


urls = [
    path("cards/<int:pk>/hand-over", hand_over, name="card-hand-over"),
    path("cards/<int:pk>/signature", signature, name="card-signature"),
]
