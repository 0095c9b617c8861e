"""Properties of conclusions, limits and routes: whatever is measured, the answer is one of the few that there are."""

import datetime as dt
import json
from math import comb, isclose
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from zhengka.assessment import forms, funnel, routes
from zhengka.assessment.rules import WHY_NOT, Again, Conclusion, Forms, conclude
from zhengka.core.errors import PROBLEMS, Refusal

EVERY = forms.load(Path(__file__).parents[2] / "data" / "assessment")
CHANGSHA = Forms(EVERY, 430104_000000)
TODAY = dt.date(2026, 11, 20)
born = st.dates(dt.date(1920, 1, 1), dt.date(2026, 12, 31))
FORM = {form.category: form for form in EVERY}


def answer(field: forms.Field) -> st.SearchStrategy:
    """A right answer to a field, or nothing."""
    codes = [option.code for option in field.options]
    right = {
        "number": st.integers(int(field.least), int(field.most)).map(str), "choice": st.sampled_from(codes or [""]),
        "clauses": st.lists(st.sampled_from(codes or [""]), unique=True),
        "day": st.dates(dt.date(2000, 1, 1), TODAY).map(dt.date.isoformat)}[field.kind]
    return st.one_of(right, st.just(""))


def answers(category: int) -> st.SearchStrategy:
    return st.fixed_dictionaries({field.name: answer(field) for field in FORM[category].fields} | {
        "again": st.sampled_from(["", "never", "1", "3"]), "again_reason": st.sampled_from(["", "final", "treatment"])})


@given(st.sampled_from(sorted(FORM)).flatmap(lambda category: st.tuples(st.just(category), answers(category))), born)
def test_every_form_ends_in_a_grade_with_clauses_in_a_reason_or_in_a_named_no(filled, birth):
    category, given_ = filled
    try:
        conclusion = conclude(category, given_, born=birth, on=TODAY, forms=CHANGSHA)
    except Refusal as no:
        assert no.code in PROBLEMS and no.code.startswith(("form-", "born-"))
        return
    assert conclusion.category == category and not conclusion.components
    if conclusion.grade is None:
        assert conclusion.reason in WHY_NOT and not conclusion.clauses
    else:
        assert conclusion.grade in (1, 2, 3, 4) and conclusion.clauses and not conclusion.reason
    assert Conclusion.from_json(json.loads(json.dumps(conclusion.as_json()))) == conclusion


@given(st.sampled_from([(1, "acuity_right", False), (2, "right_500", True), (3, "clarity", False)]),
       st.data(), st.data())
def test_whoever_sees_hears_or_speaks_less_never_gets_a_milder_grade(what, one, other):
    category, name, more_is_worse = what
    form = FORM[category]
    values = {field.name: one.draw(st.integers(int(field.least), int(field.most))) for field in form.fields
              if not field.optional}
    worse = other.draw(st.integers(int(form.field(name).least), int(form.field(name).most)))
    assume(worse >= values[name] if more_is_worse else worse <= values[name])
    adult = dt.date(1960, 1, 1)
    before, after = (conclude(category, each, born=adult, on=TODAY, forms=CHANGSHA).grade or 9
                     for each in (values, values | {name: worse}))
    assert after <= before


@given(st.integers(1, 300), st.floats(0.01, 0.99))
def test_the_limits_hold_the_expected_share_and_the_wider_ones_hold_the_narrower(number, share):
    narrow, wide = (funnel.limits(share, number, funnel.LEVELS[name]) for name in ("95", "99.8"))
    assert 0 <= wide.low <= narrow.low <= share + 1 / number and share - 1 / number <= narrow.high <= wide.high <= 1


@given(st.integers(1, 300), st.floats(0.01, 0.99))
def test_the_distribution_is_the_exact_binomial_one(number, share):
    reached, total = funnel.cumulative(share, number), 0.0
    for count in range(number + 1):
        total += comb(number, count) * share**count * (1 - share) ** (number - count)
        assert isclose(reached[count], total, rel_tol=1e-8, abs_tol=1e-12)


@given(st.integers(1, 200), st.floats(0.05, 0.95))
def test_an_outlier_is_exactly_what_chance_gives_in_at_most_one_tail(number, share):
    reached = funnel.cumulative(share, number)
    for count in range(number + 1):
        rarity = min(reached[count], 1 - (reached[count - 1] if count else 0.0))
        assume(all(abs(rarity - tail) > 1e-9 for tail in funnel.LEVELS.values()))
        expected = next((name for name in ("99.8", "95") if rarity < funnel.LEVELS[name]), "within")
        assert funnel.verdict(count, number, share) == expected


points = st.builds(routes.Point, st.floats(20, 40), st.floats(100, 120))


@given(st.lists(st.tuples(st.text(max_size=5), points), max_size=12), points)
def test_a_route_goes_to_every_home_once_and_always_to_the_nearest_next(homes, start):
    stops = [routes.Stop(key, address, point) for key, (address, point) in enumerate(homes)]
    route = routes.plan(stops, start)
    assert sorted(stop.key for stop, _ in route.stops) == list(range(len(stops))) and route.way == "nearest"
    here, left = start, list(stops)
    for stop, line in route.stops:
        assert line == routes.distance(here, stop.point) == min(routes.distance(here, one.point) for one in left)
        here = stop.point
        left.remove(stop)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=8), points)
def test_with_one_home_of_unknown_place_the_addresses_order_the_route_and_no_distance_is_told(addresses, start):
    stops = [routes.Stop(key, address) for key, address in enumerate(addresses)]
    route = routes.plan(stops, start)
    assert [stop.address for stop, _ in route.stops] == sorted(addresses)
    assert route.way == "address" and route.kilometres is None


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)))
def test_a_conclusion_with_parts_and_a_day_comes_back_from_json_as_it_was(day):
    conclusion = Conclusion(7, 1, ("5.2", "5.5.2 a"), "", ((1, 3), (4, 1)), Again(day, "growing"), ("a", "b"))
    assert Conclusion.from_json(json.loads(json.dumps(conclusion.as_json()))) == conclusion
