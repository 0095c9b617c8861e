"""The card reader at the desk (桌面读卡): lay a card down and its holder's page opens; what is written to the chip.

The page's script carries messages between this server and the desk agent on the same PC. It decides nothing: each step
is signed by the reader and checked here, and every end has a name and is counted. These pages, and no others, may
connect to loopback.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries as cards
from zhengka.cards import services
from zhengka.cards.models import ASKED, Card, ChipOrder
from zhengka.cards.services import Talk
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.devices import queries
from zhengka.devices import services as devices
from zhengka.devices.models import Device, Reading
from zhengka.devices.workflow import READING_ENDS
from zhengka.formats.reading import spelled
from zhengka.production import queries as production
from zhengka.production import services as gate
from zhengka.web.access import Request, act, requires
from zhengka.web.middleware import POLICY
from zhengka.web.staff.reader_words import (
    ASK_WORDS,
    CHIP_WORDS,
    DONE_WORDS,
    IN_PLACE_WORDS,
    NO_WORDS,
    RECORD_WORDS,
    said,
)
from zhengka.web.staff.words import problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table

Found = TypeVar("Found")
MODULE = "module"
"""Slot of the agent to which a step's commands go, where they are not for the card."""
SHOWN = 8
"""So many of the newest orders are shown."""
MOST_BODY = 100_000
STAYS = "card"
"""In the address of a reading's steps: it began on a card's own page, and ends there."""
CHIP = ("activate", "report_lost", "report_found")
"""Steps of a card's page after which its chip is told, if that lies here."""
CHIP_STATES = ("arrived", "ready", "issued", "active", "suspended", "frozen", "cancelled")
"""States of a card that has a chip."""
READ = (services.IDENTIFY, _("Read the card"), "r")
"""Purpose, button and key."""
IN_PLACE = {"report_lost": ("block", _("Block this card"), "b"),
            "report_found": ("unblock", _("Accept this card again"), "f")}
"""Step of a card → what one key does on its holder's page, in the record and on the chip that lies there."""
LOOK = ("look", _("Read the chip"), "r")
"""Purpose, button and key by which a finished card of a sample is looked at."""
AIM, OF = "aim", "of"
"""In the address of a reading's steps: what is to be done to which card once it is known that it lies there."""
AGAIN = (services.AGAIN, _("Try this card once more"), "t")
"""The same; its button is there only once a reading ended with `tried-before`."""


def with_reader(page: HttpResponse) -> HttpResponse:
    """Let this page, and no other, connect to the agent on its own PC."""
    page.headers["Content-Security-Policy"] = f"{POLICY}; connect-src 'self' {settings.READER_AGENT}"
    return page


def panel(**told: Any) -> dict[str, Any]:
    """What the part of a page that talks to the reader needs (`staff/devices/panel.html`)."""
    again = AGAIN if {READ, IN_PLACE["report_lost"]} & set(told.get("buttons", ())) else None
    return {"agent": settings.READER_AGENT, "again": again, "begin": reverse("staff:reader-begin"),
            "nos": NO_WORDS.items(), **told}


def chip_panel(request: Request, card: Card) -> dict[str, Any] | None:
    """The part of a card's page by which its chip is read and written; None where there is none, or no right to."""
    if card.state not in CHIP_STATES or not card.serial or not request.actor.may("device.use"):
        return None
    what = cards.chip_due(card).what if request.actor.may(services.ORDERING) else ""
    write = [(services.WRITE, CHIP_WORDS[what], "w")] if what else []
    auto = services.WRITE if write and request.GET.get("chip") == services.WRITE else ""
    return panel(card=card.pk, buttons=[READ, *write], auto=auto)


def holder_panel(request: Request, found: Sequence[Card]) -> dict[str, Any] | None:
    """The part of a holder's page by which the card that lies on the reader is blocked with one key, and accepted again
    with another; None where no card of theirs is in a state for it, or the officer has no right to.
    """
    if not (request.actor.may("device.use") and request.actor.may(services.ORDERING)):
        return None
    for card in found:
        for step in card.workflow.open_to(card.state, request.actor.permissions):
            if step.action in IN_PLACE and card.serial:
                return panel(card=card.pk, buttons=[IN_PLACE[step.action]])
    return None


