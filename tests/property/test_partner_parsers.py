"""What strangers send is read or refused, and never anything else: tokens, addresses of webhooks, Basic headers."""

import base64
import datetime as dt
import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from zhengka.api.v1.oauth import _basic
from zhengka.core.errors import Refusal
from zhengka.partners import rules, tokens
from zhengka.partners.tokens import Token

KEY, AT = b"k" * 32, dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
ENDS = AT + dt.timedelta(minutes=10)
IDS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26)
SCOPES = st.lists(st.sampled_from(sorted(rules.SCOPES)), min_size=1, unique=True).map(tuple)


@given(IDS, st.integers(1, 10**6), SCOPES)
def test_a_token_reads_as_it_was_written_until_it_ends_and_under_its_key_alone(client_id, number, scopes):
    token = Token(client_id, number, scopes, ENDS)
    text = tokens.write(token, KEY)
    assert len(text) <= tokens.LONGEST and tokens.read(text, KEY, at=AT) == token
    assert tokens.read(text, KEY, at=ENDS) is None and tokens.read(text, b"o" * 32, at=AT) is None


@given(st.one_of(st.text(max_size=80), st.text("abcABC012-_=.", max_size=80)))
def test_any_other_text_is_no_token(text):
    assert tokens.read(text, KEY, at=AT) is None


@given(st.data())
def test_a_token_with_one_character_changed_is_none(data):
    text = tokens.write(Token("a" * 26, 1, ("verify",), ENDS), KEY)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != text[place]))
    assert tokens.read(text[:place] + other + text[place + 1:], KEY, at=AT) is None


@given(SCOPES, st.lists(st.sampled_from([*sorted(rules.SCOPES), "everything"]), max_size=6))
def test_nobody_is_granted_what_is_not_held(held, asked):
    found = tokens.granted(asked, held)
    assert set(found) <= set(held) and (not asked or set(found) <= set(asked))
    assert bool(found) == (set(asked) <= set(held))


@given(st.text(max_size=60))
def test_every_text_is_an_address_or_has_a_fault_by_name(text):
    assert rules.url_fault(text) in ("", "form", "login", "https", "host")
    if not rules.url_fault(text):
        assert text.startswith("https://")


CLOSED_4 = [(0x00000000, 8), (0x0A000000, 8), (0x64400000, 10), (0x7F000000, 8), (0xA9FE0000, 16), (0xAC100000, 12),
            (0xC0000000, 24), (0xC0000200, 24), (0xC0586300, 24), (0xC0A80000, 16), (0xC6120000, 15),
            (0xC6336400, 24), (0xCB007100, 24), (0xE0000000, 3), (0xA83F8110, 32)]
CLOSED_6 = [(0x20010000, 23), (0x20010DB8, 32), (0x20020000, 16), (0x3FFF0000, 20)]
"""First 32 bits and length of networks, written down from IANA's registries (RFC 6890) and clouds' manuals: what the
standard library calls global is asked nowhere."""


def is_public(number, version):
    """Whether an address is of the public network, by its bits alone."""
    if version == 4:
        return not any(number >> 32 - bits == first >> 32 - bits for first, bits in CLOSED_4)
    if number >> 32 == 0xFFFF:  # mapped: the IPv4 address itself
        return is_public(number & 0xFFFFFFFF, 4)
    head = number >> 96
    return (head >> 29 == 1 and not any(head >> 32 - bits == first >> 32 - bits for first, bits in CLOSED_6)
            and number >> 32 & 0xFDFFFFFF != 0x5EFE)


EDGES = [ipaddress.ip_address(first + step) for first, bits in CLOSED_4 for step in (-1, 0, 1, 2 ** (32 - bits))
         if 0 <= first + step < 2**32]
EDGES += [ipaddress.IPv6Address(((first << 96) + step) % 2**128) for first, bits in [
    *CLOSED_6, (0x20000000, 3), (0xFEC00000, 10), (0xFE800000, 10), (0xFC000000, 7), (0x5F000000, 16),
    (0x0064FF9B, 32), (0, 32)] for step in (-1, 0, 1, 2 ** (128 - bits))]
HIDING = st.builds(lambda network, inner: ipaddress.IPv6Address(network + inner), st.sampled_from([
    0xFFFF << 32, 0xFFFF << 48, 0x2600 << 112 | 0x5EFE << 32, 0x2600 << 112 | 0x2005EFE << 32, 0x64FF9B << 96]),
    st.integers(0, 2**32 - 1))


@given(st.one_of(st.ip_addresses(), st.sampled_from(EDGES), HIDING))
def test_addresses_of_the_public_network_are_let_pass_and_no_others(address):
    fault = rules.address_fault(str(address))
    assert fault in ("", *rules.ADDRESS_FAULTS)
    assert (not fault) == is_public(int(address), address.version)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_hidden_in_an_ipv6_one_is_never_let_pass_where_it_is_not_public(address):
    for hidden in (f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
        if rules.address_fault(str(address)):
            assert rules.address_fault(str(ipaddress.ip_address(hidden)))


@given(st.one_of(st.text(max_size=60),
                 st.binary(max_size=60).map(lambda data: f"Basic {base64.b64encode(data).decode()}")))
def test_every_header_is_a_pair_or_a_wrong_client(header):
    try:
        client_id, secret = _basic(header)
    except Refusal as no:
        assert no.code == "client-wrong"
    else:
        assert isinstance(client_id, str) and isinstance(secret, str)
