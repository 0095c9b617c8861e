"""The desk agent's door (桌面读卡代理): a WebSocket on loopback, open to the pages of paired sites alone.

A browser tells truly from which site a page comes (RFC 6454, RFC 6455 section 10.2). Other programs of this PC may
tell anything: they get what lies on the reader already, and no signature that a server asked for without its nonce.
"""

import json
import logging
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from zhengka_reader import home as homes
from zhengka_reader.desk import Desk
from zhengka_reader.printing import Printer

PORT: Final = 35970
MOST_MESSAGE: Final = 32 << 20
"""Bytes: a package with one card and its face."""


class Agent:
    """The agent at work. Each page has a thread; a card is one page's alone while it is worked with."""

    def __init__(self, home: Path, *, port: int = PORT, printer: Printer | None = None) -> None:
        """Listen on loopback; port 0 takes a free one. OSError where the port is taken, NoHome without a key pair."""
        homes.private_key(home)
        self._home, self._printer, self._refused = home, printer, set[bytes]()
        quiet = logging.getLogger("zhengka_reader.websocket")
        quiet.setLevel(logging.CRITICAL)
        self._server: Server = serve(self._talk, "127.0.0.1", port, process_request=self._may_enter,
                                     max_size=MOST_MESSAGE, compression=None, logger=quiet)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.socket.getsockname()[1])

    def run(self) -> None:
        """Serve until `close`."""
        self._server.serve_forever()

    def close(self) -> None:
        """End."""
        self._server.shutdown()

    def _may_enter(self, connection: ServerConnection, request: Request) -> Response | None:
        """Only a page, and only of a site that is paired or, while a code waits, may become so. Its name is loopback's:
        a name that somebody else's DNS turns to us (DNS rebinding) is none.
        """
        origin, hosts = request.headers.get("Origin", ""), request.headers.get_all("Host")
        known = origin in homes.origins(self._home) or (bool(origin) and homes.is_expecting(self._home))
        if not known or hosts not in ([f"127.0.0.1:{self.port}"], [f"localhost:{self.port}"]):
            return connection.respond(HTTPStatus.FORBIDDEN, "This reader is not paired with your site.\n")
        return None

    def _talk(self, connection: ServerConnection) -> None:
        request = connection.request
        origin = request.headers.get("Origin", "") if request else ""
        desk = Desk(self._home, origin, printer=self._printer, refused=self._refused)
        try:
            with suppress(ConnectionClosed):
                for message in connection:
                    connection.send(json.dumps(_answered(desk, message)))
        finally:
            desk.close()


def _answered(desk: Desk, message: str | bytes) -> dict[str, Any]:
    try:
        asked = json.loads(message)
    except (ValueError, RecursionError):
        return {"no": "not-understood"}
    return desk.answer(asked if isinstance(asked, dict) else {})
