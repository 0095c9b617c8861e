"""The status list: two bits for each card, signed, never older than the last; and who stands where."""

import json
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from issued import NOON, Issuer
from zhengka.formats import issuers, statuslist
from zhengka.formats.issuers import CREDENTIAL
from zhengka.formats.statuslist import BadStatusList, Header, RollBack, Status
from zhengka.formats.suites import SUITES

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "statuslist.json").read_text("utf-8"))
ISSUER = Issuer()
KEY = bytes(range(32))
CHANGED = [(0, 1), (3, 2), (4, 3), (62, 2)]
HEADER = 42


def parse(data: bytes, **options: object) -> statuslist.StatusList:
    return statuslist.parse(data, **{"keys": ISSUER.keys, "at": NOON} | options)


def signed_again(signed: bytes) -> bytes:
    """A list with other content, but with a good signature."""
    key_id = ISSUER.key.public.key_id
    message = issuers.sig_structure("SM", key_id, statuslist.CONTENT_TYPE, signed)
    return signed + key_id + ISSUER.key.sign(message)


@pytest.mark.parametrize("suite", SUITES)
def test_a_list_says_of_each_card_what_was_put_in(suite: str) -> None:
    issuer = Issuer(suite)
    known = statuslist.parse(issuer.list_bytes(CHANGED, number=3, version=9), keys=issuer.keys, at=NOON)
    assert [known.status(index) for index in range(64)] == [Status(dict(CHANGED).get(index, 0)) for index in range(64)]
    assert (known.number, known.version, known.issued_at, known.key_id) == (3, 9, NOON, issuer.key.public.key_id)
    assert known.age(NOON + timedelta(hours=5)) == timedelta(hours=5)
    assert known.age(NOON - timedelta(hours=5)) == -timedelta(hours=5)


def test_a_list_written_long_ago_still_reads_the_same() -> None:
    keys = issuers.KeySet.from_json(json.dumps(VECTOR["keys"]))
    known = statuslist.parse(bytes.fromhex(VECTOR["list"]), keys=keys, at=NOON)
    assert [known.status(index) for index in range(known.header.capacity)] == VECTOR["statuses"]
    assert (known.number, known.version, known.issued_at.isoformat()) == tuple(VECTOR["header"])


def test_the_changes_may_come_as_an_array() -> None:
    header = Header(0, 1, NOON, NOON, 64)
    made = [
        statuslist.build(header, changed, suite="SM", key_id=bytes(8), sign=lambda message: bytes(64))
        for changed in (CHANGED, iter(CHANGED), np.array(CHANGED))
    ]
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("capacity", [1, 3, 4, 5, 63, 2**20])
def test_a_list_of_any_capacity_knows_its_last_card_and_none_after(capacity: int) -> None:
    known = parse(ISSUER.list_bytes([(capacity - 1, 2)], capacity=capacity))
    assert known.status(capacity - 1) is Status.SUSPENDED
    for index in (-1, capacity, 2**40):
        with pytest.raises(BadStatusList, match="list-index"):
            known.status(index)


def test_a_million_cards_with_one_in_a_hundred_changed_take_about_twenty_kilobytes() -> None:
    changed = np.random.default_rng(1).choice(2**20, 2**20 // 100, replace=False)
    pairs = np.stack([changed, np.full(changed.size, 2)], axis=1)
    header = Header(0, 1, NOON, NOON)
    made = statuslist.build(header, pairs, suite="SM", key_id=ISSUER.key.public.key_id, sign=ISSUER.key.sign)
    assert len(made) < 24_000
    known = parse(made)
    assert all(known.status(index) is Status.SUSPENDED for index in changed.tolist())


@pytest.mark.parametrize("changed", [[(64, 1)], [(-1, 1)], [(1, 4)], [(1, -1)], [(1, 1), (1, 2)]])
def test_changes_out_of_range_or_said_twice_are_refused(changed: list[tuple[int, int]]) -> None:
    with pytest.raises(BadStatusList, match="list-value"):
        ISSUER.list_bytes(changed)


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1},
        {"version": 2**64},
        {"capacity": 0},
        {"capacity": 2**20 + 1},
        {"next_update": NOON - timedelta(seconds=1)},
        {"issued_at": NOON.replace(tzinfo=None), "next_update": NOON.replace(tzinfo=None)},
    ],
)
def test_a_header_out_of_range_is_refused(change: dict) -> None:
    with pytest.raises(BadStatusList, match="list-value"):
        replace(Header(0, 1, NOON, NOON), **change)


