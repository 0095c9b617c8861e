"""How the kit asks a site: client credentials (RFC 6749, 4.4), JSON with a bearer token, a port for webhooks."""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlencode

PATIENCE: Final = 15.0
FRESH: Final = timedelta(minutes=5)
LONGEST: Final = 1 << 20


class Answer(NamedTuple):
    """What the site answered."""

    status: int
    head: dict[str, str]
    told: dict[str, Any]


class Client:
    """A program of an operator."""

    def __init__(self, url: str, client_id: str, secret: str) -> None:
        """Keep where to ask, and as whom."""
        if not url.startswith(("https://", "http://")):
            raise ValueError("the site's address begins with https:// or http://")
        self.url, self.client_id, self._secret = url.rstrip("/"), client_id, secret

    def token(self, scope: str = "", *, secret: str = "") -> Answer:
        """Ask for a token."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(secret or self._secret)}"
        body = urlencode({"grant_type": "client_credentials"} | ({"scope": scope} if scope else {}))
        return _send(f"{self.url}/api/v1/oauth/token", body.encode(), {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded"})

    def ask(self, path: str, token: str, body: dict[str, Any] | None = None, key: str = "") -> Answer:
        """GET, or POST with a body; `key`: the Idempotency-Key."""
        head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return _send(f"{self.url}/api/v1/partner/{path}", data, head | ({"Idempotency-Key": key} if key else {}))


def _send(url: str, body: bytes | None, head: dict[str, str]) -> Answer:
    asked = urllib.request.Request(url, body, head)  # noqa: S310 - http or https, as looked at above
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as got:  # noqa: S310
            return _answer(got.status, got.headers, got.read(LONGEST))
    except urllib.error.HTTPError as no:
        with no:
            return _answer(no.code, no.headers, no.read(LONGEST))
    except urllib.error.URLError as no:
        raise ValueError(f"{url}: {no.reason}") from None


def _answer(status: int, head: Any, body: bytes) -> Answer:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    return Answer(status, {name.lower(): value for name, value in head.items()}, told if isinstance(told, dict) else {})


def is_signed(secret: str, stamp: str, body: bytes, signature: str, *, at: datetime) -> bool:
    """Whether a webhook's body is the site's: HMAC-SHA256 over time, a dot and the body, and the time is near."""
    try:
        apart = abs(at - datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC))
    except ValueError:
        return False
    right = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode()) and apart <= FRESH


class Listener:
    """A port of this machine to which the site sends webhooks."""

    def __init__(self, port: int) -> None:
        """Listen."""
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        got = self.got

        class Taking(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep what came, and say that it was taken."""
                size = min(int(self.headers.get("Content-Length", "0")), LONGEST)
                got.put(({name.lower(): value for name, value in self.headers.items()}, self.rfile.read(size)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Taking)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
