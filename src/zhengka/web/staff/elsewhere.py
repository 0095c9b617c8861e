"""Cases that are received for another office (异地受理): by a street, or by the county where somebody lives."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from zhengka.cases import fronts, services
from zhengka.core.errors import Refusal
from zhengka.formats.names import BadName, normalise
from zhengka.letters.rules import ADDRESS_UNITS
from zhengka.web.access import Request, request_key, requires
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.opening import ANOTHER, AT_THE_COUNTER, OFF, BroughtForm, page_of
from zhengka.web.staff.wishes import WishesField


class PresentForm(BroughtForm):
    """Who stands at the counter, and what they bring; the record is another office's and is not shown."""

    present_name = forms.CharField(label=_("Name"), max_length=50, widget=forms.TextInput(
        attrs=OFF | {"autofocus": True}))
    present_id = forms.CharField(label=_("ID number"), max_length=24, widget=forms.TextInput(
        attrs=OFF | {"class": "govuk-input--width-20"}), help_text=_("As on the ID card that lies before you."))
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False, widget=forms.TextInput(
        attrs=OFF | {"inputmode": "tel"}))
    address = forms.CharField(label=_("Address"), max_length=ADDRESS_UNITS, required=False, help_text=_(
        "Where letters and the card are to be sent."), widget=forms.TextInput(attrs=OFF))
    guardian_name = forms.CharField(label=_("Guardian"), max_length=50, required=False, help_text=_(
        "For a minor, and for an intellectual or mental disability: letters go to the guardian."),
        widget=forms.TextInput(attrs=OFF))
    guardian_id = forms.CharField(label=_("The guardian's ID number"), max_length=24, required=False,
                                  widget=forms.TextInput(attrs=OFF))
    guardian_phone = forms.CharField(label=_("The guardian's phone"), max_length=20, required=False,
                                     widget=forms.TextInput(attrs=OFF | {"inputmode": "tel"}))
    wishes = WishesField()

    def clean_present_name(self) -> str:
        """The name as the registry writes names."""
        try:
            return normalise(self.cleaned_data["present_name"])
        except BadName:
            raise forms.ValidationError(_("Enter the name as it stands on the ID card.")) from None

    def present(self) -> services.Present:
        """What the form says of the person."""
        said = [str(self.cleaned_data[name]).strip() for name in PERSON]
        name, id_number, phone, address = said[:4]
        return services.Present(name, id_number, phone, address, services.Guardian(*said[4:]),
                                " ".join(self.cleaned_data["wishes"]))


FIRST = {"new": "staff:case-new", "transfer_in_nation": "staff:case-arrival"}
"""Kinds of case of who has no record at any office yet → the page that opens one."""
RECEIVED = frozenset(AT_THE_COUNTER) - {"exchange"}
"""Kinds of case of a holder whose record is another office's: that office alone opens an exchange."""
PERSON = ("present_name", "present_id", "phone", "address", "guardian_name", "guardian_id", "guardian_phone")
WISHES = "wishes"


@requires("case.open")
def kinds(request: Request) -> HttpResponse:
    """What the officer's office may receive for another one."""
    found = fronts.received_kinds(request.actor, timezone.localdate())
    new = [(f"{reverse(page)}?for={ANOTHER}", KIND_WORDS[kind]) for kind, page in FIRST.items() if kind in found]
    links = [(reverse("staff:case-elsewhere-kind", args=[kind]), KIND_WORDS[kind]) for kind in found
             if kind in RECEIVED]
    return render(request, "staff/elsewhere.html", {
        "title": _("Receive for another office"), "links": new + links,
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


@requires("case.open")
@sensitive_post_parameters(*PERSON, "id_number")
def kind_of_case(request: Request, kind: str) -> HttpResponse:
    """A case of one kind for a holder whose record is another office's."""
    if kind not in RECEIVED or kind not in fronts.received_kinds(request.actor, timezone.localdate()):
        raise Refusal("not-found")
    homes = list(fronts.deciders(request.actor)[:2])
    form = PresentForm(request.POST or None, kind=kind, holder=None, home=homes[0].code if len(homes) == 1 else 0)
    form.order_fields([*PERSON, WISHES])
    if request.method == "POST" and form.is_valid():
        told = {name: value for name, value in form.told().items() if name not in (*PERSON, WISHES)}
        opened = page_of(form, lambda: services.open_elsewhere(
            kind, form.present(), by=request.actor, request_id=request_key(request), at=timezone.now(), **told))
        if opened:
            return opened
    return render(request, "staff/form.html", {
        "title": KIND_WORDS[kind], "form": form, "submit": _("Open the case"), "back": reverse("staff:case-elsewhere"),
        "intro": _("The record is another office's and is not shown here. That office learns who asked."),
        "breadcrumbs": trail((_("Cases"), "staff:cases"), (_("Receive for another office"), "staff:case-elsewhere"))})


urls = [
    path("cases/elsewhere", kinds, name="case-elsewhere"),
    path("cases/elsewhere/<str:kind>", kind_of_case, name="case-elsewhere-kind"),
]
