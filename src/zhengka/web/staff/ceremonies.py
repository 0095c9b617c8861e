"""Ceremonies over keys (密钥仪式): a security administrator leads, custodians act, each in their own session."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, services, sheet
from zhengka.keys.models import Ceremony, Seat
from zhengka.keys.services import Component, Wanted
from zhengka.web.access import Request, act, request_key, requires
from zhengka.web.staff import history
from zhengka.web.staff.ceremony_forms import FORMS, CancelForm, PartForm, wanted_of
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import CEREMONY_WORDS, moment, problem_line, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Stage, Table
from zhengka.web.ui.templatetags import ui

READERS = ("key.manage", "key.custody")
STAGES = (("opened", _("Made ready")), ("gathering", _("Custodians")), ("finishing", _("Key store")),
          ("recorded", _("Transcript signed")))
BUSY = ("opened", "finishing", "recorded")
"""States in which the platform does its part, and nobody else anything."""
INTRO = {
    "generate": _("The platform draws a key and hands each custodian one component. Two of the three bring it back."),
    "rotate": _("The next version is made as a new key. The version before makes nothing more, and goes on reading."),
    "import": _("Each custodian types in the component that they brought, or two agree to a file in which the key is "
                "wrapped under our transport key. It is taken in only under the check value that came on another way."),
    "export": _("The key leaves encrypted to the public key of who receives it. Two custodians agree."),
    "destroy": _("The key is removed from the key store for ever. Two custodians agree."),
    "revoke": _("From then on every gate refuses what the key has signed, whenever that was, and its certificates are "
                "on the list of revoked ones. It cannot be taken back. Two custodians agree."),
    "retire": _("The key makes and reads nothing more from then on, though cards depend on it: no reader and no gate "
                "reads them any more, and they are made again. Two custodians agree."),
    "recover": _("Custodians of the key type in their components; it comes back only as the same key.")}


@requires(*READERS)
def index(request: Request) -> HttpResponse:
    """The ceremonies of one's area; of a custodian, those in which they have a seat."""
    found = queries.ceremonies(request.actor)
    if (state := request.GET.get("state", "")) in Ceremony.workflow.states:
        found = found.filter(state=state)
    rows, pager = page_of(request, found, newest=True)
    columns = [Column(_("Ceremony")), Column(_("Key version")), Column(_("Office")), Column(_("State")),
               Column(_("Led by")), Column(_("Opened at"))]
    table = Table(_("Key ceremonies"), columns, [_row(row) for row in rows], pager=pager, caption_hidden=True,
                  empty=_("No ceremony is asked of you, and none was held."))
    return render(request, "staff/ceremonies/index.html", {
        "title": _("Key ceremonies"), "table": table, "may_open": request.actor.may("key.manage")})


@requires("key.manage")
def new(request: Request, kind: str, pk: int | None = None) -> HttpResponse:
    """Open a ceremony: that makes a key, or over the key `pk`."""
    key = queries.key(pk, actor=request.actor) if pk else None
    form = FORMS[kind](request.POST or None, request.FILES or None, actor=request.actor, key=key)
    if request.method == "POST" and form.is_valid():
        wanted: Wanted = wanted_of(kind, form, key, request.actor)
        try:
            return act(request, lambda request_id: services.open_ceremony(
                wanted, Area.objects.get(code=request.actor.lo), by=request.actor, request_id=request_id,
                at=timezone.now()), to=lambda made: reverse("staff:ceremony", args=[made]),
                said=_("The ceremony is open; its custodians find it on their worklists."))
        except Refusal as no:
            form.add_error(None, problem_line(no.problem))
    back = reverse("staff:key", args=[pk]) if pk else reverse("staff:ceremonies")
    return render(request, "staff/form.html", {
        "title": CEREMONY_WORDS[kind], "caption": key.label if key else "", "form": form, "intro": INTRO[kind],
        "submit": _("Open the ceremony"), "back": back,
        "breadcrumbs": trail((_("Key ceremonies"), "staff:ceremonies"))})


@requires(*READERS)
def ceremony(request: Request, pk: int) -> HttpResponse:
    """One ceremony: how far it is, who has done their part, and what is to be done now."""
    return _page(request, queries.ceremony(pk, actor=request.actor))


@requires("key.custody")
@require_POST
def component(request: Request, pk: int) -> HttpResponse:
    """Show the custodian their own component, in answer to their asking alone: the address shows nothing."""
    row = queries.ceremony(pk, actor=request.actor)
    shown = services.show_component(row, by=request.actor, request_id=request_key(request), at=timezone.now())
    return _page(request, row, shown=shown)


