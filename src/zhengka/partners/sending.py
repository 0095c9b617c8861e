"""One signed POST to an address that somebody else named, and no step further (防 SSRF).

The name is resolved once; every address that comes back must be of the public network, and the connection goes to one
of those very addresses, so that a name which answers differently the next moment leads nowhere. No redirect is
followed, no proxy is asked, nothing of the answer but its status is read, and all of it ends after `PATIENCE`.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from zhengka.core import signed
from zhengka.partners.rules import address_fault

PATIENCE: Final = 10.0
"""Seconds for all of it: name, connection, TLS and answer."""
LONGEST_LINE: Final = 8 << 10

Resolver = Callable[[str, int], Sequence[str]]


class NotTaken(Exception):
    """It was not taken, or nobody knows: it is sent again. `code` is a key of `rules.DELIVERY_FAULTS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Parcel:
    """What is sent, and where to."""

    url: str
    message: str
    body: bytes
    secret: str


@dataclass(frozen=True)
class Ways:
    """How names are resolved, and whether this machine itself is a place to send to (a sandbox)."""

    resolve: Resolver
    loopback: bool = False
    patience: float = PATIENCE


def by_system(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def post(parcel: Parcel, ways: Ways, *, at: datetime) -> None:
    """Send it; raises `NotTaken` unless the other side answered with 2xx."""
    parts = urlsplit(parcel.url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    ends = monotonic() + ways.patience
    address = _checked(host, port, ways)
    left = max(ends - monotonic(), 0.1)
    connection = _Pinned(host, port, address, tls=tls, timeout=left)
    watch = threading.Timer(left, connection.cut)
    watch.start()
    try:
        _ask(connection, parts.path or "/", parts.query, parcel, at)
    finally:
        watch.cancel()
        connection.close()


def _checked(host: str, port: int, ways: Ways) -> str:
    """The address to go to. One bad address among good ones is enough to refuse: it was put there by somebody."""
    try:
        found = list(_in_time(lambda: ways.resolve(host, port), ways.patience))
    except (OSError, UnicodeError):  # TimeoutError among them
        found = []
    if not found:
        raise NotTaken("name-unknown")
    for text in found:
        if fault := address_fault(text, loopback=ways.loopback):
            raise NotTaken(fault)
    return found[0]


def _in_time(ask: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """What it answers; TimeoutError where it takes longer. A resolver cannot be cut in the middle: it is left behind,
    and ends by its own patience.
    """
    answer: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as fault:  # whatever it is, it is raised where the answer is waited for
            answer.set_exception(fault)
    threading.Thread(target=run, daemon=True).start()
    return answer.result(seconds)


def _ask(connection: "_Pinned", path: str, query: str, parcel: Parcel, at: datetime) -> None:
    stamp = at.astimezone(UTC).strftime(signed.TIME)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError:
        raise NotTaken("certificate-wrong") from None
    except OSError:
        raise NotTaken("no-connection") from None
    try:
        connection.request("POST", f"{path}?{query}" if query else path, parcel.body, {
            "Content-Type": "application/json", "User-Agent": "zhengka", "X-Zhengka-Delivery": parcel.message,
            "X-Zhengka-Time": stamp, "X-Zhengka-Signature": signed.signature(parcel.secret, stamp, parcel.body)})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        raise NotTaken("no-answer") from None
    if not 200 <= status < 300:
        raise NotTaken("redirected" if 300 <= status < 400 else "not-taken")


class _Pinned(http.client.HTTPConnection):
    """A connection to one address; the name is for the certificate and the Host header alone."""

    def __init__(self, host: str, port: int, address: str, *, tls: bool, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address, self._tls = address, tls
        self._over = threading.Event()

    def connect(self) -> None:
        """Connect to the address that was looked at."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End it in the middle: whoever answers byte by byte holds nobody up."""
        if (held := self.sock) is not None:
            try:
                held.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                self._over.set()
