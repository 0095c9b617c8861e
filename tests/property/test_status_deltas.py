"""Rows of small numbers and what changed in them: whatever they are, they come back; whatever is damaged is refused."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from issued import NOON, Issuer
from zhengka.formats import gaps, statusdelta, statuslist
from zhengka.formats.statuslist import BadStatusList, StatusList

ISSUER = Issuer()
KEYS = ISSUER.keys
SIGNER = {"suite": "SM", "key_id": ISSUER.key.public.key_id, "sign": ISSUER.key.sign}
ROWS = st.lists(st.integers(0, 3), min_size=1, max_size=200)


def row(numbers: list[int]) -> gaps.Cells:
    return np.array(numbers, dtype=np.uint8)


def held(numbers: list[int], version: int) -> StatusList:
    pairs = [(place, number) for place, number in enumerate(numbers) if number]
    return statuslist.parse(ISSUER.list_bytes(pairs, version=version, capacity=len(numbers)), keys=KEYS, at=NOON)


@given(ROWS)
def test_a_row_comes_back_from_its_gaps(numbers: list[int]) -> None:
    body = gaps.encode(row(numbers), (1, 2, 3))
    assert gaps.decode(body, len(numbers), (1, 2, 3), rest=0).tolist() == numbers


@given(st.integers(1, 2**20), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_row_of_any_size_and_share_comes_back_and_is_hardly_larger_than_it_must_be(
        size: int, share: float, seed: int) -> None:
    cells = (np.random.default_rng(seed).random(size) < share).astype(np.uint8)
    body = gaps.encode(cells, (1,))
    assert np.array_equal(gaps.decode(body, size, (1,), rest=0), cells)
    held_share = cells.mean()
    needed = 0.0 if held_share in (0, 1) else -size * float(
        held_share * np.log2(held_share) + (1 - held_share) * np.log2(1 - held_share))
    assert len(body) <= 1.1 * needed / 8 + 14


@given(st.binary(max_size=100), st.integers(1, 300))
def test_any_bytes_are_a_row_or_refused(body: bytes, size: int) -> None:
    try:
        cells = gaps.decode(body, size, (1, 2, 3), rest=0)
    except gaps.BadGaps:
        return
    assert cells.size == size and np.array_equal(
        gaps.decode(gaps.encode(cells, (1, 2, 3)), size, (1, 2, 3), rest=0), cells)


@given(ROWS, st.data())
@settings(max_examples=40, deadline=None)
def test_a_delta_makes_the_older_list_into_the_newer_one(before: list[int], data: st.DataObject) -> None:
    after = data.draw(st.lists(st.integers(0, 3), min_size=len(before), max_size=len(before)))
    older, newer = held(before, 3), held(after, 8)
    made = statusdelta.build(older, newer, **SIGNER)
    assert statusdelta.apply(made, older, keys=KEYS, at=NOON) == newer


def test_every_bit_of_a_delta_counts() -> None:
    older = held([0, 1, 2, 3] * 5, 1)
    good = bytearray(statusdelta.build(older, held([1, 1, 2, 0] * 5, 2), **SIGNER))
    for place in range(len(good) * 8):
        good[place // 8] ^= 1 << place % 8
        with pytest.raises(BadStatusList):
            statusdelta.apply(bytes(good), older, keys=KEYS, at=NOON)
        good[place // 8] ^= 1 << place % 8
    assert statusdelta.apply(bytes(good), older, keys=KEYS, at=NOON).version == 2


def test_a_delta_is_made_of_two_versions_of_one_list_only() -> None:
    with pytest.raises(BadStatusList, match="delta-other-list"):
        statusdelta.build(held([0, 1], 1), held([0, 1, 2], 2), **SIGNER)
    with pytest.raises(BadStatusList, match="list-rollback"):
        statusdelta.build(held([0, 1], 2), held([1, 1], 2), **SIGNER)


def test_a_claim_has_a_plain_name() -> None:
    for name in ("", "A", "a;claim=b", "-a", "a" * 65, "a b"):
        with pytest.raises(BadStatusList, match="list-value"):
            statuslist.claim_list(name)


def test_a_list_of_one_claim_is_none_of_another() -> None:
    header = statuslist.Header(0, 1, NOON, NOON, 10)
    made = statuslist.build(header, [(1, 1)], **SIGNER, kind=statuslist.claim_list("metro"))
    assert statuslist.parse(made, keys=KEYS, at=NOON, kind=statuslist.claim_list("metro")).told(1) == 1
    with pytest.raises(BadStatusList, match="signature-wrong"):
        statuslist.parse(made, keys=KEYS, at=NOON, kind=statuslist.claim_list("park"))
