"""Components of keys: those that another program split give its secret back, fewer than needed tell nothing."""

import inspect
import itertools
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengka.formats import shares
from zhengka.formats.shares import Share
from zhengka.formats.suites import INTL, SM, SUITES

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "shares.json").read_text())
KEYS = st.one_of(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))


def given_share(told: dict) -> Share:
    value = bytes.fromhex(told["value"])
    return Share(told["number"], value, shares.check_value(value, SM))


@pytest.mark.parametrize("told", VECTORS["splits"], ids=lambda told: f"{told['needed']} of {len(told['shares'])}")
def test_what_another_program_split_comes_together_by_any_who_suffice(told: dict) -> None:
    parts = [given_share(share) for share in told["shares"]]
    for chosen in itertools.permutations(parts, told["needed"]):
        assert shares.combine(chosen, suite=SM).hex().upper() == told["secret"]
    assert shares.combine(parts, suite=SM).hex().upper() == told["secret"], "more than needed are welcome"
    if told["needed"] > 2:
        assert shares.combine(parts[:2], suite=SM).hex().upper() != told["secret"]


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_check_values_are_those_of_openssl(suite: str) -> None:
    for value, told in VECTORS["kcv"].items():
        assert shares.check_value(bytes.fromhex(value), SUITES[suite]).upper() == told[suite]


@settings(deadline=None, max_examples=60)
@given(KEYS, st.integers(2, 5), st.integers(0, 3), st.sampled_from(sorted(SUITES)), st.randoms())
def test_any_who_suffice_bring_back_any_key(secret, needed, spare, suite, chance) -> None:
    parts = shares.split(secret, needed=needed, among=needed + spare, suite=SUITES[suite])
    assert [part.number for part in parts] == list(range(1, needed + spare + 1))
    assert all(part.check_value == shares.check_value(part.value, SUITES[suite]) for part in parts)
    assert shares.combine(chance.sample(parts, needed), suite=SUITES[suite]) == secret


@settings(deadline=None, max_examples=40)
@given(KEYS, st.integers(2, 5))
def test_parts_that_are_xored_come_together_only_all(secret, among) -> None:
    parts = shares.split_xor(secret, among=among, suite=SM)
    assert shares.combine(parts, suite=SM) == secret
    if among > 2:
        assert shares.combine(parts[1:], suite=SM) != secret


def test_one_share_fits_every_secret_equally() -> None:
    """With the polynomial's other coefficient running over the whole field, a share of any secret takes every value."""
    for secret in (bytes(16), b"\x53" * 16):
        firsts = [shares.split(secret, needed=2, among=2, suite=SM, chance=lambda size, n=n: bytes([n]) * size)[0]
                  for n in range(256)]
        seen = {first.value[0] for first in firsts}
        assert seen == set(range(256))


def test_multiplication_is_that_of_the_field_of_aes() -> None:
    assert shares._product(0x57, 0x83) == 0xC1, "FIPS 197 section 4.2"
    assert shares._product(0x57, 0x13) == 0xFE, "FIPS 197 section 4.2.1"
    assert all(shares._product(value, shares._inverse(value)) == 1 for value in range(1, 256))


def test_arithmetic_on_secret_bytes_has_no_table_and_no_branch() -> None:
    source = inspect.getsource(shares._times) + inspect.getsource(shares._sum)
    assert " if " not in source and "while" not in source and "np.take" not in source


def test_what_cannot_be_components_of_one_key_is_refused() -> None:
    first, second, third = shares.split(bytes(range(16)), needed=2, among=3, suite=SM)
    long = shares.split(bytes(32), needed=2, among=2, suite=SM)
    xored = shares.split_xor(bytes(16), among=2, suite=SM)
    slip = Share(second.number, second.value[:-1] + b"\0", second.check_value)
    for parts in ([], [first], [first, first], [first, long[1]], [first, xored[0]], [first, slip], [slip, third],
                  *([Share(number, first.value, first.check_value), third] for number in (256, -1)),
                  [Share(1, b"short", shares.check_value(b"short", SM)), Share(2, b"short", "")]):
        with pytest.raises(ValueError):
            shares.combine(parts, suite=SM)
    with pytest.raises(ValueError):
        shares.combine([first, second], suite=INTL)


@pytest.mark.parametrize(("needed", "among", "size"), [(1, 3, 16), (0, 0, 16), (4, 3, 16), (2, 256, 16), (2, 3, 15)])
def test_counts_and_lengths_out_of_range_are_refused(needed: int, among: int, size: int) -> None:
    with pytest.raises(ValueError):
        shares.split(bytes(size), needed=needed, among=among, suite=SM)
    with pytest.raises(ValueError):
        shares.split_xor(bytes(15), among=2, suite=SM)


def test_a_component_shows_and_pickles_nothing_of_itself() -> None:
    [first, _] = shares.split(bytes(range(16)), needed=2, among=2, suite=SM)
    assert first.value.hex() not in repr(first) and str(first.value) not in repr(first)
    with pytest.raises(TypeError):
        pickle.dumps(first)
