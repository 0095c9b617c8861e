"""Statements of operators (结算单): made, sent, disputed, agreed, closed; every line leads to signed events."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.gates import queries, services
from zhengka.gates.models import Dispute, Statement, Visit
from zhengka.web.access import Request, act, requires, seen, sure
from zhengka.web.staff import history
from zhengka.web.staff.gate_places import operator_word, place_words, rule_word, service_word
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

TRAIL = ((_("Gates"), "staff:gates"), (_("Statements of operators"), "staff:settlements"))
MONTHS = 6
STEPS: dict[str, tuple[Callable[..., Statement], str, Text]] = {
    "send_statement": (services.send, "primary", _("It is sent, and signed within a minute.")),
    "agree_statement": (services.agree, "primary", _("The operator agrees.")),
    "close_statement": (services.close, "primary", _("The statement is closed.")),
    "discard_statement": (services.discard, "warning-quiet", _("The draft is thrown away.")),
}
"""Step → service, look of its button, what is said after it."""
GIVES_WORDS: dict[str, Text] = {"free": _("Free of charge"), "half": _("Half price"), "fixed": _("Fixed price")}
EVENT_WORDS: dict[str, Text] = {
    "visit": _("Passage"), "issue": _("Voucher issued"), "redeem": _("Voucher used"),
    "cancel": _("Voucher cancelled"), "refusal": _("Refused"),
}
"""Kind of an event → its words; a test holds it complete against `formats.gatelog`."""


class DraftForm(forms.Form):
    """Of which operator, office and month."""

    operator = forms.ChoiceField(label=_("Operator"))
    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none(), empty_label=None)
    month = forms.ChoiceField(label=_("Month"))

    def __init__(self, *args: Any, actor: Actor, at: datetime, **kwargs: Any) -> None:
        """Offer the operators whose gates stand in the officer's area, and the months that are over."""
        super().__init__(*args, **kwargs)
        months = [(f"{one:%Y-%m}", f"{one:%Y-%m}") for one in services.months_before(at, MONTHS)]
        self.fields["operator"].choices = [  # type: ignore[attr-defined]
            (one, operator_word(one)) for one in queries.posted_operators(actor=actor)]
        self.fields["month"].choices = months  # type: ignore[attr-defined]
        self.fields["area"].queryset = Area.objects.filter(  # type: ignore[attr-defined]
            code__gte=actor.lo, last__lte=actor.hi).exclude(level="street").order_by("code")
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


class DisputeForm(forms.Form):
    """Which event, by gate and number, and why."""

    gate = forms.ChoiceField(label=_("Gate"))
    seq = forms.IntegerField(label=_("Number of the event"), min_value=1, help_text=_(
        "As the exported file has it, in the column seq."))
    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_("Write no name and no number of a person."))

    def __init__(self, *args: Any, statement: Statement, **kwargs: Any) -> None:
        """Offer the gates of the statement's events."""
        super().__init__(*args, **kwargs)
        gates = queries.events(statement).order_by("gate").values_list("gate", "gate__name").distinct()
        self.fields["gate"].choices = list(gates)  # type: ignore[attr-defined]
        self._statement = statement

    def clean(self) -> dict[str, Any]:
        """The event that is meant must be one of the statement's."""
        told = dict(super().clean() or {})
        if "gate" in told and "seq" in told:
            told["visit"] = queries.events(self._statement).filter(gate=told["gate"], seq=told["seq"]).first()
            if told["visit"] is None:
                self.add_error("seq", _("The statement holds no such event of this gate."))
        return told


def yuan(fen: int) -> str:
    """An amount as people write it."""
    return f"{fen // 100:,}.{fen % 100:02d}"


@requires("gate.read")
def index(request: Request) -> HttpResponse:
    """The statements of one's area."""
    found = queries.statements(actor=request.actor)
    if (state := request.GET.get("state", "")) in Statement.workflow.states:
        found = found.filter(state=state)
    rows, pager = page_of(request, found, newest=True)
    columns = [Column(_("Operator")), Column(_("Month")), Column(_("State")),
               Column(_("Events that count"), numeric=True), Column(_("Yuan"), numeric=True)]
    table = Table(_("Statements of operators"), columns, [
        Row([Cell(operator_word(row.operator), href=reverse("staff:settlement", args=[row.pk])), f"{row.month:%Y-%m}",
             _state(row), row.counted, yuan(row.fen)]) for row in rows], pager=pager, caption_hidden=True,
        empty=_("No month was settled yet."))
    return render(request, "staff/settlements/index.html", {
        "title": _("Statements of operators"), "table": table, "may_make": request.actor.may("settlement.make"),
        "breadcrumbs": trail(TRAIL[0])})


