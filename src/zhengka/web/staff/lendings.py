"""Delegations (委托) before the security administrator: permitted, refused, revoked (三员分立)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.accounts import queries, services
from zhengka.accounts.models import Delegation
from zhengka.accounts.roles import ROLES
from zhengka.web.access import Request, act, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.permits import RefusalForm
from zhengka.web.staff.words import PERMISSION_WORDS, role_word
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text


@requires("officer.permit")
def index(request: Request) -> HttpResponse:
    """Every delegation of one's area that waits for a permit, or holds or will hold."""
    rows, pager = page_of(request, queries.lendings(timezone.localdate(), actor=request.actor))
    columns = [Column(_("Whose right")), Column(_("Role")), Column(_("Lent to")), Column(_("Days")),
               Column(_("Office")), Column(_("State"))]
    table = Table(_("Delegations"), columns, [
        Row([Cell(row.officer.name, href=reverse("staff:delegation", args=[row.pk])), role_word(row.role),
             Cell(row.deputy.name, note=role_word(row.deputy.role)), _days(row), area_name(row.area), _state(row)])
        for row in rows], pager=pager, caption_hidden=True, empty=_("No delegation waits or holds."))
    return render(request, "staff/lendings.html", {
        "title": _("Delegations"), "table": table, "breadcrumbs": trail((_("Permits"), "staff:permits"))})


@requires("officer.permit")
def delegation(request: Request, pk: int) -> HttpResponse:
    """One delegation: whose right, to whom, for which days, and what it would add."""
    return _page(request, seen(request, Delegation, pk), RefusalForm())


@requires("officer.permit")
@require_POST
def decide(request: Request, pk: int, action: str) -> HttpResponse:
    """Permit a delegation, refuse it with a reason, or revoke one that holds."""
    row, form = seen(request, Delegation, pk), RefusalForm(request.POST)
    if action == "refuse" and not form.is_valid():
        return _page(request, row, form)

    def do(key: UUID) -> Delegation:
        told: dict[str, Any] = {"by": request.actor, "request_id": key, "at": timezone.now()}
        if action == "refuse":
            return services.refuse_lending(row, reason=form.cleaned_data["reason"], **told)
        return (services.permit_lending if action == "permit" else services.revoke_lending)(row, **told)

    return act(request, do, to=reverse("staff:delegations"), said=SAID[action])


SAID: dict[str, Text] = {
    "permit": _("The delegation is permitted: it holds in its days, from the officer's next step on."),
    "refuse": _("The delegation is not permitted."), "revoke": _("The delegation has ended.")}


def _page(request: Request, row: Delegation, form: RefusalForm) -> HttpResponse:
    facts = [Fact(_("Whose right"), row.officer.name), Fact(_("Staff number"), row.person),
             Fact(_("Role"), role_word(row.role)),
             Fact(_("Lent to"), f"{row.deputy.name} · {role_word(row.deputy.role)}"),
             Fact(_("Staff number of who gets it"), row.deputy_person), Fact(_("Days"), _days(row)),
             Fact(_("Office"), area_name(row.area)), Fact(_("State"), _state(row))]
    added = ROLES[row.role][1] - ROLES[row.deputy.role][1]
    return render(request, "staff/lending.html", {
        "title": row.officer.name, "caption": _("Delegation"), "row": row, "facts": facts, "form": form,
        "added": [word for permission, word in PERMISSION_WORDS.items() if permission in added],
        "party": request.actor.person in (row.person, row.deputy_person),
        "over": row.last_day < timezone.localdate(), "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Permits"), "staff:permits"), (_("Delegations"), "staff:delegations"))})


def _days(row: Delegation) -> str:
    return f"{row.first_day.isoformat()} – {row.last_day.isoformat()}"


def _state(row: Delegation) -> Cell:
    tone, word = words.look("delegation", row.state)
    return Cell(word, tone=tone)


urls = [
    path("delegations/", index, name="delegations"),
    path("delegations/<int:pk>", delegation, name="delegation"),
    path("delegations/<int:pk>/permit", decide, {"action": "permit"}, name="delegation-permit"),
    path("delegations/<int:pk>/refuse", decide, {"action": "refuse"}, name="delegation-refuse"),
    path("delegations/<int:pk>/revoke", decide, {"action": "revoke"}, name="delegation-revoke"),
]
