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
from zhengka.web.access import Request, request_key, requires
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.opening import ANOTHER, AT_THE_COUNTER, OFF, BroughtForm, page_of


class PresentForm(BroughtForm):
    """Who stands at the counter, and what they bring; the record is another office's and is not shown."""

    present_name = forms.CharField(label=_("Name"), max_length=50, widget=forms.TextInput(
        attrs=OFF | {"autofocus": True}))
    present_id = forms.CharField(label=_("ID number"), max_length=24, widget=forms.TextInput(
        attrs=OFF | {"class": "govuk-input--width-20"}), help_text=_("As on the ID card that lies before you."))
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False, widget=forms.TextInput(
        attrs=OFF | {"inputmode": "tel"}))
    address = forms.CharField(label=_("Address"), max_length=200, required=False, help_text=_(
        "Where letters and the card are to be sent."), widget=forms.TextInput(attrs=OFF))

    def clean_present_name(self) -> str:
        """The name as the registry writes names."""
        try:
            return normalise(self.cleaned_data["present_name"])
        except BadName:
            raise forms.ValidationError(_("Enter the name as it stands on the ID card.")) from None

    def present(self) -> services.Present:
        """What the form says of the person."""
        return services.Present(*(str(self.cleaned_data[name]).strip() for name in (
            "present_name", "present_id", "phone", "address")))


PERSON = ("present_name", "present_id", "phone", "address")


@requires("case.open")
def kinds(request: Request) -> HttpResponse:
    """What the officer's office may receive for another one."""
    found = fronts.received_kinds(request.actor, timezone.localdate())
    new = [(f"{reverse('staff:case-new')}?for={ANOTHER}", KIND_WORDS["new"])] if "new" in found else []
    links = [(reverse("staff:case-elsewhere-kind", args=[kind]), KIND_WORDS[kind]) for kind in found
             if kind in AT_THE_COUNTER]
    return render(request, "staff/elsewhere.html", {
        "title": _("Receive for another office"), "links": new + links,
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


@requires("case.open")
@sensitive_post_parameters("present_id", "phone", "address", "id_number")
def kind_of_case(request: Request, kind: str) -> HttpResponse:
    """A case of one kind for a holder whose record is another office's."""
    if kind not in AT_THE_COUNTER or kind not in fronts.received_kinds(request.actor, timezone.localdate()):
        raise Refusal("not-found")
    form = PresentForm(request.POST or None, kind=kind, holder=None)
    form.order_fields(PERSON)
    if request.method == "POST" and form.is_valid():
        told = {name: value for name, value in form.told().items() if name not in PERSON}
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
