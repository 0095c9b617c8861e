"""Whatever the calendar, counting by index gives what a loop over the days gives."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from zhengka.areas.calendars import Layer, calendar_of

DAYS = st.dates(dt.date(2019, 1, 1), dt.date(2021, 12, 31))
EXCEPTIONS = st.dictionaries(DAYS, st.booleans(), max_size=120)
SOME_DAYS = st.integers(1, 80)


def calendar(nation: dict, region: dict):
    return calendar_of([Layer("region", 45 * 10**10, 46 * 10**10 - 1, 0, frozenset({2019, 2020}), region),
                        Layer("nation", 0, 10**12 - 1, 0, frozenset({2019, 2020, 2021, 2022}), nation)], 45 * 10**10)


def works(day: dt.date, nation: dict, region: dict) -> bool:
    return region.get(day, nation.get(day, day.weekday() < 5))


@given(EXCEPTIONS, EXCEPTIONS, DAYS, SOME_DAYS)
def test_adding_working_days_is_walking_them_one_by_one(nation, region, start, n):
    day, left = start, n
    while left:
        day += dt.timedelta(1)
        left -= works(day, nation, region)
    assert calendar(nation, region).add_working_days(start, n).day == day


@given(EXCEPTIONS, EXCEPTIONS, DAYS, st.integers(0, 400))
def test_working_days_between_are_those_that_a_loop_meets(nation, region, start, length):
    span = [start + dt.timedelta(number) for number in range(1, length + 1)]
    end = start + dt.timedelta(length)
    assert calendar(nation, region).working_days_between(start, end).days == sum(
        works(day, nation, region) for day in span)


@given(EXCEPTIONS, DAYS, SOME_DAYS)
def test_counting_back_gives_what_was_added_and_the_limit_ends_on_a_working_day(nation, start, n):
    ours = calendar(nation, {})
    last = ours.add_working_days(start, n).day
    assert ours.is_working_day(last) and ours.working_days_between(start, last).days == n


@given(DAYS, SOME_DAYS)
def test_an_answer_names_a_year_exactly_when_a_day_that_counts_has_no_list(start, n):
    due = calendar({}, {}).add_working_days(start, n)
    counted = [start + dt.timedelta(number) for number in range(1, (due.day - start).days + 1)]
    needed = {year for day in counted for year in (day.year, (day + dt.timedelta(7)).year)}
    assert set(due.assumed) == needed - {2019, 2020}


@given(EXCEPTIONS, DAYS, st.integers(1, 90))
def test_a_limit_of_calendar_days_moves_only_over_days_off(nation, start, length):
    ours = calendar(nation, {})
    last = ours.last_day(start, days=length).day
    nominal = start + dt.timedelta(length)
    passed = [nominal + dt.timedelta(number) for number in range((last - nominal).days)]
    assert ours.is_working_day(last) and not any(ours.is_working_day(day) for day in passed)
