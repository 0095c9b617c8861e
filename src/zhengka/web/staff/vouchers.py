"""Vouchers (凭证) as an office sees them: for what, when, whether used; cancelled or moved if a holder asks."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.formats import qr
from zhengka.formats.qr import BadQr
from zhengka.formats.voucher import FORM, BadVoucher, from_base32, to_base32
from zhengka.gates import queries, services
from zhengka.gates.models import Voucher
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.gate_places import place_words, rule_word, service_word
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.settlements import gives_word
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Gates"), "staff:gates"), (_("Vouchers"), "staff:vouchers"))


class CodeForm(forms.Form):
    """A voucher's code, as it is printed below its square."""

    code = forms.CharField(label=_("Code of the voucher"), max_length=40, help_text=_("16 letters and digits."))

    def clean_code(self) -> bytes:
        """The code itself."""
        try:
            return from_base32(self.cleaned_data["code"])
        except BadVoucher:
            raise forms.ValidationError(_("A code has 16 letters A to Z and digits 2 to 7.")) from None


class CancelForm(forms.Form):
    """Why it is cancelled."""

    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_("Write no name and no number of a person."))


class MoveForm(forms.Form):
    """Another time."""

    begins = forms.DateTimeField(label=_("Good from"), help_text=_("Such as 2026-12-01 09:00."))
    hours = forms.IntegerField(label=_("Hours"), min_value=1, max_value=24 * 31, initial=2)


@requires("gate.read")
def index(request: Request) -> HttpResponse:
    """The vouchers of one's area; one of them by its code."""
    form = CodeForm(request.POST if "code" in request.POST else None)
    found = queries.vouchers(actor=request.actor)
    if request.method == "POST" and form.is_valid():
        found = found.filter(code=form.cleaned_data["code"])
    rows, pager = page_of(request, found, newest=True)
    columns = [Column(_("Service")), Column(_("Place")), Column(_("Good from")), Column(_("State"))]
    table = Table(_("Vouchers"), columns, [
        Row([Cell(service_word(row.operator, row.service), href=reverse("staff:voucher", args=[row.pk])),
             place_words(row.operator, row.venue), moment(row.begins), _state(row)]) for row in rows],
        pager=pager, caption_hidden=True, empty=_("There is no such voucher."))
    return render(request, "staff/gates/vouchers.html", {
        "title": _("Vouchers"), "table": table, "form": form, "breadcrumbs": trail(TRAIL[0])})