def test_every_single_changed_bit_is_noticed() -> None:
    good = bytearray(ISSUER.list_bytes(CHANGED))
    for place in range(len(good) * 8):
        good[place // 8] ^= 1 << place % 8
        with pytest.raises(BadStatusList):
            parse(bytes(good))
        good[place // 8] ^= 1 << place % 8
    parse(bytes(good))


def test_a_list_cut_anywhere_or_with_something_added_is_refused() -> None:
    good = ISSUER.list_bytes(CHANGED)
    for size in range(len(good)):
        with pytest.raises(BadStatusList):
            parse(good[:size])
    with pytest.raises(BadStatusList, match="list-truncated"):
        parse(good + b"\x00")


def test_parts_of_two_lists_do_not_make_a_third() -> None:
    older, newer = ISSUER.list_bytes(CHANGED, version=1), ISSUER.list_bytes([], version=2)
    with pytest.raises(BadStatusList):
        parse(newer[:HEADER] + older[HEADER:])
    with pytest.raises(BadStatusList):
        parse(older[:-72] + newer[-72:])


def test_an_older_list_than_the_known_one_is_refused_and_a_newer_or_the_same_is_taken() -> None:
    second = ISSUER.list_bytes(CHANGED, version=2)
    known = parse(second)
    with pytest.raises(RollBack):
        parse(ISSUER.list_bytes(CHANGED, version=1), known=known)
    assert parse(second, known=known) == known
    assert parse(ISSUER.list_bytes([], version=3), known=known).version == 3


def test_another_list_under_a_version_already_seen_is_refused() -> None:
    known = parse(ISSUER.list_bytes(CHANGED, version=2))
    with pytest.raises(RollBack):
        parse(ISSUER.list_bytes([], version=2), known=known)


def test_a_known_list_of_another_number_does_not_matter() -> None:
    known = parse(ISSUER.list_bytes(version=9, number=1))
    assert parse(ISSUER.list_bytes(version=1, number=0), known=known).version == 1


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (Issuer(number=2), "key-unknown"),
        (Issuer(purposes=[CREDENTIAL]), "key-purpose"),
        (Issuer(revoked_at=NOON), "key-revoked"),
        (Issuer(not_after=NOON), "key-expired"),
        (Issuer(not_before=NOON + timedelta(1)), "key-not-yet"),
    ],
)
def test_a_list_signed_by_a_key_not_trusted_for_it_is_refused(issuer: Issuer, code: str) -> None:
    with pytest.raises(BadStatusList) as refusal:
        parse(ISSUER.list_bytes(), keys=issuer.keys)
    assert refusal.value.code == code


def test_a_list_that_claims_the_other_suite_is_refused() -> None:
    good = ISSUER.list_bytes()
    with pytest.raises(BadStatusList, match="algorithm-mismatch"):
        parse(good[:5] + b"\x12" + good[6:])


def test_a_signed_list_whose_bits_inflate_to_more_or_less_is_refused_without_inflating_them() -> None:
    good = ISSUER.list_bytes()
    for size in (0, 15, 17, 100_000_000):
        body = zlib.compress(bytes(size), 9, -15)
        with pytest.raises(BadStatusList, match="list-truncated"):
            parse(signed_again(good[: HEADER - 4] + len(body).to_bytes(4) + body))


def test_a_signed_list_whose_bits_do_not_end_or_go_on_after_their_end_is_refused() -> None:
    good = ISSUER.list_bytes()
    endless = zlib.compressobj(9, zlib.DEFLATED, -15)
    unended = endless.compress(bytes(16)) + endless.flush(zlib.Z_SYNC_FLUSH)
    for body in (unended, zlib.compress(bytes(16), 9, -15) + b"\x00"):
        with pytest.raises(BadStatusList, match="list-truncated"):
            parse(signed_again(good[: HEADER - 4] + len(body).to_bytes(4) + body))


def test_the_place_of_a_card_is_that_of_the_vector() -> None:
    for number, list_number, index in VECTOR["indexes"]:
        assert statuslist.index_for(number, bytes.fromhex(VECTOR["list_key"])) == (list_number, index)


def test_every_card_of_a_list_has_a_place_of_its_own() -> None:
    lists, indexes = statuslist.indexes_for(np.arange(2**20, 2**21), KEY)
    assert set(np.unique(lists).tolist()) == {1}
    assert np.array_equal(np.sort(indexes), np.arange(2**20))


def test_places_in_bulk_are_those_one_by_one_across_lists() -> None:
    numbers = np.concatenate([np.arange(100), np.arange(2**20 - 50, 2**20 + 50), [2**32, 5 * 2**20 + 7]])
    lists, indexes = statuslist.indexes_for(numbers, KEY)
    assert list(zip(lists.tolist(), indexes.tolist(), strict=True)) == [
        statuslist.index_for(number, KEY) for number in numbers.tolist()
    ]


def test_neighbours_are_far_apart_and_another_key_places_them_elsewhere() -> None:
    _, here = statuslist.indexes_for(np.arange(100_000), KEY)
    _, there = statuslist.indexes_for(np.arange(100_000), KEY[::-1])
    apart = np.abs(np.diff(here))
    assert 0.32 < apart.mean() / 2**20 < 0.35
    assert abs(float(np.corrcoef(np.arange(100_000), here)[0, 1])) < 0.02
    assert int((here == there).sum()) < 10


@pytest.mark.parametrize(("number", "key"), [(-1, KEY), (2**52, KEY), (1, bytes(15))])
def test_a_number_out_of_range_and_a_short_key_are_refused(number: int, key: bytes) -> None:
    with pytest.raises(BadStatusList, match="list-value"):
        statuslist.index_for(number, key)
    with pytest.raises(BadStatusList, match="list-value"):
        statuslist.indexes_for(np.array([number]), key)


def test_no_numbers_have_no_places() -> None:
    lists, indexes = statuslist.indexes_for(np.array([], dtype=np.int64), KEY)
    assert lists.size == indexes.size == 0
