"""The worklist (待办): what waits for this officer, with the oldest of it at hand."""

from collections.abc import Mapping

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.accounts import queries as accounts
from zhengka.cards import queries as cards
from zhengka.cases import queries as cases
from zhengka.core.actors import Actor
from zhengka.custody import queries as custody
from zhengka.devices import queries as devices
from zhengka.gates import queries as gates
from zhengka.keys import queries as keys
from zhengka.production import queries as production
from zhengka.web.access import Request, requires
from zhengka.web.staff import holds, late
from zhengka.web.staff.cases import COLUMNS, case_row
from zhengka.web.staff.holders import SearchForm
from zhengka.web.staff.navigation import navigation
from zhengka.web.ui import words
from zhengka.web.ui.parts import Table, Text, Tile

WAITING: tuple[tuple[str, str, str, Text], ...] = (
    # permission        list     state        what waits
    ("batch.make", "cards", "ordered", _("Cards to be put into a batch")),
    ("batch.make", "cards", "held", _("Cards held")),
    ("batch.make", "batches", "open", _("Batches to prepare")),
    ("batch.make", "batches", "stalled", _("Batches whose preparation failed")),
    ("batch.make", "batches", "paused", _("Batches that are paused")),
    ("batch.send", "batches", "prepared", _("Batches to send")),
    ("batch.receive", "batches", "sent", _("Batches at the card maker")),
    ("batch.receive", "batches", "received", _("Batches received and not closed")),
    ("batch.receive", "cards", "suspect", _("Suspect cards to clear up")),
    ("batch.receive", "cards", "missing", _("Cards that are not here, to look for")),
    ("card.hand_over", "cards", "ready", _("Cards to hand over")),
    ("card.activate", "cards", "issued", _("Cards to activate")),
    ("device.manage", "devices", "registered", _("Devices to put to work")),
    ("officer.permit", "permits", "pending", _("Roles to permit")),
    ("officer.permit", "delegations", "asked", _("Delegations to permit")),
    ("settlement.make", "settlements", "draft", _("Statements to send")),
    ("settlement.confirm", "settlements", "agreed", _("Statements to close")),
    ("issuing.resume", "stops", "lifting", _("Stops of issuing to be lifted")),
    ("list.release", "holds", "held", _("Mass blocks to look at")),
    ("list.release", "holds", "asked", _("Mass blocks to release")),
    ("key.custody", "ceremonies", "gathering", _("Key ceremonies that wait for you")),
)
"""Who is waited for, by whom, where it is found. A test holds each line against the workflow tables."""

CASE_DUTIES: dict[str, Text] = {
    "confirm": _("Photo and data to confirm"), "review": _("Cases to review"), "approve": _("Cases to approve"),
    "accept": _("Applications to accept"), "assess": _("Assessments to do"), "publish": _("Public notices to put up")}
"""Step of a case → what waits for it, shown though nothing waits; other steps are shown when something does."""

FIRST = 10
FEW = 2
"""With no more tiles than these an officer finds the subjects of the role on the page, too."""


@requires()
def index(request: Request) -> HttpResponse:
    """Counts of what waits for this officer, the search, and the oldest cases of the first kind that waits."""
    duties = cases.duties(request.actor)
    tiles = _tiles(request, duties)
    step = next((step for step, number in duties.items() if number), "")
    return render(request, "staff/home.html", {
        "title": _("Worklist"), "tiles": tiles, "table": _soonest(request, step) if step else None,
        "all": f"{reverse('staff:cases')}?step={step}" if step else "",
        "may_open": request.actor.may("case.open"),
        "form": SearchForm() if request.actor.may("holder.read") else None,
        "subjects": [link for link in navigation(request.actor, request.path)
                     if not link["current"] and len(tiles) <= FEW]})


def _tiles(request: Request, duties: Mapping[str, int]) -> list[Tile]:
    """A figure for all that may wait for this officer, in the order of the work."""
    counts = _counts(request)
    mine = [line for line in WAITING if request.actor.may(line[0])]
    shown = [(step, number) for step, number in duties.items() if number or step in CASE_DUTIES]
    tiles = [Tile(_duty(step), number, href=f"{reverse('staff:cases')}?step={step}",
                  tone=words.WAIT if number else "") for step, number in shown]
    tiles += [Tile(label, counts[kind].get(state, 0), href=f"{reverse(f'staff:{kind}')}?state={state}",
                  tone=words.WAIT if counts[kind].get(state) else "") for _perm, kind, state, label in mine]
    if request.actor.may("card.activate"):
        offices = cards.ending_by_area(request.actor, timezone.localdate())
        ending = sum(sum(office.cards.values()) for office in offices)
        tiles.append(Tile(_("Yearly activations due"), ending, href=reverse("staff:activations"),
                          tone=words.WAIT if ending else ""))
    if request.actor.may("custody.read"):
        under_way = sum(custody.by_state(request.actor).get(state, 0) for state in custody.UNDER_WAY)
        amiss = custody.open_troubles(request.actor)
        tiles.append(Tile(_("Parcels under way"), under_way, href=reverse("staff:custody")))
        tiles.append(Tile(_("Custody cases open"), amiss, href=reverse("staff:troubles"),
                          tone=words.WAIT if amiss else ""))
    if request.actor.may("plan.read") and not request.actor.may("case.read"):
        tiles += late.tiles(request)
    if request.actor.may("case.read"):
        number = cases.number_on_desks(request.actor, cases.mine(request.actor, timezone.localdate()))
        tiles.insert(0, Tile(_("On my desk"), number, href=f"{reverse('staff:cases')}?step=mine",
                             tone=words.WAIT if number else ""))
    return tiles


def _counts(request: Request) -> dict[str, Mapping[str, int]]:
    """List → state → number, of the lists in which something may wait for this officer."""
    ask = {"cards": cards.counts, "batches": production.by_state, "permits": _permits, "delegations": _delegations,
           "ceremonies": _ceremonies, "devices": _devices, "stops": _stops, "holds": holds.waiting,
           "settlements": _settlements}
    wanted = {kind for permission, kind, _state, _label in WAITING if request.actor.may(permission)}
    return {kind: ask[kind](request.actor) for kind in wanted}


def _permits(actor: Actor) -> dict[str, int]:
    return {"pending": accounts.waiting(actor=actor).count()}


def _delegations(actor: Actor) -> dict[str, int]:
    return {"asked": accounts.lendings(timezone.localdate(), actor=actor).filter(state="asked").count()}


def _devices(actor: Actor) -> dict[str, int]:
    return {"registered": devices.devices(actor=actor).filter(state="registered").count()}


def _settlements(actor: Actor) -> dict[str, int]:
    return dict(gates.statements(actor=actor).order_by().values_list("state").annotate(n=Count("pk")))


def _stops(actor: Actor) -> dict[str, int]:
    return {"lifting": cards.stops(actor).filter(state="lifting").exclude(lift_person=actor.person).count()}


def _ceremonies(actor: Actor) -> dict[str, int]:
    return {"gathering": keys.waiting(actor)}


def _duty(step: str) -> Text:
    """What waits for a step of a case."""
    return CASE_DUTIES.get(step, words.act(step, "case"))


def _soonest(request: Request, step: str) -> Table:
    """The cases of one step that will be late first."""
    found = cases.worklist(request.actor, cases.waiting_for(step, request.actor), limit=FIRST)
    return Table(_duty(step), COLUMNS, [case_row(case) for case in found])


urls = [path("", index, name="home")]