@requires("settlement.make")
def draft(request: Request) -> HttpResponse:
    """Make the statement of a month."""
    at = timezone.now()
    form = DraftForm(request.POST or None, actor=request.actor, at=at)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        return act(request, lambda key: services.draft(
            told["area"], told["operator"], date.fromisoformat(f"{told['month']}-01"), by=request.actor,
            request_id=key, at=at), to=lambda pk: reverse("staff:settlement", args=[pk]),
            said=_("The statement is drafted."))
    return render(request, "staff/form.html", {
        "title": _("Make a statement"), "form": form, "submit": _("Make the statement"),
        "back": reverse("staff:settlements"), "breadcrumbs": trail(*TRAIL),
        "intro": _("It takes in every signed event of the operator's gates that is in no earlier statement.")})


@requires("gate.read")
def statement(request: Request, pk: int) -> HttpResponse:
    """One statement: sums, lines, disputes, what can be done with it, files for the operator."""
    row = queries.statement(pk, actor=request.actor)
    lines = list(row.lines.order_by("service", "rule", "gives"))
    buttons = [{"url": reverse("staff:settlement-step", args=[pk, step.action]), "kind": STEPS[step.action][1],
                "label": words.act(step.action)} for step in row.workflow.open_to(row.state, request.actor.permissions)
               if step.action in STEPS and _may(row, step.action, request.actor)]
    return render(request, "staff/settlements/statement.html", {
        "title": operator_word(row.operator), "caption": f"{row.month:%Y-%m}", "statement": row, "facts": _facts(row),
        "lines": _lines(row, lines), "chart": [(_named(row, line), line.uses) for line in lines], "buttons": buttons,
        "disputes": _disputes(row), "doubles": _doubles(row), "open_disputes": _to_decide(row, request.actor),
        "may_dispute": request.actor.may("settlement.make") and row.state in ("sent", "disputed"),
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("settlement.make", "settlement.confirm")
@require_POST
def step(request: Request, pk: int, action: str) -> HttpResponse:
    """Send, agree, close, throw away."""
    row, back = queries.statement(pk, actor=request.actor), reverse("staff:settlement", args=[pk])
    if action not in STEPS:
        raise Refusal("not-found")
    do, _look, said = STEPS[action]
    if action == "discard_statement" and not sure(request):
        return render(request, "staff/sure.html", {
            "title": _("Throw this draft away?"), "caption": operator_word(row.operator), "url": request.path,
            "kind": "warning", "meaning": _("Its events are free for another statement."),
            "submit": words.act(action), "back": back, "hidden": []})
    return act(request, lambda key: do(row, by=request.actor, request_id=key, at=timezone.now()), to=back, said=said)


@requires("settlement.make")
def dispute(request: Request, pk: int) -> HttpResponse:
    """Enter that one event is wrong."""
    row, back = queries.statement(pk, actor=request.actor), reverse("staff:settlement", args=[pk])
    form = DisputeForm(request.POST or None, statement=row)
    if request.method == "POST" and form.is_valid():
        visit: Visit = form.cleaned_data["visit"]
        return act(request, lambda key: services.dispute(
            row, visit, form.cleaned_data["why"], by=request.actor, request_id=key, at=timezone.now()),
            to=back, said=_("The dispute is entered. Another person decides it."))
    return render(request, "staff/form.html", {
        "title": _("Dispute an event"), "caption": operator_word(row.operator), "form": form, "back": back,
        "submit": _("Enter the dispute"), "breadcrumbs": trail(*TRAIL)})


@requires("settlement.confirm")
@require_POST
def decide(request: Request, pk: int, action: str) -> HttpResponse:
    """Uphold or reject a dispute."""
    row = seen(request, Dispute, pk)
    return act(request, lambda key: services.decide(row, action, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:settlement", args=[row.statement_id]), said=_("The dispute is decided."))


@requires("gate.read")
@require_safe
def download(request: Request, pk: int, name: str) -> HttpResponse:
    """The statement as a file by which the other side reckons it again, or its events as a table."""
    row = queries.statement(pk, actor=request.actor)
    if name not in ("json", "csv") or not row.head:
        raise Refusal("not-found")
    data = queries.to_json(row) if name == "json" else queries.to_csv(row)
    file = f"{row.operator}-{row.month:%Y-%m}.{name}"
    return HttpResponse(data, content_type="application/json" if name == "json" else "text/csv; charset=utf-8",
                        headers={"Content-Disposition": content_disposition_header(True, file) or "attachment"})


def _facts(row: Statement) -> list[Fact]:
    signed = Cell(_("Signed"), tone=words.GOOD) if row.signature else Cell(_("Not yet"), tone=words.QUIET)
    office = Area.objects.filter(code=row.area).first()
    return [Fact(_("Office"), area_name(office) if office else str(row.area)), Fact(_("Yuan"), yuan(row.fen)),
            Fact(_("Events in it"), row.events), Fact(_("Events that count"), row.counted),
            Fact(_("Prices"), row.tariff),
            Fact(_("Signature"), signed),
            Fact(_("Digest of the events"), Cell(bytes(row.digest).hex()[:32] + "…", number=True)),
            Fact(_("Drafted on"), moment(row.made_at))]


def _may(row: Statement, action: str, actor: Actor) -> bool:
    """False where the step would be refused: by a dispute that is open, or as the same person's second word."""
    if action == "agree_statement":
        return not queries.disputes(row).filter(state="open").exists()
    return action != "close_statement" or actor.person not in (row.made_by, row.sent_by)


def gives_word(gives: str) -> Text:
    """A benefit in words; a fixed price with its sum."""
    price, _colon, fen = gives.partition(":")
    word = GIVES_WORDS.get(price, gives)
    return f"{word} ¥{yuan(int(fen))}" if fen.isdigit() else word


def _named(row: Statement, line: Any) -> str:
    return " · ".join(str(part) for part in _kind(row, line))


def _kind(row: Statement, line: Any) -> list[Text]:
    """Service, rule and benefit of a line, in words."""
    return [service_word(row.operator, line.service), rule_word(row.operator, line.rule),
            gives_word(line.gives)]


def _lines(row: Statement, lines: list[Any]) -> Table:
    columns = [Column(_("Service")), Column(_("Rule")), Column(_("Benefit")), Column(_("Uses"), numeric=True),
               Column(_("Yuan each"), numeric=True), Column(_("Companions"), numeric=True),
               Column(_("Yuan"), numeric=True)]
    return Table(_("Lines"), columns, [
        Row([*_kind(row, line), line.uses, yuan(line.fen_each), line.companions, yuan(line.fen)]) for line in lines],
        empty=_("Nothing of it is paid by."))


def _disputes(row: Statement) -> Table:
    columns = [Column(_("Event")), Column(_("Reason")), Column(_("State"))]
    return Table(_("Disputes"), columns, [
        Row([Cell(_event(one.visit), note=moment(one.visit.at)), one.why,
             Cell(words.look("dispute", one.state)[1], tone=words.look("dispute", one.state)[0])])
        for one in queries.disputes(row)], empty=_("No event is disputed."))


def _to_decide(row: Statement, actor: Actor) -> list[dict[str, Any]]:
    """The disputes that this officer may decide."""
    if not actor.may("settlement.confirm"):
        return []
    return [{"event": _event(one.visit), "why": one.why, "steps": [
        {"url": reverse("staff:dispute-decide", args=[one.pk, action]), "label": words.act(action)}
        for action in ("uphold_dispute", "reject_dispute")]}
        for one in queries.disputes(row) if one.state == "open" and one.opened_by != actor.person]


def _doubles(row: Statement) -> Table:
    found = queries.events(row).filter(kind="redeem", counted=False)
    return Table(_("Events that are not paid"), [Column(_("Event")), Column(_("Why not"))], [
        Row([Cell(_event(one), note=place_words(one.operator, one.venue)),
             gettext("The log contradicts itself") if one.forked else gettext("The voucher counts elsewhere")])
        for one in found[:100]], empty=_("Every use is paid."))


def _event(visit: Visit) -> str:
    return f"{visit.gate.name} · {visit.seq} · {EVENT_WORDS[visit.kind]}"


def _state(row: Statement) -> Cell:
    tone, word = words.look("statement", row.state)
    return Cell(word, tone=tone)


urls = [
    path("settlements/", index, name="settlements"),
    path("settlements/new", draft, name="settlement-new"),
    path("settlements/<int:pk>/", statement, name="settlement"),
    path("settlements/<int:pk>/dispute", dispute, name="settlement-dispute"),
    path("settlements/<int:pk>/file.<slug:name>", download, name="settlement-file"),
    path("settlements/<int:pk>/<slug:action>", step, name="settlement-step"),
    path("disputes/<int:pk>/<slug:action>", decide, name="dispute-decide"),
]
