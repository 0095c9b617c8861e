"""Programs of operators (合作单位接入): asked for, permitted by a second person; their secrets, webhooks."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.partners import queries, rules, services
from zhengka.partners.models import Partner
from zhengka.partners.workflow import PARTNER
from zhengka.web.access import Request, act, mine, request_key, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.partner_words import EVENT_WORDS, SCOPE_WORDS
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

LOOKS = {"permit": "primary", "decline": "secondary", "stop": "warning-quiet", "shut_out": "warning-quiet"}
SAID: dict[str, Text] = {
    "permit": _("The program has access."), "decline": _("The program gets no access."),
    "stop": _("The program is out."), "shut_out": _("The program is out."),
    "end_secret": _("The older secret is worth nothing any more.")}
ASKED: dict[str, tuple[Text, Text]] = {
    action: (_("Stop this program for good?"), _(
        "It is out with its next request, and is told nothing any more. Whoever comes back is entered as another "
        "program."))
    for action in ("stop", "shut_out")}
TRAIL = ((_("Programs of operators"), "staff:partners"),)


class PartnerForm(forms.Form):
    """A program that is to get access."""

    operator = forms.RegexField(rules.OPERATOR, label=_("Operator's code"), max_length=40, help_text=_(
        "As its file of places and rules has it: small letters, digits and hyphens."))
    name = forms.CharField(label=_("Name of the program"), max_length=60, help_text=_(
        "Which one, and whose, such as the back office of the metro's gates."))
    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple,
                                       choices=list(SCOPE_WORDS.items()))

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the offices within the administrator's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


@requires("partner.manage", "partner.permit")
def index(request: Request) -> HttpResponse:
    """The programs of one's area."""
    rows, pager = page_of(request, queries.partners(actor=request.actor))
    columns = [Column(_("Program")), Column(_("Operator")), Column(_("Office")), Column(_("State")), Column(_("Since"))]
    table = Table(_("Programs of operators"), columns, [_row(row) for row in rows], pager=pager, caption_hidden=True,
                  empty=_("No program of an operator is entered."))
    return render(request, "staff/partners/index.html", {
        "title": _("Programs of operators"), "table": table, "may_enter": request.actor.may("partner.manage")})


@requires("partner.manage")
def new(request: Request) -> HttpResponse:
    """Ask that a program gets access."""
    areas = mine(request, Area.objects.all(), area="code").order_by("code")
    form = PartnerForm(request.POST or None, areas=areas)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        about = services.About(told["operator"], told["name"], tuple(told["scopes"]))
        return act(request, lambda key: services.ask(told["area"], about, by=request.actor, request_id=key,
                                                     at=timezone.now()),
                   to=lambda pk: reverse("staff:partner", args=[pk]),
                   said=_("The program waits for the security administrator."))
    return render(request, "staff/form.html", {
        "title": _("Enter a program"), "form": form, "breadcrumbs": trail(*TRAIL), "submit": _("Ask for its access"),
        "back": reverse("staff:partners"), "intro": _(
            "A program of an operator asks us by itself: a gate's back office, a ticket shop. The security "
            "administrator permits it; then you make its secret.")})


@requires("partner.manage", "partner.permit")
def partner(request: Request, pk: int) -> HttpResponse:
    """One program: what it may do, its secrets, where it is told of what happens."""
    return _page(request, queries.partner(pk, actor=request.actor))


@requires("partner.manage")
@require_POST
@sensitive_variables("shown")
def secret(request: Request, pk: int) -> HttpResponse:
    """A new secret: on this page alone, once. A repeat of the form makes none and shows none."""
    row = queries.partner(pk, actor=request.actor)
    try:
        shown = services.new_secret(row, by=request.actor, request_id=request_key(request), at=timezone.now())
    except Replayed:
        return _page(request, row)
    return _page(request, shown.partner, secret=shown.secret)


