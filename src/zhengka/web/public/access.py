"""How a page without a login treats a visitor: nobody keeps it, nobody asks too often, and a "no" is a page."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from zhengka.core.errors import Refusal
from zhengka.core.pace import CHECKS, visitor
from zhengka.web.access import public
from zhengka.web.ui.pages import refused

View = Callable[..., HttpResponse]
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
           "X-Robots-Tag": "noindex, nofollow, noarchive"}


def check_page(view: View) -> View:
    """A page about one card: open to all, at a measured pace, kept by no cache, told to no other site or search engine.

    Its forms change nothing and need no cookie, so they carry no CSRF token.
    """
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            CHECKS.take(who(request), now=time.monotonic())
            answer = view(request, *args, **kwargs)
        except Refusal as refusal:
            answer = refused(request, refusal, back="/", shell="ui/public.html")  # noqa: S604 - a page's shell
            if "seconds" in refusal.facts:
                answer.headers["Retry-After"] = str(refusal.facts["seconds"])
        for name, value in HEADERS.items():
            answer.headers[name] = value
        return answer
    return public(csrf_exempt(guarded))


def who(request: HttpRequest) -> str:
    """The visitor's address, as the pace counts it."""
    return visitor(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""),
                   behind_front=settings.BEHIND_FRONT)