@requires("key.custody")
@require_POST
def component_sheet(request: Request, pk: int) -> HttpResponse:
    """The custodian's own sheet to print, made in memory."""
    row, at = queries.ceremony(pk, actor=request.actor), timezone.now()
    shown = services.show_component(row, action="print", by=request.actor, request_id=request_key(request), at=at)
    seat = queries.seat(row, request.actor)
    if seat is None:
        raise Refusal("not-your-seat")
    return HttpResponse(sheet.pdf(row, seat, shown, at=at), content_type="application/pdf", headers={
        "Content-Disposition": content_disposition_header(False, f"component-{pk}-{seat.number}.pdf") or "inline",
        "X-Content-Type-Options": "nosniff"})


@requires("key.custody")
@require_POST
def part(request: Request, pk: int) -> HttpResponse:
    """The custodian's part: the component typed in, or a tick that agrees. What was typed is never shown again."""
    row = queries.ceremony(pk, actor=request.actor)
    seat = queries.seat(row, request.actor)
    form = PartForm(request.POST, row=row, number=seat.number if seat else 0)
    if not form.is_valid():
        return _page(request, row, form=form)
    try:
        return act(request, lambda request_id: services.take_part(
            row, _typed(row, form), by=request.actor, request_id=request_id, at=timezone.now()),
            to=reverse("staff:ceremony", args=[pk]), said=_("Your part is done."))
    except Refusal as no:
        if no.code != "component-wrong":
            raise
        form.add_error("component", problem_line(no.problem))
        return _page(request, row, form=form)


@requires("key.manage")
@require_POST
def cancel(request: Request, pk: int) -> HttpResponse:
    """End a ceremony before its time, with a reason."""
    row, form = queries.ceremony(pk, actor=request.actor), CancelForm(request.POST)
    if not form.is_valid():
        return _page(request, row, cancelling=form)

    def do(request_id: UUID) -> Ceremony:
        return services.cancel(row, reason=form.cleaned_data["reason"], by=request.actor, request_id=request_id,
                               at=timezone.now())

    return act(request, do, to=reverse("staff:ceremony", args=[pk]),
               said=_("The ceremony is cancelled; its components are gone."))


@requires("key.manage")
@require_POST
def again(request: Request, pk: int) -> HttpResponse:
    """Ask the platform once more for its part, after the key store failed."""
    row = queries.ceremony(pk, actor=request.actor)
    return act(request, lambda _id: services.try_again(row, by=request.actor),
               to=reverse("staff:ceremony", args=[pk]), said=_("The platform tries again."))


@requires(*READERS)
@require_safe
def progress(request: Request, pk: int) -> HttpResponse:
    """The bar alone, asked for each second while the platform does its part; then the whole page again."""
    row = queries.ceremony(pk, actor=request.actor)
    response = render(request, "ui/parts/progress.html", _progress(row) or {})
    if row.state not in BUSY or row.problem:
        response.headers["HX-Refresh"] = "true"
    return response


@requires("key.manage")
@require_safe
def download(request: Request, pk: int, what: str) -> HttpResponse:
    """What a ceremony left: its signed transcript, or the key under the transport key."""
    row = queries.ceremony(pk, actor=request.actor)
    found = {"transcript": (row.transcript.encode(), "application/json", f"ceremony-{pk}.json"),
             "wrapped": (bytes(row.wrapped or b""), "application/octet-stream", f"ceremony-{pk}.wrapped")}[what]
    if not found[0]:
        raise Refusal("not-found")
    return HttpResponse(found[0], content_type=found[1], headers={
        "Content-Disposition": content_disposition_header(True, found[2]) or "attachment"})


def _typed(row: Ceremony, form: PartForm) -> Component | None:
    given = form.cleaned_data
    if not (row.draws or row.collects):
        return None
    return Component(given.get("number") or 0, given["component"], given["check_value"])


def _page(request: Request, row: Ceremony, *, shown: Component | None = None, form: PartForm | None = None,
          cancelling: CancelForm | None = None) -> HttpResponse:
    seat = queries.seat(row, request.actor)
    mine = seat is not None and seat.done_at is None and row.state == "gathering"
    manages = request.actor.may("key.manage")
    return render(request, "staff/ceremonies/ceremony.html", {
        "title": CEREMONY_WORDS[row.aim], "caption": row.label, "row": row, "seat": seat, "mine": mine,
        "stages": _stages(row), "progress": _progress(row), "facts": _facts(row, linked=manages), "seats": _seats(row),
        "groups": sheet.groups(shown.value).split() if shown else [], "shown": shown,
        "shown_check": sheet.groups(shown.check_value) if shown else "",
        "form": form or (PartForm(row=row, number=seat.number) if mine and seat else None),
        "problem": problem_words(Refusal(row.problem).problem) if row.problem else None,
        "may_cancel": manages and row.state in ("opened", "gathering", "finishing"),
        "may_retry": manages and bool(row.problem) and row.state in BUSY,
        "cancelling": cancelling or CancelForm(), "manages": manages,
        "signature": sheet.groups(bytes(row.signature or b"").hex()), "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Key ceremonies"), "staff:ceremonies"))})


