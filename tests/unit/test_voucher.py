"""The voucher: its bytes, its one form, where and when it is good, and whose signature counts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zhengka.formats import qr, voucher
from zhengka.formats.issuers import CREDENTIAL, VOUCHER, KeyRefused, KeySet, issuer_key
from zhengka.formats.suites import INTL, SUITES
from zhengka.formats.voucher import BadVoucher, Voucher

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "voucher.json").read_text("utf-8"))
AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def made(**told: object) -> Voucher:
    return Voucher(**{"code": bytes(10), "operator": "bus", "venue": "line-1", "service": "ride", "rule": "r",
                      "gives": "free", "companions": 0, "begins": AT, "ends": AT + HOUR, **told})  # type: ignore[arg-type]


def trusted(key, purpose=VOUCHER, **told):
    return KeySet([issuer_key(key.public.suite, key.public.point, not_before=AT - HOUR, not_after=AT + 24 * HOUR,
                              purposes=[purpose], **told)])


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: f"{vector['suite']}-{vector['venue']}")
def test_a_voucher_written_long_ago_still_reads_the_same(vector):
    payload = voucher.from_text(vector["text"])
    assert payload.hex() == vector["payload"]
    sealed = voucher.decode(payload)
    assert sealed.signed.hex() == vector["signed"]
    assert SUITES[vector["suite"]].public_key(bytes.fromhex(vector["point"])).verify(sealed.signed, sealed.signature)
    for name in ("operator", "venue", "service", "rule", "gives", "companions"):
        assert getattr(sealed.voucher, name) == vector[name]
    assert sealed.voucher.code == bytes.fromhex(vector["code"]) == voucher.from_base32(vector["base32"])
    assert sealed.voucher.begins == datetime.fromisoformat(vector["from"])
    assert sealed.voucher.ends == datetime.fromisoformat(vector["until"])
    assert voucher.to_text(payload, vector["base_url"]) == vector["text"]


@pytest.mark.parametrize("bad", FILE["bad"], ids=lambda bad: bad["why"])
def test_what_is_no_voucher_is_refused_by_name(bad):
    with pytest.raises(BadVoucher) as no:
        voucher.decode(bytes.fromhex(bad["payload"]))
    assert no.value.code == bad["code"]


def test_no_bit_of_a_voucher_can_be_changed():
    key = INTL.generate()
    payload = voucher.encode(made(), suite="INTL", key_id=key.public.key_id, sign=key.sign)
    keys = trusted(key)
    voucher.decode(payload).check_signature(keys, AT)
    for bit in range(len(payload) * 8):
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((BadVoucher, KeyRefused)):
            voucher.decode(bytes(changed)).check_signature(keys, AT)


def test_a_key_for_cards_signs_no_voucher_and_an_expired_one_nothing():
    key = INTL.generate()
    payload = voucher.encode(made(), suite="INTL", key_id=key.public.key_id, sign=key.sign)
    for keys, at, code in ((trusted(key, CREDENTIAL), AT, "key-purpose"), (KeySet(), AT, "key-unknown"),
                           (trusted(key), AT + 48 * HOUR, "key-expired"),
                           (trusted(key, revoked_at=AT), AT, "key-revoked")):
        with pytest.raises(KeyRefused) as no:
            voucher.decode(payload).check_signature(keys, at)
        assert no.value.code == code


@pytest.mark.parametrize(("where", "at", "code"), [
    ({"operator": "metro"}, AT, "voucher-elsewhere"), ({"venue": "line-2"}, AT, "voucher-elsewhere"),
    ({"service": "park"}, AT, "voucher-elsewhere"), ({}, AT - timedelta(seconds=1), "voucher-not-yet"),
    ({}, AT + HOUR, "voucher-expired"), ({}, AT, ""), ({}, AT + HOUR - timedelta(microseconds=1), "")])
def test_a_voucher_is_for_one_place_and_from_its_first_instant_up_to_not_including_its_end(where, at, code):
    place = {"operator": "bus", "venue": "line-1", "service": "ride", **where}
    try:
        made().check(**place, at=at)
        said = ""
    except BadVoucher as bad:
        said = bad.code
    assert said == code


def test_without_a_venue_it_is_good_at_any_of_the_operators():
    made(venue="").check(operator="bus", venue="line-7", service="ride", at=AT)


@pytest.mark.parametrize("told", [
    {"code": bytes(9)}, {"operator": ""}, {"operator": "a b"}, {"venue": "-x"}, {"companions": 10},
    {"ends": AT}, {"begins": AT.replace(microsecond=1)}, {"begins": AT.replace(tzinfo=None)}, {"rule": "x" * 41}])
def test_values_that_make_no_voucher_are_refused(told):
    with pytest.raises(BadVoucher, match="voucher-value"):
        made(**told)


@pytest.mark.parametrize("text", ["", "https://card.example.org/V/123456", "https://card.example.org/P/",
                                  "https://card.example.org/P/0123", "12", "9" * 700, "https://a b/P/1234567"])
def test_a_text_that_is_no_vouchers_is_refused(text):
    with pytest.raises(BadVoucher):
        voucher.decode(voucher.from_text(text))


@pytest.mark.parametrize("typed", ["", "AAAQEAYEAUDAOCA", "AAAQEAYEAUDAOCA1", "AAAQEAYEAUDAOCAJX"])
def test_a_code_that_was_typed_wrong_is_refused(typed):
    with pytest.raises(BadVoucher, match="voucher-text"):
        voucher.from_base32(typed)


def test_a_code_may_be_typed_in_small_letters_and_groups():
    assert voucher.from_base32("aaaq eaye-auda ocaj") == bytes(range(10))


def test_names_so_long_that_no_code_holds_them_are_refused():
    key, name = INTL.generate(), "x" * 40
    with pytest.raises(BadVoucher, match="voucher-length"):
        voucher.encode(made(operator=name, venue=name, service=name, rule=name), suite="INTL",
                       key_id=key.public.key_id, sign=key.sign)
    with pytest.raises(qr.BadQr):
        voucher.to_text(bytes(100), "https://host/path")
