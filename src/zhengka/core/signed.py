"""Messages between the platform and another system, signed by a secret that both know (HMAC-SHA256, RFC 2104)."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Final

TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
"""How the time under a signature is written, in UTC."""
FRESH: Final = timedelta(minutes=5)
"""How far the time under a signature may be from ours: what was overheard is of no use later."""


def signature(secret: str, stamp: str, body: bytes) -> str:
    """The signature over a time, a dot and a body, in hexadecimal digits."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(secret: str, stamp: str, body: bytes, signed: str, *, at: datetime) -> bool:
    """True where a body was signed by this secret within `FRESH` of `at`; never where the secret is empty."""
    try:
        apart = abs(at - datetime.strptime(stamp, TIME).replace(tzinfo=UTC))
    except ValueError:
        return False
    right = bool(secret) and hmac.compare_digest(signed.encode(), signature(secret, stamp, body).encode())
    return right and apart <= FRESH