def _stages(row: Ceremony) -> list[Stage]:
    order = [state for state, _word in STAGES]
    if row.state == "cancelled":
        return [Stage(word, "stopped") for _state, word in STAGES]
    at = order.index(row.state) if row.state in order else len(order)
    return [Stage(word, "done" if place < at else "now" if place == at else "todo")
            for place, (_state, word) in enumerate(STAGES)]


def _progress(row: Ceremony) -> dict[str, Any] | None:
    """The bar while the platform does its part; nothing where it waits for people, failed, or is over."""
    if row.state not in BUSY or row.problem:
        return None
    return ui.progress(0, 0, words.look("key-ceremony", row.state)[1], finished=False,
                       note=_("You may leave this page: nothing is lost."),
                       poll=reverse("staff:ceremony-progress", args=[row.pk]))


def _facts(row: Ceremony, *, linked: bool) -> list[Fact]:
    key = Cell(row.key.label, href=reverse("staff:key", args=[row.key.pk])) if row.key and linked else row.label
    facts = [Fact(_("State"), _state(row)), Fact(_("Key version"), key),
             Fact(_("Suite"), row.suite), Fact(_("Led by"), row.led_by_name),
             Fact(_("Custodians needed"), f"{row.needed} / {row.among}")]
    if row.reason:
        facts.append(Fact(_("Reason"), row.reason))
    if row.check_value:
        facts.append(Fact(_("Check value of the key"), Cell(row.check_value, number=True)))
    if row.transport:
        receiver = SUITES[row.suite].public_key(bytes(row.transport)).key_id.hex()
        whose = _("Key id of our transport key") if row.aim == "import" else _("Key id of the receiver")
        facts.append(Fact(whose, Cell(receiver, number=True)))
    if row.overlap_until:
        facts.append(Fact(_("Overlap until"), f"{row.overlap_until:%Y-%m-%d}"))
    if row.signed_by:
        facts.append(Fact(_("Transcript signed by"), row.signed_by))
    return facts


def _seats(row: Ceremony) -> Table:
    return Table(_("Custodians"), [Column(_("Name")), Column(_("Seat"), numeric=True), Column(_("Part")),
                                   Column(_("Check value of the component"))],
                 [Row([seat.name, seat.number, _done(seat), Cell(seat.check_value or "—", number=True)])
                  for seat in row.seats.order_by("number")], caption_hidden=True)


def _done(seat: Seat) -> Cell:
    if seat.done_at is None:
        return Cell(_("Component seen, not typed back") if seat.seen_at else _("Not done"), tone=words.WAIT)
    return Cell(_("Done"), tone=words.GOOD, note=moment(seat.done_at))


def _state(row: Ceremony) -> Cell:
    tone, word = words.look("key-ceremony", row.state)
    return Cell(word, tone=tone)


def _row(row: Ceremony) -> Row:
    return Row([Cell(CEREMONY_WORDS[row.aim], href=reverse("staff:ceremony", args=[row.pk])), row.label,
                area_name(row.area), _state(row), row.led_by_name,
                moment(row.opened_at)])


urls = [
    path("ceremonies/", index, name="ceremonies"),
    path("ceremonies/generate", new, {"kind": "generate"}, name="ceremony-generate"),
    path("ceremonies/import", new, {"kind": "import"}, name="ceremony-import"),
    *(path(f"keys/<int:pk>/{kind}", new, {"kind": kind}, name=f"key-{kind}")
      for kind in ("rotate", "export", "revoke", "destroy", "recover")),
    path("keys/<int:pk>/retire-by-two", new, {"kind": "retire"}, name="key-retire-by-two"),
    path("ceremonies/<int:pk>", ceremony, name="ceremony"),
    path("ceremonies/<int:pk>/progress", progress, name="ceremony-progress"),
    path("ceremonies/<int:pk>/component", component, name="ceremony-component"),
    path("ceremonies/<int:pk>/sheet", component_sheet, name="ceremony-sheet"),
    path("ceremonies/<int:pk>/part", part, name="ceremony-part"),
    path("ceremonies/<int:pk>/cancel", cancel, name="ceremony-cancel"),
    path("ceremonies/<int:pk>/again", again, name="ceremony-again"),
    path("ceremonies/<int:pk>/transcript", download, {"what": "transcript"}, name="ceremony-transcript"),
    path("ceremonies/<int:pk>/wrapped", download, {"what": "wrapped"}, name="ceremony-wrapped"),
]
