"""Opening the exchange (启动换发): for one office or all offices of a phase, after a page that says for how many."""

from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.areas.queries import issuing_units
from zhengka.cases import queries, services
from zhengka.core.events import sub
from zhengka.programme.queries import programmes, targets
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PHASE_WORDS

FIRST = 1


class ExchangeForm(forms.Form):
    """Where the exchange is opened. The phase comes from the plan; an office without a plan belongs to phase one."""

    where = forms.ChoiceField(label=_("Office or phase"), help_text=_(
        "Each holder with a valid certificate of the second generation gets a case. Opening again adds only those who "
        "came since."))


@requires("case.open")
def index(request: Request) -> HttpResponse:
    """Choose where; then see for how many; then open."""
    phases = _phases(request)
    form = ExchangeForm(request.POST or None)
    form.fields["where"].choices = _choices(phases)  # type: ignore[attr-defined]
    context = {"title": _("Open the exchange"), "breadcrumbs": trail((_("Cases"), "staff:cases")),
               "back": reverse("staff:cases")}
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/form.html", {**context, "form": form, "submit": _("Continue")})
    where = form.cleaned_data["where"]
    chosen = _chosen(phases, where)
    if request.POST.get("sure") == "1":
        return act(request, lambda key: _open(request, chosen, key), to=f"{reverse('staff:cases')}?state=notified",
                   said=_said)
    return render(request, "staff/exchange.html", {
        **context, "where": where, "number": queries.candidates([unit for unit, _ in chosen], actor=request.actor),
        "units": [(area_name(unit), PHASE_WORDS.get(phase, phase)) for unit, phase in chosen]})


def _phases(request: Request) -> dict[Area, int]:
    """The offices of the officer's area, each with its phase in the plan."""
    planned = {target.area_id: target.phase for programme in programmes() for target in targets(programme.code)}
    return {unit: planned.get(unit.code, FIRST) for unit in issuing_units(request.actor.lo, request.actor.hi)}


def _choices(phases: dict[Area, int]) -> list[tuple[str, str]]:
    whole = []
    for phase in sorted(set(phases.values())):
        units = sum(each == phase for each in phases.values())
        if units > 1:
            whole.append((f"phase-{phase}", gettext("%(phase)s: all %(n)s offices") % {
                "phase": PHASE_WORDS.get(phase, phase), "n": units}))
    single = [(str(unit.code), f"{area_name(unit)} ({PHASE_WORDS.get(phase, phase)})")
              for unit, phase in phases.items()]
    return [("", "—"), *whole, *single]


def _chosen(phases: dict[Area, int], where: str) -> list[tuple[Area, int]]:
    return [(unit, phase) for unit, phase in phases.items() if where in (f"phase-{phase}", str(unit.code))]


@transaction.atomic
def _open(request: Request, chosen: list[tuple[Area, int]], key: UUID) -> int:
    return sum(services.open_exchange(unit, phase, by=request.actor, request_id=sub(key, unit.code), at=timezone.now())
               for unit, phase in chosen)


def _said(opened: int) -> str:
    return ngettext("%(n)s case is opened.", "%(n)s cases are opened.", opened) % {"n": f"{opened:,}"}


urls = [path("exchange/", index, name="exchange")]