@requires("partner.manage")
@require_POST
def end_secret(request: Request, pk: int) -> HttpResponse:
    """End the older secret at once."""
    row = queries.partner(pk, actor=request.actor)
    return act(request, lambda key: services.end_secret(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:partner", args=[pk]), said=SAID["end_secret"])


@requires("partner.manage", "partner.permit")
@require_POST
def change(request: Request, pk: int, action: str) -> HttpResponse:
    """Permit, decline, stop or shut out."""
    row = queries.partner(pk, actor=request.actor)
    if action in ASKED and not sure(request):
        PARTNER.step(row.state, action)
        title, meaning = ASKED[action]
        return render(request, "staff/sure.html", {
            "title": title, "caption": row.name, "url": request.path, "kind": "warning", "meaning": meaning,
            "submit": words.act(action, "partner"), "back": reverse("staff:partner", args=[pk]), "hidden": []})
    if action not in LOOKS:
        raise Refusal("not-found")
    return act(request, lambda key: services.change(row, action, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:partner", args=[pk]), said=SAID[action])


def _page(request: Request, row: Partner, secret: str = "") -> HttpResponse:
    actor, at = request.actor, timezone.now()
    manages = actor.may("partner.manage") and row.state == "active"
    open_ = [step.action for step in PARTNER.open_to(row.state, actor.permissions) if step.action in LOOKS]
    own = row.state == "asked" and row.asked_by == actor.person
    buttons = [{"url": reverse("staff:partner-change", args=[row.pk, action]), "kind": LOOKS[action],
                "label": words.act(action, "partner")} for action in open_ if not (own and action == "permit")]
    kept = list(queries.secrets(row, at=at))
    return render(request, "staff/partners/partner.html", {
        "title": row.name, "caption": row.operator, "partner": row, "facts": _facts(row), "buttons": buttons,
        "secret": secret, "may_secret": manages, "may_end": manages and len(kept) > 1, "secrets": _secrets(row, kept),
        "webhooks": _webhooks(row), "may_subscribe": manages,
        "events": history.of_row(request, row, here=reverse("staff:partner", args=[row.pk])),
        "breadcrumbs": trail(*TRAIL)})


def _facts(row: Partner) -> list[Fact]:
    scopes = " · ".join(str(SCOPE_WORDS[scope]) for scope in row.scopes)
    return [Fact(_("Operator's code"), row.operator), Fact(_("Office"), area_name(row.area)),
            Fact(_("What it may do"), scopes), Fact(_("Client id"), Cell(row.client_id, number=True)),
            Fact(_("Staff number of who asked"), row.asked_by),
            Fact(_("Staff number of who permitted"), row.permitted_by or "—")]


def _secrets(row: Partner, kept: list[Any]) -> Table | None:
    if row.state != "active":
        return None
    return Table(_("Secrets"), [Column(_("Number")), Column(_("Made")), Column(_("Good until"))], [
        Row([each.number, moment(each.made_at), moment(each.ends_at) if each.ends_at else _("a newer one")])
        for each in kept], empty=_("No secret was made yet: the program cannot ask for a token."))


def _webhooks(row: Partner) -> Table:
    columns = [Column(_("Address")), Column(_("Told of")), Column(_("State")), Column(_("Waiting"), numeric=True),
               Column(_("Given up"), numeric=True), Column(_("Last taken"))]
    return Table(_("Webhooks"), columns, [
        Row([Cell(each.url, href=reverse("staff:webhook", args=[each.pk])),
             " · ".join(str(EVENT_WORDS[event]) for event in each.events),
             Cell(words.look("webhook", each.state)[1], tone=words.look("webhook", each.state)[0]),
             each.waiting, each.given_up, moment(each.taken_at)]) for each in queries.webhooks(row)],
        empty=_("Nothing is told to this operator by itself."))


def _row(row: Partner) -> Row:
    tone, word = words.look("partner", row.state)
    return Row([Cell(row.name, href=reverse("staff:partner", args=[row.pk])), row.operator, area_name(row.area),
                Cell(word, tone=tone), moment(row.asked_at)])


urls = [
    path("partners/", index, name="partners"),
    path("partners/new", new, name="partner-new"),
    path("partners/<int:pk>/", partner, name="partner"),
    path("partners/<int:pk>/secret", secret, name="partner-secret"),
    path("partners/<int:pk>/end-secret", end_secret, name="partner-end-secret"),
    path("partners/<int:pk>/act/<slug:action>", change, name="partner-change"),
]
