"""Security modules (PSAM) before the security administrator: issued, tied to keys, bound, counted, taken back."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.core.errors import Refusal
from zhengka.devices import queries, services
from zhengka.devices.models import Device, Psam
from zhengka.devices.workflow import PSAM
from zhengka.web.access import Request, act, mine, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.reader_words import FORM_WORDS, health
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

ACTS = {"initialise": cards.initialise_module, "unbind": services.unbind, "recall": services.recall,
        "lose": services.lose_module}
LOOKS = {"initialise": "primary", "unbind": "secondary", "recall": "warning-quiet", "lose": "warning-quiet"}
SAID: dict[str, Text] = {
    "initialise": _("The module draws from the keys of its province; no key was copied."),
    "unbind": _("The module answers for no reader."), "recall": _("The module is taken back for good."),
    "lose": _("The module is reported lost and never answers again.")}
ASKED: dict[str, tuple[Text, Text]] = {
    "recall": (_("Take this module back for good?"), _("It never answers again; the reader needs another one.")),
    "lose": (_("Report this module lost?"), _("It never answers again; the reader needs another one."))}


class IssueForm(forms.Form):
    """A new module."""

    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    form = forms.ChoiceField(label=_("Form of the module"), choices=list(FORM_WORDS.items()))
    suite = forms.ChoiceField(label=_("Suite"), choices=[("SM", "SM"), ("INTL", "INTL")])

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the offices within the administrator's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


class BindForm(forms.Form):
    """Which reader a module answers for."""

    reader = forms.ModelChoiceField(label=_("Card reader"), queryset=Device.objects.none(), empty_label=None)

    def __init__(self, *args: Any, readers: Any, **kwargs: Any) -> None:
        """Offer the readers that have no module."""
        super().__init__(*args, **kwargs)
        self.fields["reader"].queryset = readers  # type: ignore[attr-defined]
        self.fields["reader"].label_from_instance = _reader_name  # type: ignore[attr-defined]


@requires("device.keys")
def index(request: Request) -> HttpResponse:
    """Every module of one's area."""
    rows, pager = page_of(request, queries.modules(actor=request.actor), newest=True)
    columns = [Column(_("Number")), Column(_("Form of the module")), Column(_("Office")), Column(_("State")),
               Column(_("Card reader")), Column(_("Uses"), numeric=True)]
    table = Table(_("Security modules"), columns, [_row(row) for row in rows], pager=pager, caption_hidden=True,
                  empty=_("No module is issued."))
    return render(request, "staff/devices/modules.html", {
        "title": _("Security modules"), "table": table, "breadcrumbs": trail((_("Devices"), "staff:devices"))})


@requires("device.keys")
def new(request: Request) -> HttpResponse:
    """Issue a module to an office."""
    areas = mine(request, Area.objects.all(), area="code").order_by("code")
    form = IssueForm(request.POST or None, areas=areas)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        return act(request, lambda key: services.issue(told["area"], told["form"], told["suite"], by=request.actor,
                                                       request_id=key, at=timezone.now()),
                   to=lambda pk: reverse("staff:module", args=[pk]), said=_("The module is issued."))
    return render(request, "staff/form.html", {
        "title": _("Issue a security module"), "form": form, "submit": _("Issue the module"),
        "breadcrumbs": trail((_("Devices"), "staff:devices"), (_("Security modules"), "staff:modules")),
        "back": reverse("staff:modules")})


