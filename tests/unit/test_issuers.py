"""The set of issuers' keys that a verifier trusts."""

import json
from datetime import datetime, timedelta

import pytest

from issued import A_MOMENT, NOON, Issuer
from zhengka.formats.credential import BadKeySet, KeyRefused, KeySet, issuer_key
from zhengka.formats.issuers import CREDENTIAL, STATUS
from zhengka.formats.suites import SUITES

DAY = timedelta(days=1)


@pytest.mark.parametrize("suite", SUITES)
def test_a_set_of_keys_survives_being_saved_and_loaded(suite: str) -> None:
    keys = KeySet([Issuer(suite).trusted, Issuer(suite, 2, purposes=[STATUS], revoked_at=NOON).trusted])
    text = keys.to_json()
    loaded = KeySet.from_json(text)
    assert list(loaded) == sorted(keys, key=lambda key: key.key_id)
    assert loaded.to_json() == text and len(loaded) == 2


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOON - DAY - A_MOMENT, "key-not-yet"),
        (NOON - DAY, ""),
        (NOON, ""),
        (NOON + DAY - A_MOMENT, ""),
        (NOON + DAY, "key-expired"),
    ],
)
def test_a_key_is_good_from_the_first_instant_of_its_period_up_to_its_end(at: datetime, code: str) -> None:
    key = Issuer(not_before=NOON - DAY, not_after=NOON + DAY).trusted
    if not code:
        key.check_time(at)
        return
    with pytest.raises(KeyRefused) as refusal:
        key.check_time(at)
    assert refusal.value.code == code


def test_a_revoked_key_is_refused_from_that_instant_for_good() -> None:
    key = Issuer(revoked_at=NOON).trusted
    key.check_time(NOON - A_MOMENT)
    for at in (NOON, NOON + 10_000 * DAY):
        with pytest.raises(KeyRefused, match="key-revoked"):
            key.check_time(at)


@pytest.mark.parametrize(
    ("key_id", "suite", "purpose", "code"),
    [
        (bytes(8), "SM", CREDENTIAL, "key-unknown"),
        (None, "INTL", CREDENTIAL, "algorithm-mismatch"),
        (None, "SM", STATUS, "key-purpose"),
    ],
)
def test_a_key_serves_only_its_own_id_algorithm_and_purpose(
    key_id: bytes | None, suite: str, purpose: str, code: str
) -> None:
    keys = Issuer(purposes=[CREDENTIAL]).keys
    with pytest.raises(KeyRefused) as refusal:
        keys.trusted(key_id or Issuer().key.public.key_id, suite=suite, purpose=purpose, at=NOON)
    assert refusal.value.code == code


def test_two_keys_with_one_id_are_refused() -> None:
    with pytest.raises(BadKeySet):
        KeySet([Issuer().trusted, Issuer().trusted])


@pytest.mark.parametrize(
    "change",
    [
        {"not_before": NOON.replace(tzinfo=None)},
        {"revoked_at": NOON.replace(tzinfo=None)},
        {"not_after": NOON - 365 * DAY},
        {"purposes": []},
        {"purposes": ["credential", "everything"]},
    ],
)
def test_a_key_without_a_proper_period_or_purpose_is_refused(change: dict) -> None:
    with pytest.raises(BadKeySet):
        _ = Issuer(**change).trusted


def test_a_point_off_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="curve"):
        issuer_key("SM", b"\x04" + bytes(64), not_before=NOON, not_after=NOON + DAY)


def changed(**fields: object) -> str:
    content = json.loads(Issuer().keys.to_json())
    content["keys"][0].update(fields)
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": 2, "keys": []}',
        '{"format": 1, "keys": 7}',
        '{"format": 1, "keys": [7]}',
        '{"format": 1, "keys": [{}]}',
        "[" * 100_000,
        b"\xff\xfe\xff",
        changed(key_id="00" * 8),
        changed(suite="NONE"),
        changed(suite=[]),
        changed(suite="INTL"),
        changed(point="04" + "00" * 64),
        changed(point=""),
        changed(not_before="yesterday"),
        changed(not_before="2026-01-01T00:00:00"),
        changed(not_after=None),
        changed(revoked_at=0),
        changed(purposes="status"),
        changed(purposes=[]),
        changed(more=1),
    ],
)
def test_what_is_no_set_of_keys_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadKeySet):
        KeySet.from_json(text)
