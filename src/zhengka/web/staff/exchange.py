"""Opening the exchange (启动换发): for one office or all offices of a phase, after a page that says for how many."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cases import queries, services
from zhengka.programme import queries as programmes
from zhengka.web.access import Request, requires
from zhengka.web.staff import acts, missing
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PHASE_WORDS

MOST = 10_000
"""So many who were not invited are counted on a page, which is then as quick as for a few."""


class ExchangeForm(forms.Form):
    """Where the exchange is opened. The phase comes from the plan; an office without a plan belongs to phase one."""

    where = forms.ChoiceField(label=_("Office or phase"), help_text=_(
        "Each holder with a valid certificate of the second generation gets a case. Opening again adds only those who "
        "came since."))


@requires("case.open")
def index(request: Request) -> HttpResponse:
    """Choose where; then see for how many; then open."""
    phases = programmes.phases(actor=request.actor)
    form = ExchangeForm(request.POST or None)
    form.fields["where"].choices = _choices(phases)  # type: ignore[attr-defined]
    context = {"title": _("Open the exchange"), "breadcrumbs": trail((_("Cases"), "staff:cases")),
               "back": reverse("staff:cases")}
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/exchange_where.html", {
            **context, "form": form, "submit": _("Continue"), "unreached": (number := queries.uninvited(
                phases, actor=request.actor, most=MOST)), "shown": missing.at_least(number, MOST),
            "may_write": request.actor.may("letter.send")})
    where = form.cleaned_data["where"]
    chosen = _chosen(phases, where)
    if request.POST.get("sure") == "1":
        return acts.begin(request, lambda key: services.ask_exchange(
            chosen, by=request.actor, request_id=key, at=timezone.now()))
    return render(request, "staff/exchange.html", {
        **context, "where": where, "number": queries.candidates([unit for unit, _ in chosen], actor=request.actor),
        "units": [(area_name(unit), PHASE_WORDS.get(phase, phase)) for unit, phase in chosen]})


@requires("case.open")
@require_POST
def invite(request: Request) -> HttpResponse:
    """Ask that those be written to who wait for the exchange and were not."""
    return acts.begin(request, lambda key: services.ask_invitations(
        by=request.actor, request_id=key, at=timezone.now()))


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


urls = [path("exchange/", index, name="exchange"), path("exchange/invite", invite, name="exchange-invite")]
