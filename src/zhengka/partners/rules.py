"""What partners may ask, what they are told, how often a delivery is tried, and where none may go. Pure.

Webhooks are requests that we make to an address that somebody else named: the classic way to make a server ask its own
house (SSRF). So an address is looked at after its name was resolved, and every kind that is not plainly of the public
network is refused by its name: the lists are those of IANA's registries of special-purpose addresses (RFC 6890), and of
IPv6 nothing passes but what was given out for the public network at all, 2000::/3.
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

SCOPES: Final[dict[str, tuple[str, str]]] = {
    "verify": ("核验证卡", "Verify a presented card at one's own venues"),
    "voucher.issue": ("发放凭证", "Issue vouchers"),
    "voucher.redeem": ("核销凭证", "Redeem and cancel vouchers"),
    "status.read": ("读取状态表", "Read the feed of status lists and report receipts"),
    "statement.read": ("读取结算单", "Read one's own statements"),
    "statement.dispute": ("对结算单提出争议", "Dispute events of one's own statements"),
}
"""Scope (授权范围) → Chinese, English. A token carries some of those of its client, and never more."""

EVENTS: Final[dict[str, frozenset[str]]] = {
    "voucher.redeemed": frozenset({"voucher", "venue", "service", "gives", "companions", "redeemed_at"}),
    "list.published": frozenset({"list", "version", "digest", "size", "url"}),
    "statement.sent": frozenset({"statement", "month"}),
}
"""Event of a webhook → the fields that it tells beside its id, name, time and operator. None is about a person."""

TOKEN_LIVES: Final = timedelta(minutes=10)
OVERLAP: Final = timedelta(days=7)
"""How long the secret before goes on beside a new one, so that an operator changes over without a gap."""
ANSWERS_KEPT: Final = timedelta(days=2)
"""How long an answer is kept under its Idempotency-Key."""
DELIVERED_KEPT, GIVEN_UP_KEPT = timedelta(days=30), timedelta(days=180)

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440))
"""Between the tries of one delivery; after the last one it is given up, and an officer may send it again."""

KEY: Final = re.compile(r"[\x21-\x7e]{8,100}", re.ASCII)
"""An Idempotency-Key: printable, long enough not to be chosen twice by accident."""
CLIENT_ID: Final = "[a-z2-7]{26}"
"""128 random bits in base32: no number that can be guessed from another client's."""
OPERATOR: Final = "[a-z0-9][a-z0-9-]{0,39}"

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", re.ASCII)
_METADATA: Final = frozenset(ipaddress.ip_address(text) for text in (
    "169.254.169.254", "169.254.170.2", "169.254.169.253", "100.100.100.200", "100.100.100.110", "192.0.0.192",
    "168.63.129.16", "fd00:ec2::254", "fe80::a9fe:a9fe"))
