"""What is done with a case beside its line: who answers for the person is named, the report of a loss is lifted."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.cards.models import Card
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.core.models import Event
from zhengka.formats.names import BadName, normalise
from zhengka.web.access import Request, act, request_key, requires
from zhengka.web.staff.case_words import FROZEN_WORDS
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.opening import OFF, page_of
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact, Text


class GuardianForm(forms.Form):
    """Who answers for the person."""

    guardian_name = forms.CharField(label=_("Guardian"), max_length=50, widget=forms.TextInput(
        attrs=OFF | {"autofocus": True}))
    guardian_id = forms.CharField(label=_("The guardian's ID number"), max_length=24, help_text=_(
        "As on the guardian's ID card that lies before you."), widget=forms.TextInput(
            attrs=OFF | {"class": "govuk-input--width-20"}))
    guardian_phone = forms.CharField(label=_("The guardian's phone"), max_length=20, required=False, help_text=_(
        "Messages go to this number; without one, letters go on paper."), widget=forms.TextInput(
            attrs=OFF | {"inputmode": "tel"}))

    def clean_guardian_name(self) -> str:
        """The name as the registry writes names."""
        try:
            return normalise(self.cleaned_data["guardian_name"])
        except BadName:
            raise forms.ValidationError(_("Enter the name as it stands on the ID card.")) from None

    def guardian(self) -> services.Guardian:
        """What the form says."""
        return services.Guardian(*(str(self.cleaned_data[name]).strip() for name in (
            "guardian_name", "guardian_id", "guardian_phone")))


@requires("case.confirm")
@sensitive_post_parameters("guardian_name", "guardian_id", "guardian_phone")
def guardian(request: Request, pk: int) -> HttpResponse:
    """Name the guardian of an open case, or correct who was named."""
    row = queries.get(pk, actor=request.actor)
    form = GuardianForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        named = page_of(form, lambda: services.name_guardian(
            row, form.guardian(), by=request.actor, request_id=request_key(request), at=timezone.now()))
        if named:
            return named
    return render(request, "staff/form.html", {
        "title": _("Who answers for the person"), "caption": row.name, "form": form, "submit": _("Name the guardian"),
        "back": reverse("staff:case", args=[pk]), "intro": _(
            "Letters about a minor, and about an intellectual or mental disability, go to the guardian from now on. "
            "Put the proof of the guardian to the papers of the case; who was named before stays sealed in the "
            "history."),
        "breadcrumbs": [*trail((_("Cases"), "staff:cases")),
                        {"label": row.name, "href": reverse("staff:case", args=[pk])}]})


@requires("card.restore")
@require_POST
def lift_loss(request: Request, pk: int) -> HttpResponse:
    """The card of a loss that came to nothing was found: it is accepted again."""
    row = queries.get(pk, actor=request.actor)
    return act(request, lambda key: services.lift_loss(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:case", args=[pk]), said=_("The card is accepted again by every check."))


def facts(request: Request, row: Case) -> list[Fact]:
    """Who answers for the person, where somebody does or must, and why the certificate is frozen, where it is."""
    found = []
    told, known = services.guardian_told(row), bool(services.guardian_of(row).name)
    if (told and told.name) or (row.ended_at is None and services.needs_guardian(row)):
        may = row.ended_at is None and request.actor.may("case.confirm")
        who = told.name if told else _("as in the record")
        found.append(Fact(_("Guardian"), who if known else Cell(_("Nobody is named"), tone=words.WAIT),
                          href=reverse("staff:case-guardian", args=[row.pk]) if may else "",
                          action=_("Correct") if known else _("Name the guardian")))
    if row.certificate and row.certificate.state == "frozen":
        found.append(Fact(_("Certificate"), frozen(row.certificate.frozen_for)))
    if said := after_a_death(row):
        found.append(Fact(_("Card"), said))
    return found


STAYS_ENDED = _(
    "Certificate and record hold again. The card that ended with the death stays ended: a new one is ordered, unless "
    "the certificate has run out; then its renewal orders one.")
"""What is said before and after a wrong death is undone."""


def after_a_death(row: Case) -> Text:
    """Which card somebody gets whose death was reported wrongly; empty for every other case, and for who had none."""
    if (row.kind_of_case, row.reason) != ("cancellation", "death") or not Event.objects.filter(
            subject="case", subject_id=row.pk, action="undo").exists():
        return ""
    cards = Card.objects.filter(certificate=row.certificate_id)
    if cards.filter(reason="restoration").exists():
        return _("The old card stays ended. A new one was ordered, and goes on with the term of the old.")
    return _("The old card stays ended. The renewal of the certificate orders a new one.") if cards.exists() else ""


def missing(row: Case) -> list[str]:
    """What a case of a minor lacks while nobody answers for the child."""
    return [] if not row.minor or services.guardian_of(row).name else [gettext(
        "The guardian's name: until somebody is named, letters of a minor go to the child.")]


def frozen(reason: str) -> Cell:
    """That a certificate is frozen, why, and what ends it."""
    tone, word = words.look("certificate", "frozen")
    why, ends = FROZEN_WORDS[reason]
    return Cell(word, tone=tone, note=gettext("%(why)s. %(ends)s") % {"why": why, "ends": ends})


def lost(request: Request, row: Case) -> dict[str, Any]:
    """What to do with a card that is still refused, though its case of a loss came to nothing; empty where none is."""
    if not request.actor.may("card.restore") or not services.still_lost(row, by=request.actor):
        return {}
    again = ("staff:case-elsewhere-kind", ["loss"]) if row.holder is None else (
        "staff:case-brought", [row.holder_id, "loss"])
    return {"url": reverse("staff:case-lift-loss", args=[row.pk]),
            "again": reverse(again[0], args=again[1]) if request.actor.may("case.open") else ""}


urls = [
    path("cases/<int:pk>/guardian", guardian, name="case-guardian"),
    path("cases/<int:pk>/lift-loss", lift_loss, name="case-lift-loss"),
]
