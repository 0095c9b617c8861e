"""The hosts that codes of cards carry (二维码域名), as a bundle names them to gates.

    hosts.json = {"format":1,"hosts":["card.example","old.example:8443"]}

Lower case, with the port where a code carries one, in their order, without spaces. Who signed a code says whether it
is genuine; the host says where a phone's camera leads whoever scans it. A genuine code that was printed again under
another host is a trap beside the gate, and the gate refuses it. A bundle without this file says nothing of hosts: a
gate then takes any, as gates before this file did.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

FILE: Final = "hosts.json"
_HOST: Final = re.compile(r"[a-z0-9.\-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_MOST: Final = 100


class BadHosts(ValueError):
    """Not a file of hosts."""


def is_host(text: str) -> bool:
    """Whether a code can carry this host, written in lower case."""
    return bool(_HOST.fullmatch(text))


def of_url(base_url: str) -> str:
    """The host, and the port where one is told, of `https://host` or `http://host:port`; "" where there is none."""
    host = base_url.lower().partition("://")[2].partition("/")[0]
    return host if is_host(host) else ""


def to_json(hosts: Iterable[str]) -> bytes:
    """The file's bytes; equal hosts have equal bytes."""
    return json.dumps({"format": 1, "hosts": sorted(set(hosts))}, separators=(",", ":")).encode()


def from_json(data: bytes) -> frozenset[str]:
    """The hosts of a file in its one form. Raises `BadHosts`."""
    try:
        hosts = json.loads(data)["hosts"]
        good = 0 < len(hosts) <= _MOST and all(map(is_host, hosts)) and to_json(hosts) == data
    except (ValueError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise BadHosts
    return frozenset(hosts)
