"""How often one visitor may ask: a bucket of tokens for each address, in the memory of each process.

A process counts for itself, so the limit of a site is that of a process times their number: it keeps one visitor from
taking the whole machine, and is no account of anything.
"""

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass, field

from zhengka.core.errors import Refusal

MOST_ADDRESSES = 20_000
"""Buckets kept at once; the one that was used longest ago goes first."""


@dataclass(frozen=True)
class Pace:
    """A limit: `burst` requests at once, then `rate` each second, for each visitor."""

    burst: int
    rate: float
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, repr=False)

    def take(self, visitor: str, *, now: float) -> None:
        """Count one request of `visitor` at `now` (seconds of a monotonic clock).

        `Refusal("too-many-requests")` with the seconds to wait where the bucket is empty.
        """
        tokens, since = self._buckets.pop(visitor, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + max(now - since, 0) * self.rate)
        enough = tokens >= 1
        self._buckets[visitor] = (tokens - 1 if enough else tokens, now)
        while len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if not enough:
            raise Refusal("too-many-requests", seconds=math.ceil((1 - tokens) / self.rate))

    def forget(self) -> None:
        """Empty every bucket's account: everyone may begin anew."""
        self._buckets.clear()


CHECKS = Pace(burst=120, rate=4)
"""Checks of cards, from the page and the API together. A mobile network shows thousands of phones as one address."""

PAIRINGS = Pace(burst=20, rate=0.1)
"""Codes that somebody tries at the door where gates are paired: of 10^12 of them, a hundred hold at most."""

TYPED = Pace(burst=20, rate=0.05)
"""Numbers that are typed at one gate and looked up in the register: at a door three a minute are many, and who tries
numbers to learn who has a certificate gets nowhere.
"""


def visitor(address: str, forwarded: str = "", *, behind_front: bool = False) -> str:
    """Who asks, as far as an address tells: the connection's, or the last one that the TLS front put down.

    An IPv6 visitor owns a whole /64, so that is what counts. Text that is no address counts as one visitor.
    """
    told = forwarded.rsplit(",", 1)[-1].strip() if behind_front and forwarded else address
    try:
        found = ipaddress.ip_address(told)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
