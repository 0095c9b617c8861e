"""The switch that stops issuing (停发): thrown by one person with a reason, lifted by two."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cards import queries, services
from zhengka.cards.models import Stop
from zhengka.cards.workflow import STOP
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Plan"), "staff:plan"), (_("Stops of issuing"), "staff:stops"))


class AreaField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of areas by their names."""

    def label_from_instance(self, obj: Any) -> str:
        """The name in the visitor's language."""
        return area_name(obj)


class StopForm(forms.Form):
    """For which area, and why."""

    area = AreaField(Area.objects.none(), label=_("Area"), empty_label=None)
    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_(
        "Every office of the area reads it. Write no name and no number of a person."))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Offer the areas that the officer sees whole."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = Area.objects.filter(  # type: ignore[attr-defined]
            code__gte=actor.lo, last__lte=actor.hi).exclude(level="street").order_by("code")


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Reason"), max_length=300)


class Asked(NamedTuple):
    """An act on a stop that needs a reason."""

    title: Text
    said: Text
    do: Callable[..., Stop]


WHY = {"ask_lift": Asked(_("Ask to lift the stop"), _("It waits for a second person."), services.ask_lift),
       "keep_stopped": Asked(_("Keep it stopped"), _("The stop stays."), services.keep_stopped)}


@requires("plan.read", "issuing.stop", "issuing.resume")
def index(request: Request) -> HttpResponse:
    """All stops that touch one's area."""
    found = queries.stops(request.actor)
    if (state := request.GET.get("state", "")) in STOP.states:
        found = found.filter(state=state)
    rows, pager = page_of(request, found.order_by("-pk"), newest=True)
    columns = [Column(_("Area")), Column(_("State")), Column(_("Since")), Column(_("Reason"))]
    table = Table(_("Stops of issuing"), columns, [
        Row([Cell(area_name(row.area), href=reverse("staff:stop", args=[row.pk])),
             Cell(words.look("issuing-stop", row.state)[1], tone=words.look("issuing-stop", row.state)[0]),
             moment(row.at), row.why]) for row in rows], pager=pager, caption_hidden=True,
        empty=_("Issuing was never stopped here."))
    return render(request, "staff/stops/index.html", {
        "title": _("Stops of issuing"), "table": table, "may_stop": request.actor.may("issuing.stop"),
        "breadcrumbs": trail(TRAIL[0])})


@requires("issuing.stop")
def new(request: Request) -> HttpResponse:
    """Throw the switch."""
    form = StopForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: services.stop_issuing(
            form.cleaned_data["area"], form.cleaned_data["why"], by=request.actor, request_id=key, at=timezone.now()),
            to=lambda pk: reverse("staff:stop", args=[pk]), said=_("Issuing is stopped."))
    return render(request, "staff/form.html", {
        "title": _("Stop issuing"), "form": form, "submit": _("Stop issuing now"), "back": reverse("staff:stops"),
        "intro": _("From now on no card of the area is prepared, sent to the maker or handed over. Losses, blocks and "
                   "what comes back from makers go on. Two persons lift it."), "breadcrumbs": trail(*TRAIL)})


@requires("plan.read", "issuing.stop", "issuing.resume")
def stop(request: Request, pk: int) -> HttpResponse:
    """One stop: why, who, since when, and how it is lifted."""
    row = queries.stop(pk, actor=request.actor)
    facts = [Fact(_("Area"), area_name(row.area)), Fact(_("Reason"), row.why), Fact(_("Since"), moment(row.at)),
             Fact(_("Until"), moment(row.lifted_at))]
    return render(request, "staff/stops/stop.html", {
        "title": _("Stop of issuing"), "caption": area_name(row.area), "stop": row, "facts": facts,
        "open": _open(row, request.actor), "asked_by_me": row.state == "lifting" and (
            row.lift_person == request.actor.person), "why": WHY,
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("issuing.resume")
def why(request: Request, pk: int, action: str) -> HttpResponse:
    """Ask that it is lifted, or keep it, with a reason."""
    row = queries.stop(pk, actor=request.actor)
    if action not in WHY:
        raise Refusal("not-found")
    asked, back, form = WHY[action], reverse("staff:stop", args=[pk]), WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: asked.do(row, form.cleaned_data["why"], by=request.actor, request_id=key,
                                                 at=timezone.now()), to=back, said=asked.said)
    return render(request, "staff/form.html", {
        "title": asked.title, "form": form, "submit": asked.title, "back": back, "breadcrumbs": trail(*TRAIL)})


@requires("issuing.resume")
@require_POST
def lift(request: Request, pk: int) -> HttpResponse:
    """The second person lifts it."""
    row = queries.stop(pk, actor=request.actor)
    return act(request, lambda key: services.lift(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:stop", args=[pk]), said=_("Issuing goes on. Batches that stood still are resumed one "
                                                           "by one."))


def banner(actor: Actor) -> list[dict[str, Any]]:
    """What every page of an officer says while issuing is stopped in the area, or in a part of it."""
    return [{"area": area_name(row.area), "why": row.why, "since": moment(row.at),
             "href": reverse("staff:stop", args=[row.pk])
             if any(actor.may(each) for each in ("plan.read", "issuing.stop", "issuing.resume")) else ""}
            for row in queries.stops(actor).exclude(state="lifted")[:3]]


def _open(row: Stop, actor: Actor) -> set[str]:
    """The steps that this officer may take."""
    if not actor.lo <= row.area_id <= row.last <= actor.hi:
        return set()
    steps = {step.action for step in STOP.open_to(row.state, actor.permissions)}
    return steps - {"lift"} if row.lift_person == actor.person else steps



urls = [
    path("stops/", index, name="stops"),
    path("stops/new", new, name="stop-new"),
    path("stops/<int:pk>/", stop, name="stop"),
    path("stops/<int:pk>/lift", lift, name="stop-lift"),
    path("stops/<int:pk>/why/<slug:action>", why, name="stop-why"),
]
