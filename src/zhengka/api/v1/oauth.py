"""A partner's program asks for a token by its client's secret (OAuth 2.0 client credentials, RFC 6749, 4.4)."""

import base64
import binascii
import json
from typing import Any, Final
from urllib.parse import unquote_plus

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from zhengka.api.access import public
from zhengka.api.problems import oauth_problem
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.pace import visitor
from zhengka.core.scope import enter
from zhengka.partners import services
from zhengka.partners.rules import SCOPES, TOKEN_LIVES

router = Router()
LONGEST: Final = 300
FORM: Final = {
    "type": "object", "required": ["grant_type"], "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "scope": {"type": "string", "description": "Scopes, with spaces between; left out: all of the client's. One or "
                                                   f"more of {', '.join(sorted(SCOPES))}."}}}


class TokenOut(Schema):
    """A token for the header `Authorization: Bearer …` (RFC 6749, 5.1)."""

    access_token: str = Field(description="The token. What it consists of is nobody's business.")
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds for which it is good.", examples=[600])
    scope: str = Field(description="What it lets do, with spaces between.", examples=["verify status.read"])


@router.post("/oauth/token", auth=public, response=TokenOut, summary="Ask for a token", operation_id="token",
             url_name="token", openapi_extra={
                 "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": FORM}}},
                 "security": [{"ClientSecret": []}],
                 "x-oauth-problems": ["client-wrong", "token-request-wrong", "grant-unknown", "scope-unknown",
                                      "too-many-requests"]})
def token(request: HttpRequest) -> HttpResponse:
    """Client id and secret come by HTTP Basic authentication, each form-encoded first (RFC 6749, 2.3.1), never in the
    body or the address. A refusal is the JSON of RFC 6749, 5.2, with the code of the problem beside it.
    """
    try:
        answer = _token(request)
    except Refusal as no:
        return oauth_problem(no.code, facts=no.facts)
    given = HttpResponse(json.dumps(answer), content_type="application/json")
    given.headers["Cache-Control"], given.headers["Pragma"] = "no-store", "no-cache"
    return given


def _token(request: HttpRequest) -> dict[str, Any]:
    enter(connection, *WHOLE_NATION)  # a client is found by its id, whatever office entered it
    asked = request.POST
    source = visitor(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""),
                     behind_front=settings.BEHIND_FRONT)
    client_id, secret = _basic(request.headers.get("Authorization", ""))
    if "grant_type" not in asked or any(len(values) != 1 for _, values in asked.lists()):
        raise Refusal("token-request-wrong")
    if asked["grant_type"] != "client_credentials":
        raise Refusal("grant-unknown")
    text, said = services.log_in(client_id, secret, asked.get("scope", "").split(), source=source, at=timezone.now())
    return {"access_token": text, "token_type": "Bearer", "expires_in": int(TOKEN_LIVES.total_seconds()),
            "scope": " ".join(said.scopes)}


def _basic(header: str) -> tuple[str, str]:
    """Client id and secret of a Basic header; `Refusal("client-wrong")`."""
    scheme, _, text = header.partition(" ")
    try:
        told = base64.b64decode(text.strip().encode("ascii"), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise Refusal("client-wrong") from None
    client_id, colon, secret = told.partition(":")
    if scheme.lower() != "basic" or not colon or len(told) > LONGEST or "\0" in told:
        raise Refusal("client-wrong")
    return unquote_plus(client_id), unquote_plus(secret)
