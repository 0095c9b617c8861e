"""Pages that say no: a refusal in plain words, and the four error pages, each with its code and reference number."""

import logging
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

from zhengka.core.errors import Refusal

LOG = logging.getLogger("zhengka.web")


def new_reference() -> str:
    """A short number that a visitor can read out and an operator finds in the log (no vowels, no look-alikes)."""
    return "".join(secrets.choice("23456789CDFGHJKMPQRTVWXZ") for _ in range(8))


def refused(request: HttpRequest, refusal: Refusal, *, back: str = "", onward: str = "",
            shell: str = "ui/staff.html") -> HttpResponse:
    """The page of a `Refusal`: what was refused, why, what to do next, the case to go on with (`onward`: its address),
    and a way back to `back`.
    """
    problem = refusal.problem
    chinese = (get_language() or "").startswith("zh")
    context = {
        "shell": shell, "code": refusal.code, "back": back, "onward": onward,
        "title": problem.title_zh if chinese else problem.title,
        "next": problem.next_zh if chinese else problem.next,
    }
    return render(request, "ui/refusal.html", context, status=problem.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return _failed(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return _failed(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: the form stood open too long, or another site sent it."""
    return _failed(request, 403, stale=True)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return _failed(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: tells nothing but a reference number."""
    return _failed(request, 500)


def _failed(request: HttpRequest, status: int, **more: Any) -> HttpResponse:
    reference = new_reference()
    LOG.warning("page %s answered %s, reference %s", request.path, status, reference)
    context = {"reference": reference, "status": status, **more}
    # Without the request: no context processor, no session, no database, so this page cannot fail in its turn.
    page = render_to_string(f"{status}.html", context)
    return HttpResponse(page, status=status)
