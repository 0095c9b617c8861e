"""Renewals are spread so that nobody comes too early or too late, and no month takes more than it must."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhengka.programme.waves import TERM, Smoothed, Window, again, exchanged, first_day, month_of, smooth

NOW = 2026 * 12
YEAR_NINE = Window(opens=12, lead=2)


def months(plan: Smoothed) -> list[int]:
    return list(plan.by_month().values())


def test_a_wave_of_one_month_is_spread_over_the_eleven_months_of_its_window():
    plan = smooth({NOW + 36: 1100}, NOW, YEAR_NINE)
    assert plan.by_month() == {NOW + 24 + step: 100 for step in range(11)} and (plan.most, plan.late) == (100, 0)


def test_a_wave_does_not_come_back_ten_years_later():
    plan = smooth({NOW + 36: 1100}, NOW, YEAR_NINE)
    assert max(again(plan, YEAR_NINE).values()) == 100 and min(again(plan, YEAR_NINE)) == NOW + 24 + 2 + TERM


def test_what_is_even_already_stays_as_it_is_and_is_invited_as_late_as_it_may():
    plan = smooth({NOW + 20 + step: 50 for step in range(24)}, NOW, YEAR_NINE)
    assert plan.most <= 50 and sum(months(plan)) == 1200
    alone = smooth({NOW + 20: 7, NOW + 40: 7}, NOW, YEAR_NINE)
    assert alone.most == 1 and max(alone.by_month()) == NOW + 38


def test_what_has_ended_comes_first_and_is_told_as_late():
    plan = smooth({NOW - 30: 60, NOW + 1: 40, NOW + 36: 11}, NOW, YEAR_NINE)
    assert plan.late == 100 and NOW in plan.by_month()
    early = [month for month, ends in plan.invited.items() if NOW - 30 in ends]
    assert early == sorted(early) and max(early) <= NOW + 12


def test_an_exchange_comes_back_ten_years_later_over_as_many_months():
    assert exchanged(7, NOW, NOW + 2) == {NOW + TERM: 2, NOW + TERM + 1: 2, NOW + TERM + 2: 3}
    assert exchanged(7, NOW, NOW - 5) == {NOW + TERM: 7} and exchanged(0, NOW, NOW) == {}


def test_nothing_is_no_plan():
    assert smooth({}, NOW, YEAR_NINE) == Smoothed() == smooth({NOW: 0}, NOW, YEAR_NINE)


def test_months_are_counted_and_told():
    assert first_day(month_of(first_day(NOW + 11))).isoformat() == "2026-12-01"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.integers(NOW - 20, NOW + 90), st.integers(1, 300), min_size=1, max_size=25),
       st.integers(3, 24), st.integers(0, 2))
def test_everybody_is_invited_once_within_the_window_and_one_fewer_a_month_would_not_do(ending, opens, lead):
    window = Window(opens, lead)
    plan = smooth(ending, NOW, window)
    placed = {end: sum(ends.get(end, 0) for ends in plan.invited.values()) for end in ending}
    assert placed == ending and max(months(plan)) <= plan.most
    for month, ends in plan.invited.items():
        for end in ends:
            assert month >= NOW and (end - lead < NOW or end - opens <= month <= end - lead)
    bound = max(-(-sum(n for e, n in ending.items() if low <= max(e - opens, NOW) and max(e - lead, NOW) <= high)
                  // (high - low + 1))
                for low in range(NOW, NOW + 91) for high in range(low, NOW + 91, 7)
                ) if not any(e - lead < NOW for e in ending) else 0
    assert plan.most >= bound, "no window can take fewer"
