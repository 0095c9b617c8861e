"""Keys: made once, counted before a signature leaves, drawn for each card, refused by name."""

import datetime as dt
import threading

import pytest
from django.conf import settings
from django.db import connection, transaction

import tokens
from builders import NOON
from zhengka.config.env import TokenPlace
from zhengka.core.errors import Refusal
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import Key

pytestmark = pytest.mark.django_db
YUELU = 430104_000000
YEARS = dt.timedelta(days=366)
SUITE_NAMES = pytest.mark.parametrize("suite", ["SM", "INTL"])


@SUITE_NAMES
def test_the_keys_of_a_province_are_made_once(suite):
    first = services.ensure(YUELU, suite, at=NOON)
    again = services.ensure(430702_000000, suite, at=NOON)
    assert [key.label for key in first] == [key.label for key in again], "two units of one province share its keys"
    assert Key.objects.count() == len(first) == 7 + len(services.CARD_SLOTS)


def test_a_key_of_the_store_whose_row_was_lost_is_found_again():
    [before, *_] = services.ensure(YUELU, "SM", at=NOON)
    Key.objects.all().delete()
    [after, *_] = services.ensure(YUELU, "SM", at=NOON)
    assert bytes(after.public) == bytes(before.public)


@SUITE_NAMES
def test_a_signature_is_counted_and_checks_by_the_public_key_set(suite):
    services.ensure(YUELU, suite, at=NOON)
    signed = services.sign("credential", YUELU, suite, [b"one", b"two"], at=NOON)
    key = queries.key_set().trusted(signed.key_id, suite=suite, purpose="credential", at=NOON)
    assert all(map(key.public.verify, [b"one", b"two"], signed.signatures))
    assert Key.objects.get(key_id=signed.key_id).signatures == 2


@pytest.mark.django_db(transaction=True)
def test_the_count_is_durable_before_the_first_signature_is_made(monkeypatch):
    services.ensure(YUELU, "SM", at=NOON)
    signer = services.signer("status", YUELU, "SM", at=NOON)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        signer.sign(b"never")
    Key.objects.filter(label=signer.label).update(label="43/status/SM/lost")
    lost = services.Signer("43/status/SM/lost", "SM", signer.key_id)
    with pytest.raises(Refusal, match="key-missing"):
        lost.sign_many([b"a", b"b", b"c"])
    assert Key.objects.get(label=lost.label).signatures == 3, "counted though the store failed: never too few"


@pytest.mark.django_db(transaction=True)
def test_many_signers_at_once_lose_no_count():
    services.ensure(YUELU, "SM", at=NOON)

    def work():
        try:
            for _ in range(5):
                services.sign("batch", YUELU, "SM", [b"x", b"y"], at=NOON)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert Key.objects.get(purpose="batch").signatures == 80


def test_a_key_that_was_never_made_is_missing():
    with pytest.raises(Refusal, match="key-missing"):
        services.sign("credential", YUELU, "SM", [b"x"], at=NOON)
    with pytest.raises(Refusal, match="key-missing"):
        queries.suite_of("status", YUELU, at=NOON)


def test_a_key_does_not_work_before_its_first_day():
    services.ensure(YUELU, "SM", at=NOON)
    with pytest.raises(Refusal, match="key-not-yet"):
        services.sign("credential", YUELU, "SM", [b"x"], at=NOON - dt.timedelta(days=1))
    with pytest.raises(Refusal, match="key-not-yet"):
        services.ensure(YUELU, "SM", at=NOON - dt.timedelta(days=1))


@pytest.mark.parametrize("change", [{"state": "retired"}, {"state": "retired", "revoked_at": NOON},
                                    {"works_until": NOON.date(), "not_before": NOON.date()}])
def test_a_retired_key_signs_nothing(change):
    services.ensure(YUELU, "SM", at=NOON)
    Key.objects.filter(purpose="credential").update(**change)
    with pytest.raises(Refusal, match="key-retired"):
        services.sign("credential", YUELU, "SM", [b"x"], at=NOON + dt.timedelta(days=1))


