"""Devices (机具): entered, paired at the PC they are connected to, stopped from afar; how they work and when last."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.devices import queries, services
from zhengka.devices.models import Device
from zhengka.devices.workflow import DEVICE
from zhengka.web.access import Request, act, mine, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.reader import with_reader
from zhengka.web.staff.reader_words import KIND_WORDS, NO_WORDS, health
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

LOOKS = {"start": "primary", "stop": "warning", "unpair": "secondary", "retire": "secondary", "lose": "warning-quiet"}
SAID: dict[str, Text] = {
    "start": _("The device is at work."), "stop": _("The device is stopped: nothing that it says is believed."),
    "unpair": _("The key of the device is forgotten. Pair it with a new code."),
    "retire": _("The device is retired."), "lose": _("The device is reported lost.")}
ASKED: dict[str, tuple[Text, Text]] = {
    "unpair": (_("Unpair this device?"), _("For a PC or phone that was set up anew: nothing that is signed with the "
                                           "old key is believed any more, and the device is paired with a new code.")),
    "retire": (_("Retire this device?"), _("It cannot be put to work again.")),
    "lose": (_("Report this device lost?"), _("It cannot be put to work again, should it be found or not."))}
COUNTED = timedelta(days=30)


class DeviceForm(forms.Form):
    """A new device."""

    sort = forms.ChoiceField(label=_("Kind of device"), choices=[("", "—"), *KIND_WORDS.items()])
    name = forms.CharField(label=_("Name of the device"), max_length=60,
                           help_text=_("Such as that of its counter; of a card printer, its print queue."))
    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    place = forms.CharField(label=_("Place"), max_length=100, help_text=_("Building, room, counter."))
    keeper = forms.CharField(label=_("Looked after by"), max_length=60)
    number = forms.CharField(label=_("Serial number of the maker"), max_length=60, required=False)

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the offices within the administrator's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


@requires("device.read")
def index(request: Request) -> HttpResponse:
    """The devices of one's area."""
    rows, pager = page_of(request, queries.devices(actor=request.actor))
    columns = [Column(_("Device")), Column(_("Place")), Column(_("State")), Column(_("Last time")),
               Column(_("Last seen"))]
    table = Table(_("Devices"), columns, [_row(row) for row in rows], pager=pager, caption_hidden=True,
                  empty=_("No device is entered."))
    return render(request, "staff/devices/index.html", {
        "title": _("Devices"), "table": table, "may_enter": request.actor.may("device.manage"),
        "may_keys": request.actor.may("device.keys")})


@requires("device.manage")
def new(request: Request) -> HttpResponse:
    """Enter a device."""
    areas = mine(request, Area.objects.all(), area="code").order_by("code")
    form = DeviceForm(request.POST or None, areas=areas)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        area, about = told.pop("area"), services.About(**told)
        try:
            return act(request, lambda key: services.register(
                area, about, by=request.actor, request_id=key, at=timezone.now()),
                to=lambda pk: reverse("staff:device", args=[pk]), said=_("The device is entered."))
        except Refusal as refusal:
            if refusal.code != "device-name-taken":
                raise
            form.add_error("name", _("The office has a device of this name already."))
    return render(request, "staff/form.html", {
        "title": _("Enter a device"), "form": form, "breadcrumbs": trail((_("Devices"), "staff:devices")),
        "submit": _("Enter the device"), "back": reverse("staff:devices")})


@requires("device.read")
def device(request: Request, pk: int) -> HttpResponse:
    """One device: whose, where, how it works; what can be done with it."""
    return _page(request, queries.device(pk, actor=request.actor))


@requires("device.manage")
@require_POST
def change(request: Request, pk: int, action: str) -> HttpResponse:
    """Start, stop, retire a device, or report it lost."""
    row = queries.device(pk, actor=request.actor)
    if action in ASKED and not sure(request):
        DEVICE.step(row.state, action)
        title, meaning = ASKED[action]
        return render(request, "staff/sure.html", {
            "title": title, "caption": row.name, "url": request.path, "kind": "warning", "meaning": meaning,
            "submit": words.act(action), "back": reverse("staff:device", args=[pk]), "hidden": []})

    def do(key: UUID) -> Device:
        return services.change(row, action, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=reverse("staff:device", args=[pk]), said=SAID.get(action, ""))