def chip_part(request: Request, card: Card) -> dict[str, Any] | None:
    """What the chip was told and is to be told, and what may be asked for; None where there is nothing to say."""
    if card.state not in CHIP_STATES or not card.serial:
        return None
    given = cards.chip_orders(card)
    may = request.actor.may(services.ORDERING) and card.state in cards.CHIP_IN_USE
    waiting = {row.what for row in given if row.state == "ordered"}
    asks = [{"url": reverse("staff:card-chip", args=[card.pk, what]), "label": ASK_WORDS[what]}
            for what in reversed(ASKED) if may and what not in waiting and (what != "pin" or cards.has_pin(card))]
    columns = [Column(_("What the chip is told")), Column(_("State")), Column(_("When"))]
    table = Table(_("Told to the chip"), columns, [_told_row(row) for row in given[:SHOWN]])
    return {"table": table if given else None, "asks": asks} if given or asks else None


def _told_row(row: ChipOrder) -> Row:
    tone, word = words.look("chip-order", row.state)
    at = timezone.localtime(row.applied_at or row.ordered_at)
    return Row([CHIP_WORDS[row.what], Cell(word, tone=tone), Cell(f"{at:%Y-%m-%d %H:%M}", number=True)])


@requires("card.activate")
@require_POST
def ask(request: Request, pk: int, what: str) -> HttpResponse:
    """Ask for new data, or new files and keys, on the chip of a card: the next reader to which it comes writes them."""
    card = cards.get(pk, actor=request.actor)

    def do(key: UUID) -> ChipOrder:
        return services.ask_chip(card, what, by=request.actor, request_id=key, at=timezone.now())

    after = f"?chip={services.WRITE}" if request.actor.may("device.use") else ""
    return act(request, do, to=reverse("staff:card", args=[pk]) + after,
               said=_("The chip is told when the card lies on a reader."))


@requires("device.use")
def desk(request: Request) -> HttpResponse:
    """Wait for a card on this PC's reader."""
    readers = list(queries.ready(actor=request.actor)[:1])
    return with_reader(render(request, "staff/devices/reader.html", {
        "title": _("Card reader"), "panel": panel(buttons=[READ], auto=services.IDENTIFY),
        "none": not readers}))


@requires("device.use")
@require_POST
def begin(request: Request) -> HttpResponse:
    """Begin a reading on the reader that signs with the key named."""
    def do(asked: dict[str, Any], _row: None) -> HttpResponse:
        reader = services.reader_of(bytes.fromhex(asked["key"]), by=request.actor)
        card = cards.get(int(asked["card"]), actor=request.actor) if asked.get("card") else None
        if asked["purpose"] == LOOK[0] and card is not None:
            told: dict[str, Any] = {"by": request.actor, "request_id": uuid4(), "at": timezone.now()}
            return _told_in_place(request, services.put_on(reader, services.IDENTIFY, **told), LOOK[0], card)
        for action, (aim, _word, _key) in IN_PLACE.items():
            if asked["purpose"] == aim and card is not None:
                return _begin_in_place(request, action, reader, card)
        talk = services.put_on(reader, str(asked["purpose"]), by=request.actor, request_id=uuid4(), at=timezone.now(),
                               card=card)
        return _told(request, talk, stays=card is not None)
    return _answered(request, lambda: None, do)


