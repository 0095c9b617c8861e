"""Cards (证卡) at the desk: found by state, handed over and activated one by one or many at once, lost and found."""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries, services
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.core.actors import Actor
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.custody import services as custody
from zhengka.production import queries as production
from zhengka.production import services as making
from zhengka.registry import queries as registry
from zhengka.web.access import Request, act, request_key, requires, sure
from zhengka.web.staff import activations, destroying, handing, history, holding, letters, partner_numbers
from zhengka.web.staff.batch_parts import hold_words
from zhengka.web.staff.beside import frozen
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE, page_by_place, place, ticked
from zhengka.web.staff.reader import CHIP, chip_panel, chip_part, with_reader
from zhengka.web.staff.words import bilingual, disability, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

SHOWN = ("ready", "issued", "active", "suspended", "frozen", "held", "ordered", "batched", "prepared", "sent",
         "arrived", "spoiled", "suspect", "missing", "cancelled", "destroyed", "lost")
"""States in the order in which an officer looks for them."""

ACTS: dict[str, Callable[..., Any]] = {
    "spoil": making.make_again, "activate": services.activate,
    "report_lost": services.report_lost, "report_found": services.report_found,
    "turn_up": lambda card, **by: services.turn_up_many([card.pk], **by)}
"""Steps that an officer takes on one card's page; it is handed over by a form of its own, which asks for the proof."""

SAID: dict[str, Text] = {
    "spoil": _("The card is spoiled, and another one is ordered in its place. Destroy it."),
    "activate": _("The card is active."),
    "report_lost": _("The card is blocked: every check refuses it from now on."),
    "report_found": _("The card is accepted again."),
    "turn_up": _("The card is under inquiry: keep it apart, and let two persons destroy it.")}
ACT_WORDS: dict[str, Text] = {"spoil": _("Make it again")}
"""What a step is called for a card that waits at the counter."""
LOOKS = {"spoil": "warning-quiet", "activate": "primary", "report_lost": "warning",
         "report_found": "secondary", "turn_up": "secondary"}
KEYS = {"hand_over": "h", "spoil": "", "activate": "a", "report_lost": "l", "report_found": "f", "turn_up": "t"}

COLUMNS = [Column(_("Holder")), Column(_("Serial")), Column(_("Category and grade")), Column(_("Issuing unit")),
           Column(_("State"))]
BULK: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "hand-over": ("ready", "hand_over", custody.hand_over_many),
    "activate": ("issued", "activate", services.activate_many)}
"""Address of a bulk act → the state of its cards, the step, and the service."""


@requires("card.read")
def index(request: Request) -> HttpResponse:
    """Cards of one state in one's area, with the acts that can be done to many at once."""
    state = request.GET.get("state", "")
    state = state if state in CARD.states else "ready"
    counts = queries.counts(request.actor)
    tiles = [Tile(words.look("card", one)[1], counts[one], href=f"?state={one}", tone=_tone(one))
             for one in SHOWN if counts.get(one)]
    bulk = [{"url": reverse("staff:cards-bulk", args=[name]), "label": words.act(step), "key": KEYS[step]}
            for name, (source, step, _service) in BULK.items()
            if source == state and request.actor.may(CARD.step(source, step).permission)]
    bulk += destroying.buttons(request.actor, state)
    return render(request, "staff/cards/index.html", {
        "title": _("Cards"), "tiles": tiles, "state": state, "table": _table(request, state, select=bool(bulk)),
        "may_follow": request.actor.may("custody.read"),
        "bulk": bulk})


@requires("card.read")
def card(request: Request, pk: int) -> HttpResponse:
    """One card: a sample of its face, its numbers, what may be done with it, and what happened.

    Never its code: on a screen that would be a copy of the card (T15, T27). Who must test the code scans the card.
    """
    row = queries.get(pk, actor=request.actor)
    holder = row.holder.name
    chip = chip_panel(request, row)
    page = render(request, "staff/cards/card.html", {
        "title": holder, "caption": _("Card"), "card": row, "sides": _sides(row),
        "facts": _facts(row) + handing.facts(row), "buttons": _buttons(request, row),
        "early": holding.buttons(request, row), "prove": handing.place_to_prove(request, row),
        "history": history.of_row(request, row), "partners": partner_numbers.panel(request, row),
        "activation": activations.panel(request, row), "panel": chip, "chip": chip_part(request, row),
        "letters": letters.section(request, [(row.kind(), row.pk)], reverse("staff:card", args=[pk])),
        "breadcrumbs": trail((_("Cards"), "staff:cards"))})
    return with_reader(page) if chip else page