@requires("device.use")
@require_POST
def code(request: Request, pk: int) -> HttpResponse:
    """A code to type in at the gate, or at the reader's PC with the button that connects it: shown once."""
    row = services.new_code(queries.device(pk, actor=request.actor), by=request.actor, at=timezone.now())
    fours = " ".join(row.code[at:at + 4] for at in range(0, len(row.code), 4))
    return _page(request, row, pairing={"code": fours, "plain": row.code, "nonce": bytes(row.nonce or b"").hex(),
                                        "app": request.build_absolute_uri(reverse("public:gate"))})


def _page(request: Request, row: Device, pairing: Mapping[str, str] | None = None) -> HttpResponse:
    at = timezone.now()
    actor = request.actor
    buttons = [{"url": reverse("staff:device-change", args=[row.pk, step.action]), "kind": LOOKS[step.action],
                "label": words.act(step.action, "device")} for step in DEVICE.open_to(row.state, actor.permissions)
               if step.action in LOOKS and (step.action != "start" or not row.signs or row.public)
               and (step.action != "unpair" or row.signs)]
    waits = row.signs and row.state == "registered" and actor.may("device.use")
    page = render(request, "staff/devices/device.html", {
        "title": row.name, "caption": KIND_WORDS[row.sort], "device": row, "facts": _facts(row, at),
        "buttons": buttons, "may_pair": waits, "pairing": pairing, "nos": NO_WORDS.items(),
        "agent": settings.READER_AGENT, "outcomes": _outcomes(row, at),
        "events": history.of_row(request, row), "breadcrumbs": trail((_("Devices"), "staff:devices"))})
    return with_reader(page) if waits and row.sort == "reader" else page


def _facts(row: Device, at: Any) -> list[Fact]:
    tone, word = health(row.health)
    facts: list[Fact] = [Fact(_("Office"), area_name(row.area)), Fact(_("Place"), row.place),
                         Fact(_("Looked after by"), row.keeper),
                         Fact(_("Serial number of the maker"), row.number or "—"),
                         Fact(_("Last time"), Cell(word, tone=tone)), Fact(_("Last seen"), moment(row.seen_at))]
    if row.key_id:
        facts.append(Fact(_("Key id"), Cell(bytes(row.key_id).hex(" ").upper(), number=True)))
    for module in row.modules.all():
        facts.append(Fact(_("Security module"), Cell(module.number, number=True)))
    if row.state == "active" and row.seen_at and not queries.looks_well(row, at=at):
        facts.append(Fact(_("Look after it"), Cell(_("Not seen lately, or at fault"), tone=words.WAIT)))
    return facts


def _outcomes(row: Device, at: Any) -> Table | None:
    found = queries.outcomes(row, since=at - COUNTED)
    if not found:
        return None
    return Table(_("Readings of the last 30 days"), [Column(_("How they ended")), Column(_("Readings"), numeric=True)],
                 [Row([health(outcome)[1] if outcome != "good" else _("Good"), number])
                  for outcome, number in found.items()])


def _row(row: Device) -> Row:
    tone, word = words.look("device", row.state)
    how, what = health(row.health)
    return Row([Cell(row.name, href=reverse("staff:device", args=[row.pk]), note=KIND_WORDS[row.sort]),
                Cell(area_name(row.area), note=row.place), Cell(word, tone=tone), Cell(what, tone=how),
                moment(row.seen_at)])



urls = [
    path("devices/", index, name="devices"),
    path("devices/new", new, name="device-new"),
    path("devices/<int:pk>/", device, name="device"),
    path("devices/<int:pk>/code", code, name="device-code"),
    path("devices/<int:pk>/<slug:action>", change, name="device-change"),
]
