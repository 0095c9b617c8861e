"""Card policies: dated data, checked when read, chosen by area and day."""

import datetime as dt
from pathlib import Path

import pytest

from zhengka.cards import rules
from zhengka.core.dated import FileRefused, choose, parse

TEXT = (Path(__file__).parents[2] / "data" / "policies" / "standard.toml").read_text()
TODAY = dt.date(2026, 11, 20)


def policy(**changed):
    text = TEXT
    for name, value in changed.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{name} "))
        text = text.replace(old, f"{name} = {value}", 1)
    return rules.load(parse(text.encode(), "standard.toml"))


def test_the_standard_policy_is_one_year_within_ten_for_the_whole_nation():
    standard = policy()
    assert (standard.valid_years, standard.activation.years, standard.lo, standard.hi) == (10, 1, 0, 999_999_999_999)


@pytest.mark.parametrize(("area", "lo", "hi"), [
    ('"430000"', 430000_000000, 439999_999999), ('"430100"', 430100_000000, 430199_999999),
    ('"430104"', 430104_000000, 430104_999999)])
def test_a_policy_covers_the_subtree_of_its_area(area, lo, hi):
    found = policy(area=area)
    assert (found.lo, found.hi) == (lo, hi)


@pytest.mark.parametrize("fault", [
    {"format": 2}, {"format": '"1"'}, {"area": '"4301"'}, {"area": 430104}, {"years": 0}, {"years": 51},
    {"opens_days_before": 400}, {"code": 7}, {"valid_from": '"2018"'}, {"profile": "true"}])
def test_a_policy_with_a_fault_names_its_file(fault):
    with pytest.raises(FileRefused, match=r"standard\.toml"):
        policy(**fault)


def test_the_narrowest_area_wins_and_then_the_latest_day():
    nation, city, newer = policy(), policy(area='"430100"'), policy(area='"430100"', valid_from="2026-01-01")
    assert choose([nation, city, newer], 430104_000000, TODAY) == newer
    assert choose([nation, city, newer], 430104_000000, dt.date(2025, 12, 31)) == city
    assert choose([nation, city, newer], 110101_000000, TODAY) == nation
    assert choose([nation, city, newer], 110101_000000, dt.date(2017, 12, 31)) is None


def test_the_anniversary_of_a_leap_day_is_the_end_of_february():
    assert rules.anniversary(dt.date(2028, 2, 29), 1) == dt.date(2029, 2, 28)
    assert rules.anniversary(dt.date(2028, 2, 29), 4) == dt.date(2032, 2, 29)


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_each_province_and_suite_has_status_lists_of_its_own(suite):
    first, last = rules.place(43, suite, 0), rules.place(43, suite, 2**27 - 1)
    assert rules.of_list(first // 2**20) == rules.of_list(last // 2**20) == (43, suite)
    assert rules.of_list((last + 1) // 2**20) != (43, suite)
    with pytest.raises(ValueError, match="full"):
        rules.place(43, suite, 2**27)