@requires("device.use")
@require_POST
def step(request: Request, pk: int) -> HttpResponse:
    """Take what the reader signed, or why it says no."""
    def do(told: dict[str, Any], reading: Reading) -> HttpResponse:
        at, stays = timezone.now(), STAYS in request.GET
        if "no" in told:
            outcome = told["no"] if told["no"] in READING_ENDS and told["no"] != "good" else "garbled"
            talk = Talk(devices.end_reading(reading, outcome, at=at))
        else:
            talk = services.carried(reading, told, by=request.actor, at=at)
        aim = request.GET.get(AIM, "")
        if aim == LOOK[0]:
            return _looked_at(request, talk)
        if aim not in IN_PLACE:
            return _told(request, talk, stays=stays)
        if talk.card is None or talk.reading.purpose not in services.LOOKS:
            return _told_in_place(request, talk, aim)
        if talk.card.pk != int(request.GET[OF]):
            return JsonResponse({"outcome": "another-card", "words": said("another-card")})
        return _decide(request, aim, reading.reader, talk.card)
    return _answered(request, lambda: queries.reading(pk, actor=request.actor), do)


@requires("device.use")
@require_POST
def pair(request: Request, pk: int) -> HttpResponse:
    """Take the key of a reader that signed the pairing."""
    def do(told: dict[str, Any], row: Device) -> HttpResponse:
        paired = devices.Paired(str(told["suite"]), bytes.fromhex(told["point"]), str(told["code"]),
                                bytes.fromhex(told["signature"]))
        origin = f"{request.scheme}://{request.get_host()}"
        with suppress(Replayed):
            devices.pair(row, paired, origin, by=request.actor, request_id=UUID(told["request_id"]), at=timezone.now())
        return JsonResponse({"to": reverse("staff:device", args=[pk]), "words": gettext("The reader is paired.")})
    return _answered(request, lambda: queries.device(pk, actor=request.actor), do)


@requires("device.use")
@require_POST
def printed(request: Request) -> HttpResponse:
    """Note what became of a job of the printer beside a reader."""
    def do(told: dict[str, Any], _row: None) -> HttpResponse:
        reader = services.reader_of(bytes.fromhex(told["key"]), by=request.actor)
        devices.note_job(reader, str(told["printer"]), str(told["printed"]), by=request.actor, at=timezone.now())
        return JsonResponse({})
    return _answered(request, lambda: None, do)


def _answered(request: Request, find: Callable[[], Found], do: Callable[[dict[str, Any], Found], HttpResponse]
              ) -> HttpResponse:
    """What a script of ours sent, done to the row that `find` finds; every no as words, for a page that is open."""
    try:
        row, body = find(), request.read(MOST_BODY + 1)
        asked = json.loads(body) if len(body) <= MOST_BODY else None
        if not isinstance(asked, dict):
            raise ValueError("not an object")
        return do(asked, row)
    except Refusal as refusal:
        return JsonResponse({"no": refusal.code, "words": problem_line(refusal.problem)},
                            status=refusal.problem.status)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return JsonResponse({"no": "not-understood", "words": said("not-understood")}, status=400)


def _told(request: Request, talk: Talk, *, stays: bool) -> JsonResponse:
    """Where a reading stands, for the script: what to carry next, or how it ended and where to go. `stays`: it began
    on a card's own page.
    """
    reading: Reading = talk.reading
    if not reading.outcome:
        return _asked(talk, STAYS if stays else "")
    if talk.read is not None:
        return JsonResponse({"outcome": "good", "words": str(DONE_WORDS[reading.purpose]), "proven": True,
                             "fields": spelled(talk.read)})
    if reading.outcome != "good" or talk.card is None:
        return JsonResponse({"outcome": reading.outcome, "words": said(reading.outcome)})
    if talk.pins:  # the page stays: what it says is said once
        return JsonResponse({"outcome": "good", "words": DONE_WORDS[reading.purpose] % {"pin": ", ".join(talk.pins)}})
    return JsonResponse({"outcome": "good", "words": str(DONE_WORDS[reading.purpose]),
                         "to": _page_of(request, talk.card, stays=stays, wrote=reading.purpose not in services.LOOKS)})


def _begin_in_place(request: Request, action: str, reader: Device, card: Card) -> HttpResponse:
    """Block the card that lies on a reader, or accept it again, without leaving its holder's page. Before one is
    blocked it proves that it is the card which the page shows; a blocked one cannot be asked, and its chip tells later.
    """
    if action == "report_found" or card.state == "suspended":
        return _decide(request, action, reader, card)
    told: dict[str, Any] = {"by": request.actor, "request_id": uuid4(), "at": timezone.now()}
    return _told_in_place(request, services.put_on(reader, services.IDENTIFY, **told), action, card)


