"""Every request: a strict content policy, and a transaction that sees only the officer's area."""

from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from zhengka.accounts.services import actor_of
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter

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

    A visitor without a login sees the whole nation, but only the public pages let one in, and they look a card up by
    its signed token. The transaction ends with the response, so nothing leaks to the connection's next request.
    """

    def __init__(self, get_response: View) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer within the scope; a page that failed leaves nothing behind."""
        with transaction.atomic():
            request.actor = actor_of(request.user) if request.user.is_authenticated else None  # type: ignore[attr-defined]
            lo, hi = (request.actor.lo, request.actor.hi) if request.actor else WHOLE_NATION  # type: ignore[attr-defined]
            enter(connection, lo, hi)
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response