@requires("gate.read")
def voucher(request: Request, pk: int) -> HttpResponse:
    """One voucher."""
    row = queries.voucher(pk, actor=request.actor)
    may_change = request.actor.may("gate.manage") and row.state == "issued"
    facts = [*_told(row), Fact(_("Rule"), rule_word(row.operator, row.rule)),
             *[Fact(word, Cell(service_word(other.operator, other.service), href=reverse("staff:voucher",
                                                                                         args=[other.pk])))
               for word, other in _related(row)],
             Fact(_("Issued at the gate"), Cell(row.gate.name, href=reverse("staff:gate", args=[row.gate_id])))]
    return render(request, "staff/gates/voucher.html", {
        "title": service_word(row.operator, row.service), "caption": _("Voucher"), "voucher": row, "facts": facts,
        "may_change": may_change, "may_accompany": may_change and row.companions and row.ends > timezone.now(),
        "code": _code(row) if may_change else "", "unsigned": may_change and row.payload is None,
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("gate.manage")
def slip(request: Request, pk: int) -> HttpResponse:
    """A voucher to be printed and given away; the voucher's page where there is no code to print."""
    row = queries.voucher(pk, actor=request.actor)
    back = reverse("staff:voucher", args=[pk])
    if not (code := _code(row)):
        return redirect(back)
    return render(request, "staff/gates/slip.html", {
        "title": service_word(row.operator, row.service), "facts": _told(row), "code": code, "back": back,
        "office": place_words(row.operator, row.venue)})


@requires("gate.manage")
@require_POST
def accompany(request: Request, pk: int) -> HttpResponse:
    """Give a companion a voucher of their own."""
    row = queries.voucher(pk, actor=request.actor)
    return act(request, lambda key: services.companion(row, by=request.actor, request_id=key, at=timezone.now()),
               to=lambda new: reverse("staff:voucher", args=[new]), said=_("This is the voucher of the companion."))


@requires("gate.manage")
def cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel a voucher that was not used."""
    row, form = queries.voucher(pk, actor=request.actor), CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: services.cancel(
            row, form.cleaned_data["why"], by=request.actor, request_id=key, at=timezone.now()),
            to=reverse("staff:voucher", args=[pk]), said=_("The voucher is cancelled."))
    return _form(request, row, form, title=_("Cancel this voucher"), submit=_("Cancel the voucher"))


@requires("gate.manage")
def move(request: Request, pk: int) -> HttpResponse:
    """Give a voucher of another time for it."""
    row, form = queries.voucher(pk, actor=request.actor), MoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        begins = form.cleaned_data["begins"]
        return act(request, lambda key: services.transfer(
            row, begins, begins + timedelta(hours=form.cleaned_data["hours"]), by=request.actor, request_id=key,
            at=timezone.now()), to=lambda new: reverse("staff:voucher", args=[new]),
            said=_("The voucher is for another time now."))
    return _form(request, row, form, title=_("Move to another time"), submit=_("Move the voucher"))


def _form(request: Request, row: Voucher, form: forms.Form, **told: Any) -> HttpResponse:
    return render(request, "staff/form.html", {
        "form": form, "caption": service_word(row.operator, row.service), "breadcrumbs": trail(*TRAIL),
        "back": reverse("staff:voucher", args=[row.pk]), **told})


def _told(row: Voucher) -> list[Fact]:
    """What a voucher itself tells."""
    code = to_base32(bytes(row.code))
    return [Fact(_("Code of the voucher"), Cell(" ".join(code[n:n + 4] for n in range(0, 16, 4)), number=True)),
            Fact(_("Place"), place_words(row.operator, row.venue)), Fact(_("Benefit"), gives_word(row.gives)),
            Fact(_("Companions"), row.companions), Fact(_("Good from"), moment(row.begins)),
            Fact(_("Good until"), moment(row.ends))]


def _related(row: Voucher) -> list[tuple[Text, Voucher]]:
    """The vouchers that it replaces or accompanies, and that replaced or accompany it."""
    found = [(_("Instead of the voucher"), row.instead_of), (_("Beside the holder's voucher"), row.beside)]
    later = Voucher.objects.filter(instead_of=row).first()
    return [(word, one) for word, one in (
        *found, (_("Moved to the voucher"), later),
        *((_("A companion's voucher"), one) for one in row.beside_it.order_by("nth"))) if one is not None]


def _code(row: Voucher) -> SafeString:
    """The code to be scanned, once the platform has signed it."""
    text = queries.text_of(row)
    with suppress(BadQr):  # of a site whose address is so long that no code holds it beside the longest voucher
        return SafeString(qr.svg(text, form=FORM, title=gettext("Code of the voucher")) if text else "")
    return SafeString("")


def _state(row: Voucher) -> Cell:
    tone, word = words.look("voucher", row.state)
    return Cell(word, tone=tone)


urls = [
    path("vouchers/", index, name="vouchers"),
    path("vouchers/<int:pk>/", voucher, name="voucher"),
    path("vouchers/<int:pk>/slip", slip, name="voucher-slip"),
    path("vouchers/<int:pk>/companion", accompany, name="voucher-companion"),
    path("vouchers/<int:pk>/cancel", cancel, name="voucher-cancel"),
    path("vouchers/<int:pk>/move", move, name="voucher-move"),
]
