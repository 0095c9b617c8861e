"""The ledger of blank cards at any past moment, and what became of one box and of one batch by then."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.core.scope import seeing_all
from zhengka.production import queries as production
from zhengka.stock import queries
from zhengka.stock.models import Box
from zhengka.web.access import Request, requires, seen
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import ACCOUNT_WORDS, SLIP_WORDS, moment
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Fact, Text

TRAIL = ((_("Blank cards"), "staff:stock"),)
CLOCK = re.compile(r"(.*?)[T\s]+(\d{1,2})[:时](\d{1,2})(?::\d\d)?分?\s*\Z")


class MomentField(DateField):
    """A moment that is over: a day and a time by the clock of China; a day alone means its end."""

    def __init__(self, **options: Any) -> None:
        """One text input with a hint."""
        options.setdefault("help_text", _("Such as 2026-03-15 17:30; a day alone means its end, nothing means now."))
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        """The moment, None for nothing; `ValidationError` for anything that is none, or is still to come."""
        text = unicodedata.normalize("NFKC", str(value or "")).strip()
        if not text:
            return None
        clock = CLOCK.match(text)
        day: Any = super().to_python(clock[1] if clock else text)
        try:
            at = datetime.combine(day, time(int(clock[2]), int(clock[3])) if clock else time.max)
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        found, now = timezone.make_aware(at), timezone.now()
        if found > now + (timedelta(0) if clock else timedelta(days=1)):
            raise forms.ValidationError(_("Choose a moment that is over."))
        return min(found, now)


class MomentForm(forms.Form):
    """At which moment the ledger is asked."""

    at = MomentField(label=_("As it was at"), required=False)


@dataclass(frozen=True)
class Asked:
    """The moment that a page shows, whether it is a past one, and the form by which another is asked for."""

    at: datetime
    past: bool
    form: MomentForm

    @property
    def told(self) -> dict[str, Any]:
        """What a page's template shows of it."""
        return {"moment_form": self.form, "past": moment(self.at) if self.past else ""}


def asked(request: Request) -> Asked:
    """The moment in the address (?at=); now where there is none or nonsense, which the form names."""
    form = MomentForm(request.GET if "at" in request.GET else None)
    at = form.cleaned_data["at"] if form.is_valid() else None
    return Asked(at or timezone.now(), at is not None, form)


@requires("stock.read")
def box(request: Request, pk: int) -> HttpResponse:
    """One box as it was delivered, and where its blanks were at a moment."""
    row, when = seen(request, Box, pk), asked(request)
    size, held = row.last - row.first + 1, queries.in_box(row, when.at, lo=request.actor.lo, hi=request.actor.hi)
    came = when.at >= row.slip.at
    rows: list[tuple[Text, int]] = [(word, held[account]) for account, word in ACCOUNT_WORDS.items() if account in held]
    if came and (elsewhere := size - sum(held.values())):
        rows.append((_("At other offices"), elsewhere))
    office = Area.objects.get(pk=row.area)
    facts = [Fact(_("Office"), area_name(office)), Fact(_("Supplier"), row.supplier),
             Fact(_("Serials"), Cell(f"{row.first}-{row.last}", number=True)), Fact(_("Blank cards"), size),
             Fact(_("Number of the seal"), row.seal or "—"),
             Fact(_("Received"), Cell(moment(row.slip.at), href=reverse("staff:stock-slip", args=[row.slip_id])))]
    return render(request, "staff/stock/box.html", {
        "title": row.label, "caption": _("Box of blank cards"), "facts": facts, "rows": rows if came else [],
        "waste": _waste(held), "breadcrumbs": trail(*TRAIL), **when.told})


@requires("batch.read")
def batch(request: Request, pk: int) -> HttpResponse:
    """The blanks of one batch at a moment, by the slips that name it."""
    row, when = production.batch(pk, actor=request.actor), asked(request)
    with seeing_all(connection):  # the machine may be another office's, and so are its slips
        used = queries.of_batch(row.number, when.at)
    return render(request, "staff/stock/box.html", {
        "title": row.number, "caption": _("Blank cards of a batch"),
        "facts": [Fact(_("Office"), area_name(row.area)), Fact(_("Card maker"), row.maker.name),
                  Fact(_("Good cards"), row.good),
                  Fact(_("Results received"), moment(row.received_at))],
        "rows": [(SLIP_WORDS[sort], used[sort]) for sort in ("issue", "spoil") if sort in used], "waste": "",
        "breadcrumbs": [*trail((_("Batches"), "staff:batches")),
                        {"label": row.number, "href": reverse("staff:batch", args=[pk])}], **when.told})


def _waste(held: dict[str, int]) -> str:
    """The share of waste in what was used, in percent; empty before anything was."""
    spoiled = held.get("spoiled", 0) + held.get("destroyed", 0)
    used = held.get("issued", 0) + spoiled
    return f"{spoiled / used:.1%}" if used else ""


urls = [
    path("boxes/<int:pk>/", box, name="stock-box"),
    path("batches/<int:pk>/blanks/", batch, name="batch-blanks"),
]
