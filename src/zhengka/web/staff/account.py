"""My account (我的账号): what every officer sees of their own account, and the password that only they know."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from zhengka.accounts import services
from zhengka.accounts.models import Officer
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.core.queries import EventFilter, events
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import moment, problem_line, role_word
from zhengka.web.ui.parts import Fact

AT_FIELD = {"login-wrong": "old", "login-locked": "old", "password-same": "new"}
"""Refusal of a change → the field that it belongs to."""


def password_input(autocomplete: str) -> forms.PasswordInput:
    """A control for a password: never filled in again by the page."""
    return forms.PasswordInput(render_value=False, attrs={"autocomplete": autocomplete})


class PasswordForm(forms.Form):
    """The old password, and the new one twice."""

    old = forms.CharField(label=_("Old password"), max_length=200, strip=False,
                          widget=password_input("current-password"))
    new = forms.CharField(label=_("New password"), max_length=200, strip=False, widget=password_input("new-password"),
                          help_text=_("At least 10 characters, and not one that many people use."))
    again = forms.CharField(label=_("New password again"), max_length=200, strip=False,
                            widget=password_input("new-password"))

    def clean_new(self) -> str:
        """Long and uncommon enough."""
        new: str = self.cleaned_data["new"]
        validate_password(new)
        return new

    def clean(self) -> dict[str, Any]:
        """Both times the same."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if "new" in told and "again" in told and told["new"] != told["again"]:
            self.add_error("again", gettext("This is not the same password as above."))
        return told


@requires("account.own")
def index(request: Request) -> HttpResponse:
    """Who one is here, when one logged in, and what happened to the account."""
    row = Officer.get(request.actor.id or 0)
    about = EventFilter(subject=Officer.kind(), subject_id=row.pk)
    logins = list(events(about, actor=request.actor).filter(action="log_in").order_by("-version")[:2])
    facts = [Fact(_("Login name"), row.username), Fact(_("Staff number"), row.person),
             Fact(_("Role"), role_word(row.role)), Fact(_("Office"), area_name(row.area)),
             Fact(_("This login"), _login(logins[:1])), Fact(_("The login before"), _login(logins[1:]))]
    return render(request, "staff/account.html", {
        "title": row.name, "caption": _("My account"), "facts": facts, "events": history.of_row(request, row)})


@requires("account.own")
@sensitive_post_parameters("old", "new", "again")
def password(request: Request) -> HttpResponse:
    """Choose another password; every other session of the account ends."""
    row = Officer.get(request.actor.id or 0)
    form = PasswordForm(request.POST or None)

    def change(key: UUID) -> None:
        told = form.cleaned_data
        update_session_auth_hash(request, services.change_password(
            row, old=told["old"], new=told["new"], by=request.actor, request_id=key, at=timezone.now()))

    if request.method == "POST" and form.is_valid():
        try:
            return act(request, change, to=reverse("staff:account"),
                       said=_("Your password is changed. Wherever else you were logged in, you are logged out."))
        except Refusal as refusal:
            if refusal.code not in AT_FIELD:
                raise
            wrong = refusal.code == "login-wrong"
            form.add_error(AT_FIELD[refusal.code], gettext("This is not your password.") if wrong
                           else problem_line(refusal.problem))
    intro = gettext("Somebody else chose your password. Choose one that only you know; then everything is open to you.")
    return render(request, "staff/form.html", {
        "title": _("Change the password"), "form": form, "submit": _("Change the password"),
        "intro": intro if row.first_password else "",
        "back": "" if row.first_password else reverse("staff:account"),
        "breadcrumbs": [] if row.first_password else trail((_("My account"), "staff:account"))})


def _login(found: list[Event]) -> str:
    at = [moment(event.at) for event in found]
    return gettext("%(at)s, succeeded") % {"at": at[0]} if at else "—"


urls = [
    path("account/", index, name="account"),
    path("account/password", password, name="account-password"),
]
