"""Bearer tokens (访问令牌, RFC 6750) that need no row: what they say, and our own mark under it. Pure.

A token is `base64url(JSON) . base64url(HMAC-SHA256)`. It says which client it is of, under which of its secrets it was
asked for, its scopes and its end. Whether that client and that secret are still good is looked up at each use, so that
a stopped client is out at once; what cannot be looked up, the end and the scopes, stands under the mark.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

LONGEST = 600


class Token(NamedTuple):
    """What a token says."""

    client_id: str
    secret: int
    scopes: tuple[str, ...]
    ends_at: datetime


def write(token: Token, key: bytes) -> str:
    """The token's text, good until a key is changed or it ends."""
    said = json.dumps([token.client_id, token.secret, list(token.scopes), int(token.ends_at.timestamp())],
                      separators=(",", ":")).encode()
    return f"{_text(said)}.{_text(_mark(said, key))}"


def read(text: str, key: bytes, *, at: datetime) -> Token | None:
    """What a text says that we wrote and that has not ended; None for every other text."""
    if len(text) > LONGEST or text.count(".") != 1:
        return None
    try:
        said, mark = (_bytes(part) for part in text.split("."))
    except (ValueError, binascii.Error):
        return None
    if not hmac.compare_digest(mark, _mark(said, key)):
        return None
    client_id, secret, scopes, ends_at = json.loads(said)
    token = Token(client_id, secret, tuple(scopes), datetime.fromtimestamp(ends_at, UTC))
    return token if at < token.ends_at else None


def secret_mark(client_id: str, secret: str, key: bytes) -> bytes:
    """What is kept of a client's secret: a keyed digest, 32 bytes.

    A secret has 256 random bits, so that no list of guesses helps against it; a slow hash would only let strangers keep
    our processors busy. The key keeps a copy of the table from being tried at all.
    """
    return hmac.new(key, b"partner secret\0" + client_id.encode() + b"\0" + secret.encode(), hashlib.sha256).digest()


def granted(asked: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """The scopes that are asked for, all that are held where none is named, in the order of `held`; nothing where
    one is asked for that is not held.
    """
    if not asked:
        return tuple(held)
    return tuple(one for one in held if one in asked) if set(asked) <= set(held) else ()


def _mark(said: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"partner token\0" + said, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Strictly what `_text` writes: one token has one text."""
    data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(data) != text:
        raise ValueError("not what was written")
    return data