def _looked_at(request: Request, talk: Talk) -> JsonResponse:
    """A finished card of a sample: its chip proved whose it is, and the gate is told (发卡前核对)."""
    of = request.GET[OF]
    if not talk.reading.outcome:
        return _asked(talk, urlencode({AIM: LOOK[0], OF: of}))
    if talk.reading.outcome != "good":
        return JsonResponse({"outcome": talk.reading.outcome, "words": said(talk.reading.outcome)})
    item = production.drawn_item(int(of), actor=request.actor)
    gate.check_chip(item, talk.reading.pk, by=request.actor, request_id=uuid4(), at=timezone.now())
    return JsonResponse({"outcome": "good", "words": str(_("The chip is read.")),
                         "to": reverse("staff:readback-card", args=[item.batch_id, item.card_id])})


def _decide(request: Request, action: str, reader: Device, card: Card) -> HttpResponse:
    """First the record, by which every check goes, then the chip. A card that is so already is only told."""
    told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}
    lost = action == "report_lost"
    if (card.state == "suspended") != lost:
        card = (services.report_lost if lost else services.report_found)(card, request_id=uuid4(), **told)
    try:
        talk = services.put_on(reader, services.WRITE, request_id=uuid4(), card=card, **told)
    except Refusal as nothing:
        if nothing.code != "chip-says-all":
            raise
        return _done_in_place(request, action, card)
    return _told_in_place(request, talk, action, card)


def _told_in_place(request: Request, talk: Talk, action: str, card: Card | None = None) -> JsonResponse:
    reading = talk.reading
    if not reading.outcome:
        where = urlencode({AIM: action, OF: card.pk if card else request.GET[OF]})
        return _asked(talk, where)
    if reading.outcome == "good" and talk.card is not None:
        return _done_in_place(request, action, talk.card)
    words = said(reading.outcome)
    if reading.purpose not in services.LOOKS:
        words = f"{RECORD_WORDS[action]} {words}"
    return JsonResponse({"outcome": reading.outcome, "words": words})


def _done_in_place(request: Request, action: str, card: Card) -> JsonResponse:
    messages.success(request, str(IN_PLACE_WORDS[action]))
    return JsonResponse({"outcome": "good", "words": str(IN_PLACE_WORDS[action]),
                         "to": reverse("staff:holder", args=[card.holder_id]) + f"?{STAYS}={card.pk}-{card.version}"})


def _asked(talk: Talk, where: str) -> JsonResponse:
    """What the reader is to carry next; `where` goes along in the address of the step."""
    reading = talk.reading
    return JsonResponse({"nonce": bytes(reading.nonce).hex(), "number": reading.steps,
                         "commands": [command.hex() for command in talk.commands],
                         "slot": MODULE if talk.module else "",
                         "step": reverse("staff:reader-step", args=[reading.pk]) + (f"?{where}" if where else "")})


def _page_of(request: Request, card: Card, *, stays: bool, wrote: bool) -> str:
    """The holder's page; the card's own for who was there already, where after one write the next that is due follows,
    and for who does not see this holder.
    """
    if not stays and request.actor.may("holder.read") and request.actor.sees(card.holder.area_id):
        return reverse("staff:holder", args=[card.holder_id])
    more = f"?chip={services.WRITE}" if wrote and cards.chip_due(card).what else ""
    return reverse("staff:card", args=[card.pk]) + more


urls = [
    path("cards/<int:pk>/chip/<slug:what>", ask, name="card-chip"),
    path("reader/", desk, name="reader"),
    path("reader/begin", begin, name="reader-begin"),
    path("reader/printed", printed, name="reader-printed"),
    path("reader/<int:pk>/step", step, name="reader-step"),
    path("devices/<int:pk>/pair", pair, name="device-pair"),
]
