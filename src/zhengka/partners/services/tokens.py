"""A client logs in by its secret and gets a token (RFC 6749, 4.4); each request shows the token (RFC 6750)."""

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet

from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.pace import Pace
from zhengka.partners import tokens
from zhengka.partners.models import Partner, Secret
from zhengka.partners.rules import CLIENT_ID, TOKEN_LIVES
from zhengka.partners.tokens import Token

LOG_INS: Final = Pace(burst=30, rate=0.5)
"""Tokens asked for, by where the request comes from: a client needs one in ten minutes."""
WRONG: Final = Pace(burst=10, rate=1 / 60)
"""Wrong secrets, by client, wherever they come from. Only wrong ones are counted: who floods us with guesses does not
keep the client itself out."""
CALLS: Final = Pace(burst=200, rate=50)
"""Requests of one client: a bus firm's gates all ask as one."""


class Caller(NamedTuple):
    """Who asks: the client, what its token lets it do, and how it appears in events."""

    partner: Partner
    scopes: tuple[str, ...]
    actor: Actor

    @property
    def operator(self) -> str:
        """The code of the operator for whom it asks."""
        return self.partner.operator


def log_in(client_id: str, secret: str, scopes: Sequence[str], *, source: str, at: datetime) -> tuple[str, Token]:
    """The token for a client's secret, with the scopes that were asked for (none: all that it has).

    `Refusal`: `client-wrong`, alike for a client that is unknown, not permitted, stopped, or has another secret;
    `scope-unknown`; `too-many-requests`, by source and by client.
    """
    LOG_INS.take(source, now=time.monotonic())
    known = re.fullmatch(CLIENT_ID, client_id)
    row = Partner.objects.filter(client_id=client_id, state="active").first() if known else None
    kept = list(_good(row, at)) if row else []
    shown = tokens.secret_mark(client_id, secret, settings.INDEX_KEY)
    found = [one for one in kept or [_NOBODYS] if hmac.compare_digest(bytes(one.digest), shown)]
    if row is None or not found:
        WRONG.take(client_id[:64], now=time.monotonic())
        raise Refusal("client-wrong")
    granted = tokens.granted(scopes, row.scopes)
    if not granted:
        raise Refusal("scope-unknown")
    token = Token(client_id, found[0].number, granted, at + TOKEN_LIVES)
    return tokens.write(token, _token_key()), token


def caller_of(text: str, scope: str, *, at: datetime) -> Caller:
    """The client whose token this is, if the token lets it do `scope`.

    `Refusal`: `token-wrong` for one that is none of ours, has ended, or whose client or secret is good no more;
    `scope-missing`; `too-many-requests`.
    """
    token = tokens.read(text, _token_key(), at=at)
    row = Partner.objects.filter(client_id=token.client_id, state="active").first() if token else None
    if token is None or row is None or not _good(row, at).filter(number=token.secret).exists():
        raise Refusal("token-wrong")
    if scope not in token.scopes or scope not in row.scopes:
        raise Refusal("scope-missing", scope=scope)
    CALLS.take(row.client_id, now=time.monotonic())
    actor = Actor(None, row.name, f"client {row.client_id}", frozenset(token.scopes), *WHOLE_NATION)
    return Caller(row, token.scopes, actor)


def _good(row: Partner, at: datetime) -> QuerySet[Secret]:
    return Secret.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), partner=row).order_by("-number")


def _token_key() -> bytes:
    return hashlib.sha256(b"partner tokens\0" + settings.SECRET_KEY.encode()).digest()


_NOBODYS: Final = Secret(digest=bytes(32))
"""Compared with where there is no client, so that the answer takes as long."""
