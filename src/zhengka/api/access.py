"""Who may call a route. Every route names one of the five, and a test says so.

@router.get("/…", auth=requires("card.read"), …)     an officer, logged in, whose role includes the permission
@router.post("/…", auth=provider, …)                 the provider of short messages, who signs what it says
@router.post("/…", auth=portal, …)                   a portal for holders, which signs what it says
@router.get("/…", auth=partner("verify"), …)   a program of an operator, by a token with this scope
@router.post("/…", auth=gate, …)                     a gate, which signs what it says with its own key
@router.get("/…", auth=public, …)                    anyone
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyHeader, HttpBearer, SessionAuth

from zhengka.cards import services as cards
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter
from zhengka.devices.models import Device
from zhengka.devices.services import Asked, gate_that_asks
from zhengka.formats.gatelog import MOST_BYTES
from zhengka.letters import services as letters
from zhengka.partners import services as partners
from zhengka.partners.services import Caller


class OfficerSession(SessionAuth):
    """The session of an officer (the login page of the site makes it); unsafe methods need the CSRF token too."""

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:  # noqa: ARG002 - ninja's signature
        """The officer as an actor, None without a login; `Refusal("not-permitted")` for another role."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None and not actor.may(self.permission):
            raise Refusal("not-permitted", permission=self.permission)
        return actor


class ProviderSignature(APIKeyHeader):
    """HMAC-SHA256 (RFC 2104), in hexadecimal digits, over the header `X-Zhengka-Time`, a dot and the body, with the
    secret that signs what goes to the provider.
    """

    param_name = "X-Zhengka-Signature"
    permission = "letter.send"

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor:
        """The provider; `Refusal("report-signature-wrong")`, also where no secret is set."""
        letters.check_signature(request.headers.get("X-Zhengka-Time", ""), request.body, key or "", at=timezone.now())
        return letters.PROVIDER


class PortalSignature(APIKeyHeader):
    """As `ProviderSignature`, with the secret of the portal on which holders log in."""

    param_name = "X-Zhengka-Signature"
    permission = "card.activate"

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor:
        """The portal; `Refusal("portal-signature-wrong")`, also where no secret is set."""
        cards.check_portal(request.headers.get("X-Zhengka-Time", ""), request.body, key or "", at=timezone.now())
        return cards.PORTAL


class PartnerToken(HttpBearer):
    """A bearer token (RFC 6750) of an operator's program, which includes a scope."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.permission = scope

    def __call__(self, request: HttpRequest) -> Any:
        """The caller; `Refusal("token-missing")` without a token in the header."""
        if not request.headers.get("Authorization", "").lower().startswith("bearer "):
            raise Refusal("token-missing")
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:  # noqa: ARG002 - ninja's signature
        """The caller; `Refusal`: `token-wrong`, `scope-missing`, `too-many-requests`."""
        enter(connection, *WHOLE_NATION)  # a client is found by its id, whatever office entered it
        return partners.caller_of(token, self.permission, at=timezone.now())


def partner(scope: str) -> PartnerToken:
    """Only programs of operators, by a token that includes `scope`; `request.auth` is the caller."""
    return PartnerToken(scope)


class GateSignature(APIKeyHeader):
    """ES256 (RFC 7518, 3.4), base64url, over four lines: method, path with query, the time of `X-Zhengka-Time`, and the
    SHA-256 of the body in hexadecimal digits; by the key of the gate whose number is in `X-Zhengka-Gate`.
    """

    param_name = "X-Zhengka-Signature"
    permission = "device.use"

    def __init__(self, longest: int = 0) -> None:
        """`longest`: bytes of a body that may be longer than the site lets forms be, which is then in
        `request.upload`.
        """
        super().__init__()
        self.longest = longest

    def authenticate(self, request: HttpRequest, key: str | None) -> Device:
        """The gate; `Refusal`: `gate-signature-wrong`, `gate-clock-wrong`, `gate-shut-out`, `upload-too-long`."""
        body = request.body if not self.longest else _upload(request, self.longest)
        enter(connection, *WHOLE_NATION)  # who it is comes first; what it may see is said by the post where it stands
        asked = Asked(request.method or "", request.get_full_path(), request.headers.get("X-Zhengka-Time", ""),
                      body, key or "")
        return gate_that_asks(request.headers.get("X-Zhengka-Gate", ""), asked, at=timezone.now())


def _upload(request: HttpRequest, longest: int) -> bytes:
    """The whole body, never more of it in memory than it may be long."""
    told = request.headers.get("Content-Length", "")
    if told.isascii() and told.isdigit() and int(told) > longest:
        raise Refusal("upload-too-long")
    data: bytes = request.read(longest + 1)
    if len(data) > longest:
        raise Refusal("upload-too-long")
    request.upload = data  # type: ignore[attr-defined]
    return data


provider, portal, gate, gate_log = ProviderSignature(), PortalSignature(), GateSignature(), GateSignature(MOST_BYTES)


def requires(permission: str) -> OfficerSession:
    """Only officers whose role includes `permission`, each within her own area."""
    return OfficerSession(permission)


def public(request: HttpRequest) -> bool:  # noqa: ARG001 - ninja's signature
    """Anyone may call."""
    return True


public.permission = ""  # type: ignore[attr-defined]


def permission_of(auth: Callable[..., object]) -> str | None:
    """The permission that a route names: empty for a public one, None where it names nothing."""
    return getattr(auth, "permission", None)
