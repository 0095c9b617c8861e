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


@given(st.ip_addresses())
def test_nothing_but_addresses_of_the_public_network_is_let_pass(address):
    fault = rules.address_fault(str(address))
    assert fault in ("", *rules.ADDRESS_FAULTS)
    inner = getattr(address, "ipv4_mapped", None) or address
    if not fault:
        assert inner.is_global and not inner.is_multicast
        assert getattr(inner, "sixtofour", None) is None and getattr(inner, "teredo", None) is None


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
