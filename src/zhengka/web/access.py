"""Who may open a page, which rows it shows, and how a page's form does something exactly once.

The pattern of a page (each subject is one file of `zhengka.web.staff`, with its routes at its end):

    @requires("holder.read")                    # no login → login page; without the permission → 403
    def holder(request: Request, pk: int) -> HttpResponse:
        row = seen(request, Holder, pk)         # in another area or nowhere → 404
        …

    @requires("card.suspend")
    @require_POST
    def report_lost(request: Request, pk: int) -> HttpResponse:
        card = seen(request, Card, pk)
        return act(request, lambda key: cards.report_lost(card, by=request.actor, request_id=key),
                   to=reverse("staff:card", args=[pk]), said=_("The card is blocked."))

`act` hands the form's request id to the service, answers with a redirect, and takes a repeat for done. A `Refusal` that
a view lets through becomes its page (`middleware.Refusals`), and whatever the view had written is rolled back.
Every route carries `requires(…)` or `public`; a test walks the URL list and says which one does not.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed

ACTS, KEPT = "acts", 20
OWN_PASSWORD = "staff:account-password"  # noqa: S105 - the name of a route
View = Callable[..., HttpResponse]
Row = TypeVar("Row", bound=Model)


class Request(HttpRequest):
    """A request that passed `requires`: somebody is logged in."""

    actor: Actor


def requires(*permissions: str) -> Callable[[View], View]:
    """Let in officers who hold one of `permissions`; without any, every officer who is logged in.

    Whose password was chosen by somebody else is led to the page where they choose another one, whatever they ask for.
    """
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.actor is None:
                return to_login(request)
            if request.user.first_password and request.path != reverse(OWN_PASSWORD):  # type: ignore[union-attr]
                return HttpResponseRedirect(reverse(OWN_PASSWORD))
            if permissions and not any(request.actor.may(permission) for permission in permissions):
                raise Refusal("not-permitted", permission=permissions[0])
            answer = view(request, *args, **kwargs)
            read = request.method in ("GET", "HEAD")
            return HttpResponseRedirect(page_above(request.path)) if read and answer.status_code == 405 else answer
        guarded.permissions = permissions  # type: ignore[attr-defined]
        return guarded
    return guard


def page_above(path: str) -> str:
    """The page to which a form's address belongs (`/staff/cases/7/step` → `/staff/cases/7`): who types or reloads an
    address that takes forms alone is led there.
    """
    while path.count("/") > ROOT:
        path = path[:path.rstrip("/").rindex("/") + 1]
        for address in (path.rstrip("/"), path):
            with suppress(Resolver404):
                resolve(address)
                return address
    return reverse("staff:home")


ROOT = 2
"""Slashes of /staff/, above which nothing is an officer's page."""


def public(view: View) -> View:
    """Let in everybody: said on purpose, so that a page without a guard is a mistake that a test finds."""
    view.permissions = None  # type: ignore[attr-defined]
    return view


def to_login(request: HttpRequest) -> HttpResponse:
    """The login page, and back here afterwards where this was a page that one reads."""
    query = "?" + urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
    return HttpResponseRedirect(reverse("staff:login") + query)


def mine(request: Request, rows: QuerySet[Row], *, area: str = "area") -> QuerySet[Row]:
    """Those of `rows` that lie in the officer's area; `area` is the way to the row's area column."""
    return rows.filter(**{f"{area}__gte": request.actor.lo, f"{area}__lte": request.actor.hi})


def seen(request: Request, model: type[Row], pk: int, *, area: str = "area") -> Row:
    """The row `pk`; `Refusal("not-found")`, a 404, where it is another area's or nobody's: the answer is the same."""
    row = mine(request, model._default_manager.all(), area=area).filter(pk=pk).first()
    if row is None:
        raise Refusal("not-found")
    return row


def request_key(request: HttpRequest) -> UUID:
    """The request id that the form carried since it was shown; a form without one is not ours (400)."""
    try:
        return UUID(request.POST["request_id"])
    except (KeyError, ValueError):
        raise BadRequest("a form of this site carries a request id") from None


def act(request: Request, do: Callable[[UUID], Any], *, to: str | Callable[[int], str], said: Any = "") -> HttpResponse:
    """Carry out `do(request id)`, say so, and go to `to`; a repeat of the same form goes there too and does nothing.

    `to`: an address, or a function that makes it of the id of the row that `do` returns.
    `said`: words, or a function that makes them of what `do` returned (how many of a bulk act moved). A service for
    many rows cannot raise `Replayed`, so the words are kept in the session and a repeat is answered from there.
    """
    key, words, row = request_key(request), said, 0
    if callable(said):
        kept: dict[str, str] = request.session.get(ACTS, {})
        words = kept.get(str(key)) or str(said(do(key)))
        request.session[ACTS] = dict(list({**kept, str(key): words}.items())[-KEPT:])
    else:
        try:
            row = getattr(do(key), "pk", 0)
        except Replayed as again:
            row = again.event.subject_id
    if words:
        messages.success(request, words)
    return HttpResponseRedirect(to(row) if callable(to) else to)


def sure(request: HttpRequest) -> bool:
    """True once the visitor said yes to being asked a second time (`staff/sure.html`)."""
    return request.POST.get("sure") == "1"


def onward(no: Refusal) -> str:
    """Address of the case with which to go on instead of what was refused; empty where none may be seen."""
    return reverse("staff:case", args=[no.facts["case"]]) if no.code == "case-open" and "case" in no.facts else ""


def back_to(request: HttpRequest, otherwise: str = "") -> str:
    """Path of the page that the visitor came from, if it is one of ours; else `otherwise`."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return otherwise
    parts = urlsplit(referer)
    return parts.path + (f"?{parts.query}" if parts.query else "")