"""Where machines of clouds tell their own credentials (AWS, Azure, Alibaba, Oracle and whoever does as they do)."""
_GIVEN_OUT: Final = ipaddress.ip_network("2000::/3")
"""All that IANA gives out of IPv6 for the public network (RFC 4291, 2.4)."""
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})
"""How an interface id begins that hides an IPv4 address, in whatever network it is (RFC 5214, 6.1)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ADDRESS_FAULTS: Final[dict[str, tuple[str, str]]] = {
    "address-loopback": ("本机地址", "An address of this machine itself"),
    "address-private": ("内网地址", "An address of a private network"),
    "address-link-local": ("链路本地地址", "An address of the own cable"),
    "address-unique-local": ("IPv6 内网地址", "An IPv6 address of a private network"),
    "address-metadata": ("云主机元数据地址", "The address where a cloud tells its secrets"),
    "address-translated": ("转换或隧道地址", "An IPv6 address that hides an IPv4 address"),
    "address-shared": ("运营商共享地址", "An address behind a provider's translation"),
    "address-not-public": ("非公网地址", "An address that is not of the public network"),
}
"""Why an address is no place for a webhook: code → Chinese, English."""

_KINDS: Final = tuple((ipaddress.ip_network(text), code) for text, code in (
    ("::/128", "address-not-public"), ("0.0.0.0/8", "address-not-public"),
    ("10.0.0.0/8", "address-private"), ("172.16.0.0/12", "address-private"), ("192.168.0.0/16", "address-private"),
    ("fec0::/10", "address-private"),  # site-local: given up (RFC 3879), and still routed in houses
    ("192.0.0.0/24", "address-private"), ("198.18.0.0/15", "address-private"), ("192.0.2.0/24", "address-private"),
    ("198.51.100.0/24", "address-private"), ("203.0.113.0/24", "address-private"),
    ("2001:db8::/32", "address-private"), ("3fff::/20", "address-private"),
    ("100.64.0.0/10", "address-shared"), ("169.254.0.0/16", "address-link-local"), ("fe80::/10", "address-link-local"),
    ("fc00::/7", "address-unique-local"),
    ("::/96", "address-translated"), ("::ffff:0:0:0/96", "address-translated"), ("64:ff9b::/96", "address-translated"),
    ("64:ff9b:1::/48", "address-translated"), ("2001::/32", "address-translated"), ("2002::/16", "address-translated"),
    ("192.88.99.0/24", "address-not-public"),  # the relays to 2002::/16
    ("2001::/23", "address-not-public"),
    ("224.0.0.0/4", "address-not-public"), ("240.0.0.0/4", "address-not-public")))
"""Networks that are not of the public one, and what each is; the first that holds an address names it."""

DELIVERY_FAULTS: Final[dict[str, tuple[str, str]]] = ADDRESS_FAULTS | {
    "name-unknown": ("域名无法解析", "The host's name was not found"),
    "no-connection": ("无法连接", "No connection"),
    "certificate-wrong": ("TLS 证书无效", "The certificate was not accepted"),
    "no-answer": ("没有回音", "No answer, or none in time"),
    "redirected": ("对方要求转向", "It redirects, which is never followed"),
    "not-taken": ("对方未接收", "It answered, but not with 2xx"),
    "sender-fault": ("发送时程序出错", "The sender failed by a fault of its own"),
}
"""Why a try failed: code → Chinese, English. No word of the other side's: it may hold anything."""


def pause(tries: int) -> timedelta | None:
    """How long to wait after so many tries; None when it is given up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


def url_fault(url: str, *, loopback: bool = False) -> str:
    """What is wrong with the text of a webhook's address, as a word; empty where nothing is.

    `loopback`: this machine itself is let pass, also without TLS (a sandbox).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "form"
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 500:
        return "form"
    if parts.username is not None or parts.password is not None:
        return "login"
    if parts.fragment or port == 0:
        return "form"
    own = loopback and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        return "https"
    return "" if own or _is_host(parts.hostname or "") else "host"


def _is_host(host: str) -> bool:
    """Whether a webhook may go there as far as its text tells: a name, or an address of the public network."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # a name of one label is of the own house, and "0x7f.1" or "017700000001" are numbers in disguise
        return bool(_HOST.fullmatch(host)) and "." in host and not host.rsplit(".", 1)[1][0].isdigit()
    return not address_fault(host)


def address_fault(text: str, *, loopback: bool = False) -> str:
    """Why no webhook goes to this address: a key of `ADDRESS_FAULTS`; empty for one of the public network."""
    try:
        found = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return "address-not-public"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found in _METADATA:
        return "address-metadata"
    if found.is_loopback:
        return "" if loopback else "address-loopback"
    return _kind(found)


def _kind(found: Address) -> str:
    for network, code in _KINDS:
        if found in network:
            return code
    if isinstance(found, ipaddress.IPv4Address):
        return ""
    if found not in _GIVEN_OUT:
        return "address-not-public"
    return "address-translated" if int(found) >> 32 & 0xFFFFFFFF in _ISATAP else ""


def checked(event: str, told: Mapping[str, object]) -> dict[str, object]:
    """What is told of an event; ValueError where it is not exactly the fields that the event has."""
    if EVENTS[event] != set(told):
        raise ValueError(f"{event} tells {sorted(EVENTS[event])}, not {sorted(told)}")
    return dict(told)
