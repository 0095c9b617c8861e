"""Permits (授权): the security administrator's word to roles that a system administrator asked for (三员分立)."""

from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.accounts import queries, services
from zhengka.accounts.models import Officer
from zhengka.accounts.roles import PERMISSIONS, ROLES
from zhengka.web.access import Request, act, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import PERMISSION_WORDS, role_word
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

LOGINS = ("log_in", "log_out", "lock_out")
"""What is not told here of an account: when somebody works is for them and for the journal."""


class RefusalForm(forms.Form):
    """Why a role is not permitted."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


@requires("officer.permit")
def index(request: Request) -> HttpResponse:
    """Every account of one's area for which a role waits."""
    rows, pager = page_of(request, queries.waiting(actor=request.actor))
    columns = [Column(_("Name")), Column(_("Login name")), Column(_("Office")), Column(_("Present role")),
               Column(_("Role asked for"))]
    table = Table(_("Roles to permit"), columns, [
        Row([Cell(row.name, href=reverse("staff:permit", args=[row.pk])), row.username, area_name(row.area),
             _present(row), role_word(row.wanted)]) for row in rows], pager=pager, caption_hidden=True,
        empty=_("No role waits for your permission."))
    return render(request, "staff/permits.html", {
        "title": _("Permits"), "table": table,
        "lendings": queries.lendings(timezone.localdate(), actor=request.actor).filter(state="asked").count()})


@requires("officer.permit")
def permit(request: Request, pk: int) -> HttpResponse:
    """One account: which role is asked for, by whom, and what that role may do."""
    row = seen(request, Officer, pk)
    return _page(request, row, RefusalForm())


@requires("officer.permit")
@require_POST
def decide(request: Request, pk: int, action: str) -> HttpResponse:
    """Permit the role that was shown, or refuse it with a reason."""
    row = seen(request, Officer, pk)
    role, form = request.POST.get("role", ""), RefusalForm(request.POST)
    if action == "refuse" and not form.is_valid():
        return _page(request, row, form)

    def do(key: UUID) -> Officer:
        if action == "permit":
            return services.permit(row, role=role, by=request.actor, request_id=key)
        return services.refuse(row, role=role, reason=form.cleaned_data["reason"], by=request.actor, request_id=key)

    return act(request, do, to=reverse("staff:permits"), said=SAID[action])


@requires("officer.permit", "officer.manage")
def matrix(request: Request) -> HttpResponse:
    """Which role may do what, in words."""
    roles = [(role_word(role), held) for role, (_zh, held) in ROLES.items()]
    lines = [(PERMISSION_WORDS.get(one, one), [one in held for _word, held in roles])
             for one in sorted(PERMISSIONS, key=list(PERMISSION_WORDS).index)]
    return render(request, "staff/permissions.html", {
        "title": _("Roles and permissions"), "roles": [word for word, _held in roles], "lines": lines})


SAID: dict[str, Text] = {"permit": _("The role is permitted; it holds from the officer's next step on."),
                         "refuse": _("The role is not permitted.")}


def _page(request: Request, row: Officer, form: RefusalForm) -> HttpResponse:
    facts = [Fact(_("Login name"), row.username), Fact(_("Staff number"), row.person),
             Fact(_("Office"), area_name(row.area)), Fact(_("Account"), account_cell(row)),
             Fact(_("Present role"), _present(row))]
    if row.wanted:
        facts += [Fact(_("Role asked for"), role_word(row.wanted)),
                  Fact(_("Staff number of who asked"), row.wanted_by)]
    allowed = [PERMISSION_WORDS.get(one, one) for one in PERMISSION_WORDS if row.wanted and one in ROLES[row.wanted][1]]
    return render(request, "staff/permit.html", {
        "title": row.name, "caption": _("Permit"), "officer": row, "facts": facts, "form": form, "allowed": allowed,
        "oneself": request.actor.person in (row.person, row.wanted_by), "role": role_word(row.wanted),
        "events": history.of_row(request, row, without=LOGINS), "breadcrumbs": trail((_("Permits"), "staff:permits"))})


def _present(row: Officer) -> Text:
    return role_word(row.role) if row.is_active else "—"


def account_cell(row: Officer) -> Cell:
    """Whether the account may be used, in a word with its tone."""
    tone, word = words.look("officer", row.state)
    return Cell(word, tone=tone)


urls = [
    path("permits/", index, name="permits"),
    path("permits/matrix", matrix, name="permissions"),
    path("permits/<int:pk>", permit, name="permit"),
    path("permits/<int:pk>/permit", decide, {"action": "permit"}, name="permit-give"),
    path("permits/<int:pk>/refuse", decide, {"action": "refuse"}, name="permit-refuse"),
]