@requires("card.activate", "card.suspend", "card.restore", "card.order", "batch.receive")
@require_POST
def step(request: Request, pk: int, action: str) -> HttpResponse:
    """Take one step with one card."""
    row = queries.get(pk, actor=request.actor)
    if action not in ACTS:
        raise Refusal("step-not-open", action=action)

    if action == "report_lost" and not sure(request):
        CARD.step(row.state, action)
        return render(request, "staff/sure.html", {
            "title": _("Report this card lost?"), "caption": row.holder.name, "url": request.path, "kind": "warning",
            "meaning": _("Every check refuses the card from now on, until somebody reports it found."),
            "submit": words.act(action), "back": reverse("staff:card", args=[pk]), "hidden": []})
    if action == "spoil" and not sure(request):
        CARD.step(row.state, action)
        return render(request, "staff/sure.html", {
            "title": _("Make this card again?"), "caption": row.holder.name, "url": request.path, "kind": "warning",
            "meaning": _("This card is never handed over and is destroyed. Another one is ordered, under a new serial, "
                         "with what the record says then."),
            "submit": _("Make it again"), "back": reverse("staff:card", args=[pk]), "hidden": []})
    how = activations.how(request) if action == "activate" else {}

    def do(key: UUID) -> Any:
        return ACTS[action](row, **how, by=request.actor, request_id=key, at=timezone.now())

    chip = f"?chip={services.WRITE}" if action in CHIP and request.actor.may("device.use") else ""
    return act(request, do, to=reverse("staff:card", args=[pk]) + chip, said=SAID[action])


@requires("card.hand_over", "card.activate")
@require_POST
def bulk(request: Request, name: str) -> HttpResponse:
    """Take the same step with every card that is ticked; those that somebody moved meanwhile stay as they are."""
    if name not in BULK:
        raise Refusal("not-found")
    source, action, service = BULK[name]
    ids = ticked(request, "card")
    back = f"{reverse('staff:cards')}?state={source}"
    form = handing.ListForm(request.POST if sure(request) else None) if action == "hand_over" else None
    if form is not None and ids:
        if not form.is_valid():
            return handing.asks_for_the_list(request, form, ids, back)
        service = partial(service, proof=form.proof())
    key = request_key(request)
    try:
        done = service(ids, by=request.actor, request_id=key, at=timezone.now()) if ids else []
    except Replayed:
        done = []
    if not isinstance(done, making.Handed):
        done = making.Handed(list(done), [], [], [])
    left = {"card-outdated": done.outdated, "card-keys-over": done.keys_over, "card-unseen": done.unseen,
            "card-not-at-counter": done.away if isinstance(done, custody.HandedHere) else []}
    stayed = {pk for each in left.values() for pk in each}
    _tell(request, action, [pk for pk in ids if pk not in stayed], done.moved)
    if any(left.values()):
        return _left_out(request, left, back)
    return HttpResponseRedirect(back)


def _left_out(request: Request, left: Mapping[str, Sequence[int]], back: str) -> HttpResponse:
    """The cards that were not handed over, by the code of why: a part of the page for each."""
    parts = []
    for code, ids in left.items():
        if ids:
            title, onward = problem_words(PROBLEMS[code])
            rows = [_row(card, request.actor) for card in queries.some(ids, actor=request.actor)]
            parts.append((onward, Table(title, COLUMNS, rows)))
    return render(request, "staff/cards/left_out.html", {
        "title": _("Cards that were left out"), "parts": parts, "back": back,
        "breadcrumbs": trail((_("Cards"), "staff:cards"))})