@requires("device.keys")
def module(request: Request, pk: int) -> HttpResponse:
    """One module: where it is, what it draws from, how often it answered."""
    row = queries.module(pk, actor=request.actor)
    tone, word = words.look("psam", row.state)
    lacks = _lacking(row)
    facts = [Fact(_("Form of the module"), FORM_WORDS[row.form]), Fact(_("Suite"), row.suite),
             Fact(_("Office"), area_name(row.area)), Fact(_("State"), Cell(word, tone=tone)),
             *_reader_facts(row.reader),
             Fact(_("Check values"), Cell(row.check_value or "—", number=True)), Fact(_("Uses"), row.uses),
             *([Fact(_("Answered by the key store in its place"), row.stored)] if row.form == "chip" else []),
             *([Fact(_("Keys that it lacks"), Cell(_("%(keys)s: replace this module by a new one") % {
                 "keys": ", ".join(lacks)}, tone="yellow"))] if lacks else []),
             Fact(_("Last use"), moment(row.used_at))]
    buttons = [{"url": reverse("staff:module-change", args=[pk, step.action]), "label": words.act(step.action),
                "kind": LOOKS[step.action]} for step in PSAM.open_to(row.state, request.actor.permissions)
               if step.action in LOOKS]
    readers = _free(request)
    form = BindForm(readers=readers) if row.state == "initialised" and readers.exists() else None
    return render(request, "staff/devices/module.html", {
        "title": row.number, "caption": _("Security module"), "module": row, "facts": facts, "buttons": buttons,
        "form": form, "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Devices"), "staff:devices"), (_("Security modules"), "staff:modules"))})


@requires("device.keys")
@require_POST
def bind(request: Request, pk: int) -> HttpResponse:
    """Bind a module to a reader."""
    row = queries.module(pk, actor=request.actor)
    form = BindForm(request.POST, readers=_free(request))
    if not form.is_valid():
        raise Refusal("device-unfit")
    reader = form.cleaned_data["reader"]
    return act(request, lambda key: services.bind(row, reader, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:module", args=[pk]), said=_("The module answers for this reader."))


@requires("device.keys")
@require_POST
def change(request: Request, pk: int, action: str) -> HttpResponse:
    """Tie a module to its keys, take it off its reader, take it back, or report it lost."""
    row = queries.module(pk, actor=request.actor)
    if action not in ACTS:
        raise Refusal("step-not-open", action=action)
    if action in ASKED and not sure(request):
        PSAM.step(row.state, action)
        title, meaning = ASKED[action]
        return render(request, "staff/sure.html", {
            "title": title, "caption": row.number, "url": request.path, "kind": "warning", "meaning": meaning,
            "submit": words.act(action), "back": reverse("staff:module", args=[pk]), "hidden": []})

    def do(key: UUID) -> Psam:
        return ACTS[action](row, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=reverse("staff:module", args=[pk]), said=SAID[action])


def _lacking(row: Psam) -> tuple[str, ...]:
    """What a chip at work lacks; nothing is said where the tree itself lacks a key."""
    if row.state in PSAM.final:
        return ()
    try:
        return cards.lacking(row, timezone.now())
    except Refusal:
        return ()


def _free(request: Request) -> Any:
    return queries.devices(actor=request.actor).filter(
        sort__in=("reader", "gate"), state__in=("registered", "active", "stopped"), modules=None)


def _reader_facts(reader: Device | None) -> list[Fact]:
    """Which reader the module answers for, who looks after both, and how the reader was when it was last seen."""
    if reader is None:
        return [Fact(_("Card reader"), "—")]
    tone, word = health(reader.health)
    return [Fact(_("Card reader"), _reader_name(reader)), Fact(_("Looked after by"), reader.keeper),
            Fact(_("Last time"), Cell(word, tone=tone)), Fact(_("Last seen"), moment(reader.seen_at))]


def _reader_name(reader: Device) -> str:
    return f"{reader.name} · {reader.place}"


def _row(row: Psam) -> Row:
    tone, word = words.look("psam", row.state)
    return Row([Cell(row.number, href=reverse("staff:module", args=[row.pk]), number=True), FORM_WORDS[row.form],
                area_name(row.area), Cell(word, tone=tone), _reader_name(row.reader) if row.reader else "—", row.uses])


urls = [
    path("modules/", index, name="modules"),
    path("modules/new", new, name="module-new"),
    path("modules/<int:pk>/", module, name="module"),
    path("modules/<int:pk>/bind", bind, name="module-bind"),
    path("modules/<int:pk>/<slug:action>", change, name="module-change"),
]
