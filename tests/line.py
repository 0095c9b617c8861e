"""The line between a browser and the site (网线), to be cut while all else on this machine goes on.

A browser that is told to be offline (`set_offline`) reaches nobody on loopback either, and so no desk agent.
"""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK = 1 << 16


class Line:
    """Carries bytes to a site; `url` is the site at this end."""

    def __init__(self, site: str) -> None:
        """It lies, whole."""
        self._far = (urlsplit(site).hostname or "", urlsplit(site).port or 80)
        self._door, self._open, self._whole = socket.create_server(("127.0.0.1", 0)), set[socket.socket](), True
        self.url = f"http://localhost:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Whatever goes by it ends, and nothing begins."""
        self._whole = False
        for each in list(self._open):
            _end(each)

    def mend(self) -> None:
        """It is whole again."""
        self._whole = True

    def close(self) -> None:
        """Take it away."""
        self.cut()
        _end(self._door)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                if not self._whole:
                    near.close()
                    continue
                far = socket.create_connection(self._far)
                self._open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(CHUNK):
                other.sendall(data)
        _end(one)
        _end(other)
        self._open.discard(one)


def _end(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
