"""The one verifier: what it accepts, what it refuses, and with which word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from issued import A_MOMENT, BASE_URL, CARD, NOON, Issuer, fresh_list, signing_key
from zhengka.formats import credential, hosts, issuers, qr, sm2, statuslist, verdict
from zhengka.formats.credential import KeySet
from zhengka.formats.issuers import STATUS
from zhengka.formats.suites import SUITES

ISSUER = Issuer()
GOOD = ISSUER.payload()
BODY = GOOD[9:-64]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("suite", SUITES)
def test_a_good_card_is_green_and_the_verdict_says_on_which_list_it_stands(suite: str) -> None:
    issuer = Issuer(suite)
    answer = issuer.decide(issuer.payload(), at=NOON + HOUR)
    assert answer.ok and (answer.code, answer.colour) == ("valid", "green")
    assert answer.credential == CARD and answer.key_id == issuer.key.public.key_id
    assert (answer.list_version, answer.list_issued_at, answer.list_age) == (1, NOON, HOUR)


@pytest.mark.parametrize("suite", SUITES)
def test_every_single_changed_bit_of_a_payload_is_refused(suite: str) -> None:
    issuer = Issuer(suite)
    payload = bytearray(issuer.payload())
    for place in range(len(payload) * 8):
        payload[place // 8] ^= 1 << place % 8
        answer = issuer.decide(bytes(payload))
        assert (answer.colour, answer.credential) == ("red", None)
        payload[place // 8] ^= 1 << place % 8
    assert issuer.decide(bytes(payload)).ok


def test_a_payload_cut_anywhere_or_with_something_added_is_refused() -> None:
    for size in range(1, len(GOOD)):
        assert ISSUER.decide(GOOD[:size]).colour == "red"
    for extra in (b"\x00", b"\x01", bytes(64), bytes(150)):
        assert ISSUER.decide(GOOD + extra).colour == "red"


def test_every_single_wrong_digit_typed_by_hand_is_refused() -> None:
    digits = qr.to_digits(GOOD)
    for place in range(len(digits)):
        wrong = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
        answer = verdict.decide(wrong, keys=ISSUER.keys, lists={}, at=NOON, max_age=HOUR)
        assert (answer.colour, answer.credential) == ("red", None)


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (bytes(64), "all zero"),
        (b"\xff" * 64, "all ones"),
        (bytes(32) + GOOD[-32:], "r = 0"),
        (GOOD[-64:-32] + bytes(32), "s = 0"),
        (sm2.ORDER.to_bytes(32) + GOOD[-32:], "r = n"),
        (GOOD[-64:-32] + sm2.ORDER.to_bytes(32), "s = n"),
        (bytes(31) + b"\x01" + bytes(31) + b"\x01", "r = s = 1"),
        (GOOD[-32:] + GOOD[-64:-32], "swapped"),
        ((sm2.ORDER - int.from_bytes(GOOD[-64:-32])).to_bytes(32) + GOOD[-32:], "r negated"),
        (GOOD[-64:-32] + (sm2.ORDER - int.from_bytes(GOOD[-32:])).to_bytes(32), "s negated"),
        (signing_key("SM", 2).sign(credential.decode(GOOD).signed), "another key"),
        (ISSUER.key.sign(BODY), "the bare array"),
        (ISSUER.key.sign(issuers.sig_structure("SM", GOOD[1:9], statuslist.CONTENT_TYPE, BODY)), "a list's type"),
        (signing_key("INTL").sign(credential.decode(GOOD).signed), "another curve"),
        (
            sm2.PrivateKey.from_scalar(ISSUER.key.scalar(), identifier=b"").sign(credential.decode(GOOD).signed),
            "an empty distinguishing identifier",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_signature_that_is_not_the_issuers_is_refused(signature: bytes, why: str) -> None:
    assert ISSUER.decide(GOOD[:-64] + signature).code == "signature-wrong"


def test_the_order_of_p256_is_a_limit_too() -> None:
    issuer = Issuer("INTL")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    payload = issuer.payload()
    for number in (0, order, 2**256 - 1):
        assert issuer.decide(payload[:-64] + number.to_bytes(32) + payload[-32:]).code == "signature-wrong"
        assert issuer.decide(payload[:-32] + number.to_bytes(32)).code == "signature-wrong"


def test_the_algorithm_comes_from_the_key_and_not_from_the_payload() -> None:
    both = KeySet([Issuer("SM").trusted, Issuer("INTL").trusted])
    for suite, other in (("SM", 0x12), ("INTL", 0x11)):
        payload = Issuer(suite).payload()
        assert ISSUER.decide(payload, keys=both).ok
        assert ISSUER.decide(bytes([other]) + payload[1:], keys=both).code == "algorithm-mismatch"


@pytest.mark.parametrize("profile", [0x00, 0x10, 0x13, 0xFF])
def test_an_unknown_profile_is_not_our_code(profile: int) -> None:
    answer = ISSUER.decide(bytes([profile]) + GOOD[1:])
    assert (answer.code, answer.reason) == ("not-our-code", "credential-profile")


def test_a_card_under_a_key_that_is_not_trusted_is_refused() -> None:
    assert ISSUER.decide(Issuer(number=2).payload()).code == "key-unknown"
    assert ISSUER.decide(GOOD, keys=KeySet()).code == "key-unknown"


def test_another_issuers_key_id_on_a_good_card_is_a_wrong_signature() -> None:
    both = KeySet([ISSUER.trusted, Issuer(number=2).trusted])
    other_id = signing_key("SM", 2).public.key_id
    assert ISSUER.decide(GOOD[:1] + other_id + GOOD[9:], keys=both).code == "signature-wrong"


def test_a_key_for_status_lists_does_not_make_cards() -> None:
    assert ISSUER.decide(GOOD, keys=Issuer(purposes=[STATUS]).keys).code == "key-purpose"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"not_before": NOON + A_MOMENT}, "key-not-yet"),
        ({"not_before": NOON}, "valid"),
        ({"not_after": NOON}, "key-expired"),
        ({"not_after": NOON + A_MOMENT}, "valid"),
        ({"revoked_at": NOON}, "key-revoked"),
        ({"revoked_at": NOON + A_MOMENT}, "valid"),
        ({"revoked_at": NOON - HOUR, "not_after": NOON}, "key-revoked"),
    ],
)
def test_the_life_of_the_issuers_key_decides_to_the_instant(change: dict, code: str) -> None:
    assert ISSUER.decide(GOOD, keys=Issuer(**change).keys).code == code


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC), "not-yet-valid"),
        (datetime(2026, 11, 19, 16, 0, 0, tzinfo=UTC), "valid"),
        (datetime(2036, 11, 19, 15, 59, 59, tzinfo=UTC), "valid"),
        (datetime(2036, 11, 19, 16, 0, 0, tzinfo=UTC), "expired"),
    ],
)
def test_a_card_is_good_from_its_first_to_the_end_of_its_last_day_in_china(at: datetime, code: str) -> None:
    issuer = Issuer(not_after=NOON + timedelta(days=9000))
    status = issuer.status_list(issued_at=at.replace(microsecond=0))
    assert issuer.decide(GOOD, at=at, status_list=status).code == code


@pytest.mark.parametrize(("bits", "code"), [(0, "valid"), (1, "revoked"), (2, "suspended"), (3, "inactive")])
def test_the_status_list_decides_about_a_genuine_card(bits: int, code: str) -> None:
    answer = ISSUER.decide(GOOD, status_list=ISSUER.status_list([(CARD.status_index, bits)]))
    assert answer.code == code and answer.credential == CARD


def test_without_a_list_or_without_the_card_on_it_the_answer_is_amber() -> None:
    answer = verdict.decide(qr.to_text(GOOD, BASE_URL), keys=ISSUER.keys, lists={}, at=NOON, max_age=HOUR)
    assert (answer.code, answer.colour, answer.ok, answer.credential) == ("list-missing", "amber", False, CARD)
    assert answer.list_version is None and answer.list_age is None
    beyond = ISSUER.payload(replace(CARD, status_index=64))
    assert ISSUER.decide(beyond).code == "list-missing"


def test_a_list_is_too_old_from_the_instant_after_its_greatest_age() -> None:
    assert ISSUER.decide(GOOD, at=NOON + timedelta(hours=72)).ok
    answer = ISSUER.decide(GOOD, at=NOON + timedelta(hours=72) + A_MOMENT)
    assert (answer.code, answer.colour) == ("list-too-old", "amber")


def test_an_old_list_still_refuses_the_cards_it_names() -> None:
    old = ISSUER.status_list([(CARD.status_index, 2)])
    assert ISSUER.decide(GOOD, at=NOON + timedelta(days=30), status_list=old).code == "suspended"


def test_a_clock_a_little_behind_is_forgiven_and_one_far_behind_is_told() -> None:
    ahead = ISSUER.status_list(issued_at=NOON + timedelta(minutes=10))
    assert ISSUER.decide(GOOD, status_list=ahead).ok
    answer = ISSUER.decide(GOOD, at=NOON - A_MOMENT, status_list=ahead)
    assert (answer.code, answer.colour) == ("clock-behind", "amber")


def test_an_expired_card_is_expired_even_without_a_list() -> None:
    late = NOON + timedelta(days=3653)
    keys = Issuer(not_after=late + HOUR).keys
    answer = verdict.decide(qr.to_text(GOOD, BASE_URL), keys=keys, lists={}, at=late, max_age=HOUR)
    assert answer.code == "expired"


@pytest.mark.parametrize("host", ["https://zk.example.cn.evil.test", "http://127.0.0.1:1", "HTTPS://ZK-EXAMPLE.CN"])
def test_the_host_in_a_code_proves_nothing_and_one_that_is_not_ours_is_refused_where_ours_are_known(host: str) -> None:
    forged = bytes([*GOOD[:-1], GOOD[-1] ^ 1])
    lists = {0: fresh_list("SM", 1)}
    for payload, code in ((GOOD, "valid"), (forged, "signature-wrong")):
        text = qr.to_text(payload, host)
        assert verdict.decide(text, keys=ISSUER.keys, lists=lists, at=NOON, max_age=HOUR).code == code
        ours = hosts.of_url(host)
        assert verdict.decide(text, keys=ISSUER.keys, lists=lists, at=NOON, max_age=HOUR, hosts={ours}).code == code
        found = verdict.decide(text, keys=ISSUER.keys, lists=lists, at=NOON, max_age=HOUR, hosts={"zk.example.cn"})
        assert (found.code, found.reason) == ("not-our-code", "foreign-host")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "qr-text"), ("hello", "qr-text"), ("12345", "qr-text"), (qr.to_digits(bytes(50)), "credential-length")],
)
def test_other_text_is_not_our_code(text: str, reason: str) -> None:
    answer = verdict.decide(text, keys=ISSUER.keys, lists={}, at=NOON, max_age=HOUR)
    assert (answer.code, answer.reason, answer.colour) == ("not-our-code", reason, "red")


def test_every_word_is_said_in_both_languages_and_only_one_is_green() -> None:
    assert [code for code, word in verdict.WORDS.items() if word.colour == "green"] == ["valid"]
    for word in verdict.WORDS.values():
        assert word.colour in ("green", "red", "amber") and word.en and word.zh
    assert set(issuers.REASONS) <= set(verdict.WORDS)


def test_the_verdict_speaks_both_languages() -> None:
    answer = ISSUER.decide(GOOD)
    assert (answer.en, answer.zh) == ("The card is valid.", "此卡有效。")
