"""Logging in and out (登录、退出)."""

import time
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.auth import login, logout
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.accounts import demo, services
from zhengka.accounts.models import Officer
from zhengka.core.errors import Refusal
from zhengka.core.pace import Pace
from zhengka.core.scope import enter
from zhengka.web.access import Request, public
from zhengka.web.public.access import who
from zhengka.web.staff.words import problem_line

BACKEND = "zhengka.web.sessions.Sessions"
LOGINS = Pace(burst=60, rate=1)
"""Tries from one address, whatever the names: an office of many officers may share one (T22)."""


class LoginForm(forms.Form):
    """Name and password. The password is never sent back to the page."""

    username = forms.CharField(label=_("Login name"), max_length=100, widget=forms.TextInput(
        attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}))
    password = forms.CharField(label=_("Password"), max_length=200, strip=False, widget=forms.PasswordInput(
        render_value=False, attrs={"autocomplete": "current-password"}))


@public
@sensitive_post_parameters("password")
def log_in_page(request: HttpRequest) -> HttpResponse:
    """Log in: a new session with a new key; five wrong tries lock the name for fifteen minutes, whosever it is."""
    target = _safe_target(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return _page(request, LoginForm())
    LOGINS.take(who(request), now=time.monotonic())
    form = LoginForm(request.POST)
    if form.is_valid():
        now = timezone.now()
        try:
            officer = services.authenticate(form.cleaned_data["username"], form.cleaned_data["password"], at=now)
        except Refusal as refusal:
            form.add_error(None, problem_line(refusal.problem))
        else:
            _begin(request, officer, now)
            return HttpResponseRedirect(target)
    return _page(request, form)


@public
@require_POST
def log_out_page(request: Request) -> HttpResponse:
    """Log out: the session is gone, here and for anyone who copied its key."""
    if request.actor:
        services.log_out(Officer.get(request.actor.id or 0), request_id=uuid4(), at=timezone.now())
    logout(request)
    return HttpResponseRedirect(reverse("staff:login"))


def _begin(request: HttpRequest, officer: Officer, at: datetime) -> None:
    """The officer's session, and the event of its beginning, which only the officer's own area may hold."""
    enter(connection, officer.area.code, officer.area.last)
    login(request, officer, backend=BACKEND)
    services.log_in(officer, request_id=uuid4(), at=at)


def _page(request: HttpRequest, form: LoginForm) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    if settings.DEMO:
        chinese = (get_language() or "").startswith("zh")
        context["demo_officers"] = [
            {"login": officer.username, "role": officer.role_zh if chinese else officer.role.capitalize(),
             "office": officer.office_zh if chinese else officer.office, "password": officer.password}
            for officer in demo.officers()]
    return render(request, "ui/login.html", context)


def _safe_target(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else reverse("staff:home")


urls = [
    path("login", log_in_page, name="login"),
    path("logout", log_out_page, name="logout"),
]
