"""Every "no" of the API as problem+json (RFC 9457), with the code, the words and the advice of `core.errors`."""

import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from zhengka.core.errors import PROBLEMS, Refusal

LOG = logging.getLogger("zhengka.api")
MEDIA_TYPE = "application/problem+json"
ROOT = "/api/"
TOKEN = "/api/v1/oauth/token"  # noqa: S105 - an address
"""Its refusals have a form of their own."""
BY_STATUS = {401: "login-needed", 403: "not-permitted", 404: "no-such-address", 405: "method-not-allowed",
             413: "request-invalid", 429: "too-many-requests"}
"""Status of an answer that was made outside this room → the problem that it means."""
OAUTH = {"client-wrong": "invalid_client", "token-request-wrong": "invalid_request",
         "grant-unknown": "unsupported_grant_type", "scope-unknown": "invalid_scope",
         "too-many-requests": "invalid_request"}
"""Problem of the token's address → the word that RFC 6749, 5.2, has for it."""
CHALLENGES = {
    "client-wrong": 'Basic realm="zhengka", charset="UTF-8"',
    "token-missing": 'Bearer realm="zhengka"',
    "token-wrong": 'Bearer realm="zhengka", error="invalid_token"',
    "scope-missing": 'Bearer realm="zhengka", error="insufficient_scope"',
}
"""Problem → the header WWW-Authenticate of its answer (RFC 6750, 3: no error is named where no token was shown)."""


class Fault(Schema):
    """One thing wrong with a request."""

    field: str = Field(description="Where, such as body.code.")
    message: str = Field(description="What is wrong there, in English.")


class ProblemOut(Schema):
    """Why not (RFC 9457). `code` is stable; the sentences may be worded better in time."""

    type: str = Field(description="Address of a page about this problem.", examples=["/problems/not-found"])
    title: str = Field(description="What was refused, in English.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="The problem's name in docs/reference/problems.md.", examples=["not-found"])
    title_zh: str = Field(description="What was refused, in Chinese.")
    next: str = Field(description="What to do next, in English.")
    next_zh: str = Field(description="What to do next, in Chinese.")
    facts: dict[str, str] = Field(description="What was met, by name; never personal data.")
    errors: list[Fault] = Field(description="The fields at fault, where the form of the request is.")
    reference: str = Field(description="Number by which the operator finds this answer in the log, or empty.")


class OAuthProblemOut(Schema):
    """Why there is no token (RFC 6749, 5.2), with the code of our own problems."""

    error: str = Field(description="invalid_client, unsupported_grant_type, invalid_scope or invalid_request.")
    error_description: str = Field(description="What was refused and what to do next, in English.")
    error_uri: str = Field(description="Address of a page about this problem.")
    code: str = Field(description="The problem's name in docs/reference/problems.md.", examples=["client-wrong"])


def problem(code: str, *, facts: Mapping[str, Any] | None = None, errors: Sequence[Fault] = (),
            reference: str = "") -> HttpResponse:
    """The answer for a problem of the table."""
    found = PROBLEMS[code]
    body = ProblemOut(
        type=f"/problems/{code}", title=found.title, status=found.status, code=code, title_zh=found.title_zh,
        next=found.next, next_zh=found.next_zh, facts={name: str(value) for name, value in (facts or {}).items()},
        errors=list(errors), reference=reference)
    text = json.dumps(body.model_dump(), ensure_ascii=False)
    answer = HttpResponse(text, status=found.status, content_type=MEDIA_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    _with_headers(answer, code, body.facts)
    return answer


def oauth_problem(code: str, *, facts: Mapping[str, Any]) -> HttpResponse:
    """The answer of the token's address to what it refuses (RFC 6749, 5.2), with the code of our own table."""
    found = PROBLEMS[code]
    body = OAuthProblemOut(error=OAUTH[code], error_description=f"{found.title}. {found.next}", code=code,
                           error_uri=f"/problems/{code}")
    answer = HttpResponse(json.dumps(body.model_dump()), status=found.status, content_type="application/json")
    answer.headers["Cache-Control"], answer.headers["Pragma"] = "no-store", "no-cache"
    _with_headers(answer, code, {name: str(value) for name, value in facts.items()})
    return answer


def _with_headers(answer: HttpResponse, code: str, facts: Mapping[str, str]) -> None:
    """What some problems say in the head of the answer, too."""
    if code == "too-many-requests":
        answer.headers["Retry-After"] = facts.get("seconds", "1")
    if challenge := CHALLENGES.get(code):
        scope = f', scope="{facts["scope"]}"' if code == "scope-missing" and "scope" in facts else ""
        answer.headers["WWW-Authenticate"] = challenge + scope


def handle(api: NinjaAPI) -> None:
    """Let the API answer every exception by a problem."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Refusal: lambda _, no: problem(no.code, facts=no.facts),
        ValidationError: lambda _, bad: problem("request-invalid", errors=[_fault(error) for error in bad.errors]),
        AuthenticationError: lambda *_: problem("login-needed"),
        HttpError: lambda _, bad: problem(BY_STATUS.get(bad.status_code, "request-invalid")),
        Http404: lambda *_: problem("no-such-address"),
        RequestDataTooBig: lambda *_: problem("request-invalid"),
        Exception: _bug,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


class Problems:
    """Answers under /api/ that other parts refused (no such address, method, CSRF, a fault of the site) as problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; what is no problem+json yet becomes one."""
        answer = self.get_response(request)
        told_already = answer.get("Content-Type") == MEDIA_TYPE or (
            request.path == TOKEN and answer.status_code in (400, 401, 429))
        if answer.status_code < 400 or not request.path.startswith(ROOT) or told_already:
            return answer
        code = BY_STATUS.get(answer.status_code, "request-invalid" if answer.status_code < 500 else "internal-fault")
        reference = new_reference()
        LOG.warning("%s answered %s, reference %s", request.path, answer.status_code, reference)
        told = problem(code, reference=reference)
        if "Allow" in answer.headers:
            told.headers["Allow"] = answer.headers["Allow"]
        return told


def new_reference() -> str:
    """A short number that can be read out and found in the log (no vowels, no look-alikes)."""
    return "".join(secrets.choice("23456789CDFGHJKMPQRTVWXZ") for _ in range(8))


def _fault(error: Mapping[str, Any]) -> Fault:
    return Fault(field=".".join(str(part) for part in error["loc"] if part != "asked"), message=str(error["msg"]))


def _bug(request: HttpRequest, fault: Exception) -> HttpResponse:
    reference = new_reference()
    LOG.error("%s failed, reference %s", request.path, reference, exc_info=fault)
    return problem("internal-fault", reference=reference)
