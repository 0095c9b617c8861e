"""Working days: the published lists, the edges of limits, and years of which nothing is published."""

import datetime as dt
import json
from pathlib import Path

import pytest

from zhengka.areas.calendars import Due, add_months, calendar_of, load

ROOT = Path(__file__).parents[2]
LAYERS = load(ROOT / "data" / "calendars")
NATION, GUANGXI = calendar_of(LAYERS, 430104_000000), calendar_of(LAYERS, 450100_000000)
VECTOR = json.loads((ROOT / "tests" / "vectors" / "working-days.json").read_text("utf-8"))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def days(first: str, last: str) -> list[dt.date]:
    return [day(first) + dt.timedelta(n) for n in range((day(last) - day(first)).days + 1)]


def test_every_day_of_nine_years_is_worked_or_off_as_an_independent_collection_says():
    odd = [d for d in days("2018-01-01", "2026-12-31") if NATION.is_working_day(d) != (d.weekday() < 5)]
    assert [d for d in odd if d.weekday() < 5] == [day(text) for text in VECTOR["weekdays_off"]]
    assert [d for d in odd if d.weekday() > 4] == [day(text) for text in VECTOR["weekends_worked"]]


def test_the_spring_festival_of_2020_was_prolonged_and_its_saturday_not_worked():
    assert [NATION.is_working_day(d) for d in days("2020-01-31", "2020-02-03")] == [False, False, False, True]


def test_labour_day_of_2019_is_as_the_later_notice_says():
    assert [NATION.is_working_day(d) for d in days("2019-04-28", "2019-05-05")] == [True] * 3 + [False] * 4 + [True]


@pytest.mark.parametrize(("event", "n", "last"), [
    ("2018-09-28", 1, "2018-09-29"), ("2018-09-28", 3, "2018-10-08"),    # a Saturday and a Sunday worked, a week off
    ("2018-02-14", 1, "2018-02-22"), ("2018-02-15", 1, "2018-02-22"),    # the event's own day never counts
    ("2024-02-09", 5, "2024-02-22"), ("2026-11-20", 10, "2026-12-04")])
def test_a_limit_begins_on_the_day_after_the_event_and_ends_on_a_working_day(event, n, last):
    assert NATION.add_working_days(day(event), n) == Due(day(last))


@pytest.mark.parametrize(("a", "b", "number"), [
    ("2018-09-28", "2018-09-28", 0), ("2018-09-28", "2018-10-07", 2), ("2018-12-31", "2019-12-31", 250),
    ("2019-12-31", "2020-12-31", 249)])     # 251 by the first notice, two fewer by the second
def test_working_days_are_counted_after_the_first_day_up_to_the_second(a, b, number):
    assert NATION.working_days_between(day(a), day(b)) == (number, ())


@pytest.mark.parametrize(("event", "limit", "last"), [
    ("2024-02-09", {"days": 1}, "2024-02-18"),       # into the festival: the Sunday after it is worked
    ("2018-08-31", {"months": 1}, "2018-09-30"),     # no 31 September; that Sunday is worked
    ("2024-02-29", {"months": 12}, "2025-02-28"), ("2023-04-05", {"months": 6}, "2023-10-07"),
    ("2024-01-04", {"days": 1}, "2024-01-05")])
def test_a_limit_whose_last_day_is_off_ends_on_the_next_working_day(event, limit, last):
    assert NATION.last_day(day(event), **limit) == Due(day(last))


def test_months_end_on_the_same_day_or_on_the_last_of_the_month():
    assert [add_months(day("2024-01-31"), n) for n in (1, 3, 12, -2)] == [
        day("2024-02-29"), day("2024-04-30"), day("2025-01-31"), day("2023-11-30")]


@pytest.mark.parametrize("limit", [{"days": 0}, {"days": -1}, {"months": 1, "days": -1}])
def test_a_limit_of_no_days_is_no_limit(limit):
    with pytest.raises(ValueError, match="at least one day"):
        NATION.last_day(day("2024-01-04"), **limit)
    with pytest.raises(ValueError, match="at least one working day"):
        NATION.add_working_days(day("2024-01-04"), 0)
    with pytest.raises(ValueError, match="before the first"):
        NATION.working_days_between(day("2024-01-04"), day("2024-01-03"))


def test_a_year_without_a_published_list_is_reckoned_by_weekdays_and_named():
    assert NATION.add_working_days(day("2030-09-30"), 5) == (day("2030-10-07"), (2030,))
    assert NATION.working_days_between(day("2016-12-31"), day("2017-06-30")).assumed == (2017,)
    assert NATION.last_day(day("2030-01-01"), months=6).assumed == (2030,)
    assert calendar_of([], 430104_000000).add_working_days(day("2020-01-23"), 1) == (day("2020-01-24"), (2020,))


def test_the_last_week_of_december_waits_for_the_next_years_list():
    assert NATION.add_working_days(day("2026-12-20"), 3) == (day("2026-12-23"), ())
    assert NATION.add_working_days(day("2026-12-23"), 2) == (day("2026-12-25"), (2027,))
    assert NATION.add_working_days(day("2018-12-28"), 1) == (day("2018-12-29"), ())  # a Saturday worked for 2019


def test_an_event_in_an_unpublished_year_says_nothing_of_the_days_after_it():
    assert NATION.add_working_days(day("2017-12-31"), 1) == (day("2018-01-02"), ())


def test_a_region_closes_days_that_the_nation_works_and_no_other_region_sees_them():
    assert [GUANGXI.is_working_day(d) for d in days("2024-04-10", "2024-04-15")] == [
        True, False, False, False, False, True]
    assert NATION.is_working_day(day("2024-04-11"))
    assert NATION.is_working_day(day("2023-04-23")) and not GUANGXI.is_working_day(day("2023-04-23"))


def test_a_regions_missing_list_is_named_though_the_nations_is_there():
    assert GUANGXI.assumed(day("2022-03-01"), day("2022-05-01")) == (2022,)
    assert GUANGXI.assumed(day("2024-03-01"), day("2024-05-01")) == NATION.assumed(
        day("2022-03-01"), day("2022-05-01")) == ()
