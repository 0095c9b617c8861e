"""Accounts of officers (账号管理): for the system administrator, who asks for rights and gives none (三员分立)."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.accounts import services
from zhengka.accounts.models import Officer
from zhengka.accounts.queries import officers
from zhengka.areas.models import Area
from zhengka.cases import queries as cases
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, mine, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.account import password_input
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.permits import LOGINS, account_cell
from zhengka.web.staff.words import ROLE_WORDS, role_word
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table


class FirstPasswordForm(forms.Form):
    """A password that the officer changes at the first login with it."""

    password = forms.CharField(label=_("First password"), max_length=200, strip=False,
                               widget=password_input("new-password"), help_text=_(
        "At least 10 characters. The officer must choose another one at the first login."))

    def clean_password(self) -> str:
        """Long and uncommon enough."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class AccountForm(FirstPasswordForm):
    """A new account."""

    name = forms.CharField(label=_("Name"), max_length=100)
    person = forms.CharField(label=_("Staff number"), max_length=40, help_text=_(
        "The same for every account of one person: two accounts are not two persons."))
    role = forms.ChoiceField(label=_("Role"), choices=[("", "—"), *ROLE_WORDS.items()])
    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    username = forms.RegexField(r"^[A-Za-z0-9._-]{3,40}$", label=_("Login name"), help_text=_(
        "3 to 40 letters, digits, dots and dashes."), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    field_order = ("name", "person", "role", "area", "username", "password")

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the offices within the administrator's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """Another role for an officer than the one that they have or that waits."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, officer: Officer, **kwargs: Any) -> None:
        """Offer the other roles."""
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            choice for choice in ROLE_WORDS.items() if choice[0] != (officer.wanted or officer.role)]


@requires("officer.manage")
def index(request: Request) -> HttpResponse:
    """Every account of the offices in one's area."""
    rows, pager = page_of(request, officers(actor=request.actor))
    columns = [Column(_("Name")), Column(_("Login name")), Column(_("Role")), Column(_("Office")), Column(_("Account"))]
    table = Table(_("Accounts"), columns, [
        Row([Cell(officer.name, href=reverse("staff:officer", args=[officer.pk])), officer.username,
             _role(officer), area_name(officer.area), account_cell(officer)]) for officer in rows],
        pager=pager, caption_hidden=True)
    return render(request, "staff/officers.html", {"title": _("Officers"), "table": table})


@requires("officer.manage")
@sensitive_post_parameters("password")
def new(request: Request) -> HttpResponse:
    """Make an account for a colleague."""
    areas = mine(request, Area.objects.all(), area="code").order_by("code")
    form = AccountForm(request.POST or None, areas=areas)
    if request.method == "POST" and form.is_valid():
        account = services.Account(**form.cleaned_data)
        try:
            return act(request, lambda key: services.open_account(account, by=request.actor, request_id=key),
                       to=reverse("staff:officers"),
                       said=_("The account is made. It can be used once the security administrator permits its role."))
        except Refusal as refusal:
            if refusal.code != "username-taken":
                raise
            form.add_error("username", gettext("This login name is taken. Choose another one."))
    return render(request, "staff/form.html", {
        "title": _("Open an account"), "form": form, "breadcrumbs": trail((_("Officers"), "staff:officers")),
        "submit": _("Open the account"), "back": reverse("staff:officers")})


@requires("officer.manage")
def officer(request: Request, pk: int) -> HttpResponse:
    """One account: what it is, and what can be done with it."""
    row = seen(request, Officer, pk)
    facts = [Fact(_("Login name"), row.username), Fact(_("Staff number"), row.person),
             Fact(_("Role"), role_word(row.role)), Fact(_("Office"), area_name(row.area)),
             Fact(_("Account"), account_cell(row))]
    if row.is_active and row.wanted:
        facts.append(Fact(_("Role asked for"), Cell(role_word(row.wanted), tone=words.WAIT)))
    return render(request, "staff/officer.html", {
        "title": row.name, "caption": _("Officer"), "facts": facts, "officer": row,
        "oneself": row.person == request.actor.person, "on_desk": cases.number_on_desks(
            request.actor, cases.Desk((row.pk,))), "form": RoleForm(officer=row),
        "events": history.of_row(request, row, without=LOGINS),
        "breadcrumbs": trail((_("Officers"), "staff:officers"))})


@requires("officer.manage")
@require_POST
def change(request: Request, pk: int, action: str) -> HttpResponse:
    """Ask for another role for an officer, close the account, or ask to open it again."""
    row = seen(request, Officer, pk)
    role = request.POST.get("role", "")
    if action == "appoint" and not RoleForm(request.POST, officer=row).is_valid():
        raise Refusal("step-not-open", action=action)

    def do(key: UUID) -> Officer:
        if action == "appoint":
            return services.appoint(row, role=role, by=request.actor, request_id=key)
        service = services.deactivate if action == "deactivate" else services.reactivate
        return service(row, by=request.actor, request_id=key)

    return act(request, do, to=reverse("staff:officer", args=[pk]), said=SAID[action])


@requires("officer.manage")
@sensitive_post_parameters("password")
def new_password(request: Request, pk: int) -> HttpResponse:
    """Give a colleague who forgot the password a new first one."""
    row = seen(request, Officer, pk)
    form = FirstPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data["password"]
        return act(request, lambda key: services.reset_password(row, password=told, by=request.actor, request_id=key),
                   to=reverse("staff:officer", args=[pk]), said=SAID["reset_password"])
    return render(request, "staff/form.html", {
        "title": _("Give a new first password"), "caption": row.name, "form": form,
        "breadcrumbs": trail((_("Officers"), "staff:officers")), "submit": _("Give this password"),
        "back": reverse("staff:officer", args=[pk])})


SAID = {"appoint": _("The role is asked for. It holds once the security administrator permits it."),
        "deactivate": _("The account is closed; its sessions have ended."),
        "reactivate": _("The account can be used again once the security administrator permits its role."),
        "reset_password": _("The new password holds; the officer is logged out and must choose another one.")}


def _role(officer: Officer) -> Cell:
    asked = gettext("Asked for: %(role)s") % {"role": role_word(officer.wanted)}
    return Cell(role_word(officer.role), note=asked if officer.is_active and officer.wanted else "")


urls = [
    path("officers/", index, name="officers"),
    path("officers/new", new, name="officer-new"),
    path("officers/<int:pk>", officer, name="officer"),
    path("officers/<int:pk>/password", new_password, name="officer-password"),
    path("officers/<int:pk>/appoint", change, {"action": "appoint"}, name="officer-appoint"),
    path("officers/<int:pk>/deactivate", change, {"action": "deactivate"}, name="officer-deactivate"),
    path("officers/<int:pk>/reactivate", change, {"action": "reactivate"}, name="officer-reactivate"),
]
