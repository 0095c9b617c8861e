"""A batch's package in parts, and the receipts that go with it (分卷, 回执)."""

from contextlib import suppress
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.formats import statement
from zhengka.production import queries, services
from zhengka.production.models import Batch
from zhengka.web.access import Request, act, request_key, requires


class ReceiptForm(forms.Form):
    """What the card maker says of the package."""

    receipt = forms.FileField(label=_("Receipt file"), help_text=_(
        "The signed file that the card maker wrote when it had the whole package."))


class PartForm(forms.Form):
    """Which part of the package."""

    part = forms.IntegerField(label=_("Part"), min_value=1, max_value=100_000, help_text=_(
        "Its number, from 1, as the card maker's program names it."), widget=forms.TextInput(
            attrs={"inputmode": "numeric", "class": "govuk-input--width-5", "autocomplete": "off"}))


@requires("batch.receive")
@require_POST
def acknowledge(request: Request, pk: int) -> HttpResponse:
    """Take the card maker's receipt of the package."""
    row = queries.batch(pk, actor=request.actor)
    form = ReceiptForm(request.POST, request.FILES)
    if not form.is_valid():
        return _again(request, row, form, _("Take the receipt"))
    text = form.cleaned_data["receipt"].read(statement.MOST + 1)

    def do(key: UUID) -> Batch:
        return services.acknowledge(row, text, by=request.actor, request_id=key, at=timezone.now())
    return act(request, do, to=reverse("staff:batch", args=[pk]), said=_("The card maker has the package."))


@requires("batch.receive")
@require_safe
def receipt(request: Request, pk: int) -> HttpResponse:
    """Our receipt of the results, once a worker has signed it; it holds no person's data."""
    row = queries.batch(pk, actor=request.actor)
    if not row.receipt:
        raise Refusal("not-found")
    return _file(f"{row.number}.receipt", row.receipt.encode())


@requires("batch.send")
@require_POST
def part_list(request: Request, pk: int) -> HttpResponse:
    """The signed list of the parts of the package; who took it is written down first."""
    row = _taken(request, pk)
    return _file(f"{row.package}.parts", services.list_of(row))


@requires("batch.send")
@require_POST
def part(request: Request, pk: int) -> HttpResponse:
    """One part of the package; who took it is written down first."""
    form = PartForm(request.POST)
    if not form.is_valid():
        return _again(request, queries.batch(pk, actor=request.actor), form, _("Download the part"))
    return _file(*services.part(_taken(request, pk), form.cleaned_data["part"]))


def _taken(request: Request, pk: int) -> Batch:
    """The batch, of which a package, or a part of it, is taken out of the house now."""
    row = queries.batch(pk, actor=request.actor)
    with suppress(Replayed):
        row = services.take_package(row, by=request.actor, request_id=request_key(request), at=timezone.now())
    return row


def _again(request: Request, row: Batch, form: forms.Form, word: object) -> HttpResponse:
    return render(request, "staff/form.html", {
        "title": word, "form": form, "submit": word, "back": reverse("staff:batch", args=[row.pk])}, status=400)


def _file(name: str, data: bytes) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="application/octet-stream", headers=headers)


urls = [
    path("batches/<int:pk>/acknowledge", acknowledge, name="batch-acknowledge"),
    path("batches/<int:pk>/receipt", receipt, name="batch-receipt"),
    path("batches/<int:pk>/parts", part_list, name="batch-part-list"),
    path("batches/<int:pk>/part", part, name="batch-part"),
]