def test_a_signer_stops_when_its_key_is_retired_meanwhile():
    services.ensure(YUELU, "SM", at=NOON)
    signer = services.signer("credential", YUELU, "SM", at=NOON)
    Key.objects.filter(label=signer.label).update(state="retired")
    with pytest.raises(Refusal, match="key-retired"):
        signer.sign(b"x")


def test_after_its_working_days_a_key_is_followed_by_the_next_and_still_trusted():
    services.ensure(YUELU, "SM", at=NOON)
    old = services.signer("credential", YUELU, "SM", at=NOON)
    later = NOON + 3 * YEARS + dt.timedelta(days=1)
    services.ensure(YUELU, "SM", at=later)
    new = services.signer("credential", YUELU, "SM", at=later)
    assert new.label == "43/credential/SM/2" and new.key_id != old.key_id
    assert queries.key_set().trusted(old.key_id, suite="SM", purpose="credential", at=later + 10 * YEARS)


def test_a_status_key_signs_no_credential():
    services.ensure(YUELU, "SM", at=NOON)
    signer = services.signer("status", YUELU, "SM", at=NOON)
    with pytest.raises(ValueError, match="key-purpose"):
        queries.key_set().trusted(signer.key_id, suite="SM", purpose="credential", at=NOON)


@SUITE_NAMES
def test_card_keys_differ_by_card_unit_and_slot(suite):
    services.ensure(YUELU, suite, at=NOON)
    serials = ["4301040000000014", "4301040000000022"]
    drawn = services.card_keys("430104", suite, ["control", "reader"], serials, at=NOON)
    keys, elsewhere = drawn.values, services.card_keys("430702", suite, ["control"], serials, at=NOON).values
    assert len({*keys["control"], *keys["reader"], *elsewhere["control"]}) == 6
    assert drawn == services.card_keys("430104", suite, ["control", "reader"], serials, at=NOON)
    assert drawn.versions == {"control": 1, "reader": 1} and keys["reader"][0].hex() not in repr(drawn)


def test_the_factors_are_those_of_the_published_example():
    """MK 0123…3210, region factor 4301000043010000, card factor 3104300000000001 (diversification in two levels)."""
    master = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    [region] = SUITES["SM"].diversify(master, [rules.region_factor("430100")])
    assert region.hex().upper() == "31FEF18362AF400F53D579FE939E0C62"
    [card] = SUITES["SM"].diversify(region, [rules.card_factor("3104300000000001")])
    assert card.hex().upper() == "1F5A7054C122A67A0960C4C2218D850B"


def test_blank_cards_and_status_places_have_keys_of_their_own():
    services.ensure(YUELU, "SM", at=NOON)
    blank = services.blank_card_key(YUELU, "SM", at=NOON)
    assert blank == services.blank_card_key(430702_000000, "SM", at=NOON), "one stock of blanks for the province"
    assert len({blank, services.status_index_key(YUELU, "SM", at=NOON)}) == 2


def test_the_store_is_unlocked_once_and_tells_no_secret():
    assert services.store() is services.store()
    assert settings.KEY_PASSPHRASE not in repr(services.store())


@pytest.mark.django_db(transaction=True)
def test_a_token_that_is_gone_is_said_so_and_what_was_asked_of_it_is_counted(settings, tmp_path, token):
    settings.HOME, settings.KEY_PASSPHRASE = tmp_path, tokens.PIN
    settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, token, "")
    services.ensure(YUELU, "INTL", at=NOON)
    signer = services.signer("status", YUELU, "INTL", at=NOON)
    assert Key.objects.get(label=signer.label).kept == "token" and len(signer.sign(b"m")) == 64
    services.store().destroy(signer.label)
    with pytest.raises(Refusal, match="key-missing"):
        signer.sign(b"m")
    settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, "no such token", "")
    with pytest.raises(Refusal, match="key-store-fails") as caught:
        signer.sign(b"m")
    assert caught.value.facts["fault"] == "TokenLost"
    assert Key.objects.get(label=signer.label).signatures == 3, "counted though the store failed: never too few"
