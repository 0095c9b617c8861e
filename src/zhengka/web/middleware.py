"""Every request: a strict content policy, a transaction that sees only the officer's area, and a page for every no."""

from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from zhengka.accounts.services import actor_of
from zhengka.core.actors import NOWHERE
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter
from zhengka.web.access import back_to, onward
from zhengka.web.ui.pages import refused

View = Callable[[HttpRequest], HttpResponse]
POLICY = ("default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
          "frame-ancestors 'none'")


class ContentSecurityPolicy:
    """Adds the policy that forbids inline script and anything from elsewhere."""

    def __init__(self, get_response: View) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the header set."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class Scope:
    """Runs the view in one transaction under the web role, with row-level security set to the officer's subtree.

    A visitor without a login sees no row; a page or an answer that looks a card up by its signed token widens the
    scope itself. The transaction ends with the response, so nothing leaks to the connection's next request.
    """

    def __init__(self, get_response: View) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer within the scope; a page that refused or failed leaves nothing behind in the database."""
        with transaction.atomic():
            officer = request.user if request.user.is_authenticated else None
            lo, hi = (officer.area.code, officer.area.last) if officer else NOWHERE
            enter(connection, lo, hi)  # before rights that were lent are looked up: they are rows of an area, too
            actor = actor_of(officer, on=timezone.localdate()) if officer else None
            request.actor = actor  # type: ignore[attr-defined]
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        if actor:  # people's data stays in no cache, and not behind the browser's back button after logout
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class Refusals:
    """Turns a `Refusal` that a view let through into its page, with the status of its problem."""

    def __init__(self, get_response: View) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as the rest of the chain does."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The refusal's page for an officer or a passer-by; anything else is a bug and goes on."""
        if not isinstance(exception, Refusal):
            return None
        officer = getattr(request, "actor", None)
        home = reverse("staff:home") if officer else "/"
        return refused(request, exception, back=back_to(request, home), onward=onward(exception) if officer else "",
                       shell="ui/staff.html" if officer else "ui/public.html")
