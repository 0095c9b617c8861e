"""What gates are told at once, and what waits for two persons: by cause, the few before the many."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from zhengka.cards.holding import area_of, held_back, mark, most_blocked

CAUSES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 900), max_size=12)


@pytest.mark.parametrize(("active", "most"), [(0, 500), (100_000, 500), (100_200, 501), (3_000_000, 15_000)])
def test_half_a_per_cent_of_the_active_cards_and_never_fewer_than_five_hundred(active: int, most: int) -> None:
    assert most_blocked(active) == most


def test_a_mass_act_waits_and_single_losses_go_out_beside_it() -> None:
    assert held_back({"loss of a": 1, "loss of b": 2, "mass": 501}, {}, 500) == {"mass"}
    assert held_back({"loss of a": 1, "mass": 500}, {}, 500) == {"mass"}, "together they are too many"
    assert held_back({"mass": 500}, {}, 500) == set()


def test_what_one_cause_does_in_small_portions_is_counted_together() -> None:
    assert held_back({"drip": 1, "loss": 1}, {"drip": 500}, 500) == {"drip"}
    assert held_back({"drip": 1}, {"drip": 499, "other": 9_000}, 500) == set()


@given(CAUSES, CAUSES, st.integers(500, 2000))
def test_no_version_and_no_cause_tells_more_than_it_may(
        newly: dict[str, int], spent: dict[str, int], most: int) -> None:
    held = held_back(newly, spent, most)
    told = newly.keys() - held
    assert sum(newly[cause] for cause in told) <= most
    assert all(newly[cause] + spent.get(cause, 0) <= most for cause in told)
    for cause in held:  # nothing waits that might have gone out with all that is no larger
        smaller = sum(newly[each] for each in told if newly[each] <= newly[cause])
        assert newly[cause] + spent.get(cause, 0) > most or smaller + newly[cause] > most or any(
            newly[each] == newly[cause] for each in held - {cause})


@pytest.mark.parametrize(("areas", "area"), [
    ([430104001001], 430104001001), ([430104001001, 430104001002], 430104001000),
    ([430104001000, 430104002000], 430104000000), ([430104000000, 430105000000], 430100000000),
    ([430104000000, 430200000000], 430000000000), ([430104000000, 110101000000], 0)])
def test_the_area_of_many_cards_is_the_smallest_that_holds_them_all(areas: list[int], area: int) -> None:
    assert area_of(areas) == area


def test_a_cause_is_counted_under_a_digest() -> None:
    assert mark("report_lost 00001") != mark("report_lost 00002") and "00001" not in mark("report_lost 00001")