def _tell(request: Request, action: str, asked: Sequence[int], moved: Sequence[int]) -> None:
    if moved:
        done = ngettext("%(act)s: %(n)d card", "%(act)s: %(n)d cards", len(moved))
        messages.success(request, done % {"act": words.act(action), "n": len(moved)})
    if len(moved) < len(asked):
        left = ngettext("%(n)d card stayed as it was: somebody moved it before.",
                        "%(n)d cards stayed as they were: somebody moved them before.", len(asked) - len(moved))
        messages.warning(request, left % {"n": len(asked) - len(moved)})
    if not asked:
        messages.warning(request, gettext("No card was ticked."))


def _table(request: Request, state: str, *, select: bool) -> Table:
    found = queries.worklist(request.actor, state, after=place(request), limit=SIZE + 1)
    shown, pager = page_by_place(request, found)
    return Table(words.look("card", state)[1], COLUMNS, [_row(one, request.actor) for one in shown], pager=pager,
                 select="card" if select else "", empty=_("No card is in this state."))


def _row(card: Card, actor: Actor) -> Row:
    tone, word = words.look("card", card.state)
    certificate = card.certificate
    name = Cell(card.holder.name, href=reverse("staff:card", args=[card.pk]))
    return Row([name, Cell(card.serial or "—", number=True),
                disability(certificate.category, certificate.grade), area_name(card.area),
                Cell(word, tone=tone, note=destroying.standing(card, actor))],
               value=str(card.pk))


def _facts(card: Card) -> list[Fact]:
    facts: list[Fact] = [
        Fact(_("Certificate number"), Cell(registry.number_of(card.certificate), number=True)),
        Fact(_("Category and grade"), disability(card.certificate.category, card.certificate.grade)),
        Fact(_("Issuing unit"), area_name(card.area)),
        Fact(_("Serial"), Cell(card.serial or "—", number=True)),
        Fact(_("Chip"), Cell(bytes(card.uid).hex(" ").upper() if card.uid else "—", number=True)),
        Fact(_("Valid until"), _day(card.valid_until)),
        Fact(_("Card profile"), bilingual(queries.profile_title(card.profile))),
    ]
    if card.certificate.state == "frozen":
        facts.append(Fact(_("Certificate"), frozen(card.certificate.frozen_for)))
    if card.status_list is not None:
        facts.append(Fact(_("Status list"), Cell(f"{card.status_list} · {card.status_index}", number=True)))
    if card.hold_reason:
        facts.append(Fact(_("Held because"), hold_words(card.hold_reason) or card.hold_reason))
    if card.urgent:
        facts.append(Fact(_("Urgent because"), card.urgent))
    if card.replaces_id:
        earlier = reverse("staff:card", args=[card.replaces_id])
        facts.append(Fact(_("In place of"), Cell(str(card.replaces_id), href=earlier)))
    return facts


def _day(day: Any) -> str:
    return f"{day:%Y-%m-%d}" if day else "—"


def _buttons(request: Request, card: Card) -> list[dict[str, Any]]:
    return [{"url": reverse("staff:card-step", args=[card.pk, open_.action]),
             "label": ACT_WORDS.get(open_.action, words.act(open_.action)),
             "kind": LOOKS[open_.action], "key": KEYS[open_.action]}
            for open_ in CARD.open_to(card.state, request.actor.permissions)
            if open_.action in ACTS and open_.action != "activate"]  # that one has a form of its own


def _sides(card: Card) -> list[tuple[Text, str]]:
    """Front and back, marked as samples with a code of nobody's card, as pictures in data addresses: the names inside
    one picture cannot meet those of the other.
    """
    preview = production.preview(card)
    return [(label, "data:image/svg+xml;base64," + base64.b64encode(side.encode()).decode())
            for label, side in ((_("Front of the card"), preview.front), (_("Back of the card"), preview.back))]


def _tone(state: str) -> str:
    tone = words.look("card", state)[0]
    return tone if tone in (words.GOOD, words.BAD) else ""


urls = [
    path("cards/", index, name="cards"),
    path("cards/<int:pk>/", card, name="card"),
    *partner_numbers.urls,
    path("cards/<int:pk>/<slug:action>", step, name="card-step"),
    path("cards/many/<slug:name>", bulk, name="cards-bulk"),
]
