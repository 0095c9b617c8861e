"""Blocks that gates are not told of before two persons have released them (暂缓下发)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cards import reach, services
from zhengka.cards.holding import FEWEST, PER_THOUSAND
from zhengka.cards.models import ListHold
from zhengka.cards.services.holds import LAPSED
from zhengka.cards.workflow import LIST_HOLD
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import event_word, moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Blocks held back"), "staff:holds"),)


class ReasonForm(forms.Form):
    """A reason, and how many cards there were on the page."""

    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_(
        "Write no name and no number of a person."))
    seen = forms.IntegerField(widget=forms.HiddenInput)


class Asked(NamedTuple):
    """An act on a hold that needs a reason."""

    title: Text
    said: Text
    do: Callable[..., ListHold]


WHY = {
    "ask_release": Asked(_("Ask to release them"), _("It waits for a second person."), services.ask_release),
    "keep_held": Asked(_("Do not release them"), _("They stay held back."), services.keep_held)}


@requires("card.read", "list.release")
def index(request: Request) -> HttpResponse:
    """The holds of one's area, those that wait first."""
    found = reach.holds(request.actor)
    if (state := request.GET.get("state", "")) in LIST_HOLD.states:
        found = found.filter(state=state)
    rows, pager = page_of(request, found.order_by("-pk"), newest=True)
    columns = [Column(_("Held back since")), Column(_("State")), Column(_("Area")), Column(_("Cards"), numeric=True)]
    names = _names(rows)
    table = Table(_("Blocks held back"), columns, [
        Row([Cell(moment(row.at), href=reverse("staff:hold", args=[row.pk])),
             Cell(words.look("list-hold", row.state)[1], tone=words.look("list-hold", row.state)[0]),
             names[row.area_id], row.cards]) for row in rows], pager=pager, caption_hidden=True,
        empty=_("No block was ever held back here."))
    return render(request, "staff/holds/index.html", {
        "title": _("Blocks held back"), "table": table, "fewest": FEWEST, "share": f"{PER_THOUSAND / 10:g} %"})


@requires("card.read", "list.release")
def hold(request: Request, pk: int) -> HttpResponse:
    """One hold: how many cards, by which acts, and how it is released."""
    row = reach.hold(pk, actor=request.actor)
    area = _names([row])[row.area_id]
    causes = [(_cause(one.action), one.cards) for one in reach.causes(row)]
    facts = [Fact(_("Area"), area), Fact(_("Cards"), row.cards),
             Fact(_("Still held back"), reach.waiting(row)), Fact(_("Held back since"), moment(row.at)),
             Fact(_("Until"), moment(row.ended_at))]
    return render(request, "staff/holds/hold.html", {
        "title": _("Blocks held back"), "caption": area, "hold": row, "facts": facts,
        "causes": causes, "open": _open(row, request.actor), "why": WHY,
        "asked_by_me": row.state == "asked" and row.asked_person == request.actor.person,
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("list.release")
def why(request: Request, pk: int, action: str) -> HttpResponse:
    """Ask that they are released, or do not release them, with a reason."""
    row = reach.hold(pk, actor=request.actor)
    if action not in WHY:
        raise Refusal("not-found")
    asked, back = WHY[action], reverse("staff:hold", args=[pk])
    form = ReasonForm(request.POST or None, initial={"seen": row.cards})
    if request.method == "POST" and form.is_valid():
        looked = {"seen": form.cleaned_data["seen"]} if action == "ask_release" else {}
        return act(request, lambda key: asked.do(row, form.cleaned_data["why"], **looked, by=request.actor,
                                                 request_id=key, at=timezone.now()), to=back, said=asked.said)
    return render(request, "staff/form.html", {
        "title": asked.title, "form": form, "submit": asked.title, "back": back,
        "breadcrumbs": trail(*TRAIL)})


@requires("list.release")
@require_POST
def release(request: Request, pk: int, seen: int) -> HttpResponse:
    """The second person releases as many as were on the page."""
    row = reach.hold(pk, actor=request.actor)
    return act(request, lambda key: services.release(row, seen=seen, by=request.actor, request_id=key,
                                                     at=timezone.now()),
               to=reverse("staff:hold", args=[pk]), said=_("The blocks are released: gates are told now."))


def waiting(actor: Actor) -> dict[str, int]:
    """How many holds wait for this officer: to be asked for, and to be released as the second person."""
    found = reach.holds(actor)
    return {"held": found.filter(state="held").count(),
            "asked": found.filter(state="asked").exclude(asked_person=actor.person).count()}


def _cause(action: str) -> Text:
    return _("The term of the activation ended") if action == LAPSED else event_word("card", action)


def _names(rows: Sequence[ListHold]) -> dict[int, Text]:
    """The areas of holds by their codes."""
    known: dict[int, Text] = {area.code: area_name(area) for area in Area.objects.filter(
        code__in={row.area_id for row in rows})}
    return {row.area_id: known.get(row.area_id, _("The whole country")) for row in rows}


def _open(row: ListHold, actor: Actor) -> set[str]:
    """The steps that this officer may take."""
    steps = {step.action for step in LIST_HOLD.open_to(row.state, actor.permissions)}
    return steps - {"release"} if row.asked_person == actor.person else steps


urls = [
    path("holds/", index, name="holds"),
    path("holds/<int:pk>/", hold, name="hold"),
    path("holds/<int:pk>/why/<slug:action>", why, name="hold-why"),
    path("holds/<int:pk>/release/<int:seen>", release, name="hold-release"),
]
