"""The capacity plan against cases that are reckoned by hand, and files that are refused with a reason."""

import time
import tomllib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from zhengka.areas import calendars
from zhengka.config.env import PROJECT
from zhengka.core.dated import FileRefused, Table, parse
from zhengka.programme.capacity import Capacity, Change, Line, Need, capacity_of, changed, load, simulate, spread

ONE, TWO = 430104_000000, 430105_000000
MONDAY = date(2018, 11, 5)
EXACT = Line("机", "machine", False, (ONE,), 1, 60, 300, 1, 1, 1, 0.0, 0.0, (1, 1), 0, (1.0, 1.0))
"""One machine of one unit that makes 300 cards a day, always."""
DATA = PROJECT / "data"


def plan(*lines: Line) -> Capacity:
    return Capacity("x", 43 * 10**10, 44 * 10**10 - 1, MONDAY, "x", lines)


def working_days(number: int, first: date = MONDAY) -> list[date]:
    calendar = calendars.calendar_of(calendars.load(DATA / "calendars"), ONE)
    days = (first + timedelta(step) for step in range(3 * number + 30))
    return [day for day in days if calendar.is_working_day(day)][:number]


def ends(cards: int, *lines: Line, unit: int = ONE, days: list[date] | None = None) -> date | None:
    whole = simulate(plan(*lines), [Need(unit, cards)], days or working_days(50), runs=50).whole
    assert whole.early == whole.middle == whole.late, "nothing is left to chance"
    return whole.middle


def test_one_machine_without_failures_ends_on_the_very_day():
    days = working_days(50)
    assert [ends(cards, EXACT) for cards in (1, 300, 301, 900, 901)] == [days[0], days[0], days[1], days[2], days[3]]


def test_weekends_and_holidays_are_not_worked_and_moved_working_days_are():
    days = working_days(20, date(2018, 12, 27))
    assert [f"{day:%m-%d}" for day in days[:5]] == ["12-27", "12-28", "12-29", "01-02", "01-03"]
    assert ends(1200, EXACT, days=days) == date(2019, 1, 2)


def test_a_second_shift_and_a_second_machine_halve_the_days_where_operators_are_there():
    days = working_days(50)
    twice = [replace(EXACT, shifts=2, operators=2), replace(EXACT, machines=2, operators=2)]
    assert {ends(3000, line) for line in twice} == {days[4]}
    assert ends(3000, replace(EXACT, shifts=2, machines=2, operators=3)) == days[3], "900 a day: three of four shifts"
    short = replace(EXACT, shifts=2)
    assert ends(3000, short) == days[9] and short.short_of == "operators"


def test_a_day_of_maintenance_is_lost():
    days = working_days(50)
    assert ends(3000, replace(EXACT, maintenance=5)) == days[11], "days 5 and 10 are lost"


def test_a_pooled_line_makes_the_earlier_phase_first():
    days = working_days(50)
    maker = replace(EXACT, pooled=True, units=())
    told = simulate(plan(maker), [Need(ONE, 600, 2), Need(TWO, 450, 1)], days, runs=50)
    assert (told.units[TWO].late, told.units[ONE].late) == (days[1], days[3])
    both = simulate(plan(EXACT, maker), [Need(ONE, 600, 2), Need(TWO, 450, 1)], days, runs=50)
    assert (both.units[TWO].late, both.units[ONE].late) == (days[1], days[1])


def test_without_a_machine_a_unit_is_never_done_and_is_named_as_what_is_last():
    told = simulate(plan(EXACT), [Need(ONE, 300), Need(TWO, 1)], working_days(50), runs=50)
    assert told.whole.late is None and told.units[ONE].late is not None and told.last[0] == (TWO, 1.0)


def test_the_weeks_add_up_to_what_is_wanted():
    told = simulate(plan(EXACT), [Need(ONE, 2000)], working_days(50), runs=50)
    assert [(week.begins, week.low, week.middle, week.high) for week in told.weeks] == [
        (MONDAY, 1500, 1500, 1500), (MONDAY + timedelta(7), 500, 500, 500)]


def test_failures_and_waste_cost_what_they_say_on_average():
    days = working_days(1200)
    spoils = replace(EXACT, speed=600, spoiled=0.25)
    assert ends_near(spoils, 225_000, days) == pytest.approx(100, abs=1), "2,250 good ones of 3,000 a day"
    breaks = replace(EXACT, fails=0.25, repair=(1, 1))
    assert ends_near(breaks, 90_000, days) == pytest.approx(400, abs=25), "each fourth day is lost"
    longer = replace(EXACT, fails=0.25, repair=(3, 3))
    assert ends_near(longer, 90_000, days) == pytest.approx(300 * (1 + 3 * 0.25 / 0.75), rel=0.06)
    slow = replace(EXACT, pace=(0.5, 1.0))
    assert ends_near(slow, 90_000, days) == pytest.approx(400, abs=8)


def ends_near(line: Line, cards: int, days: list[date]) -> int:
    middle = simulate(plan(line), [Need(ONE, cards)], days, runs=400).whole.middle
    assert middle
    return days.index(middle) + 1


def test_the_same_seed_gives_the_same_answer_and_chance_makes_a_range():
    line = replace(EXACT, fails=0.05, repair=(1, 4), pace=(0.7, 1.0), spoiled=0.01)
    first, again, other = (simulate(plan(line), [Need(ONE, 20_000)], working_days(300), seed=seed)
                           for seed in (7, 7, 8))
    assert first == again and first != other
    assert first.whole.early < first.whole.middle < first.whole.late
    assert abs((first.whole.middle - other.whole.middle).days) <= 2, "another seed tells nearly the same"


def test_what_if_one_shift_more_and_one_machine_less_in_one_unit():
    lines = replace(EXACT, units=())
    whole = spread(plan(lines), [ONE, TWO])
    needs, days = [Need(ONE, 3000), Need(TWO, 3000)], working_days(50)
    more = simulate(changed(whole, Change(0, shifts=1)), needs, days, runs=50)
    assert more.whole.late == days[4]
    less = simulate(changed(whole, Change(0, machines=-1, unit=TWO)), needs, days, runs=50)
    assert (less.units[ONE].late, less.units[TWO].late) == (days[9], None)
    assert simulate(changed(whole, Change(0, machines=1, unit=TWO)), needs, days, runs=50).units[TWO].late == days[4]
    assert changed(whole, Change(0)) == whole


def test_the_pilot_of_the_notice_ends_within_a_second_of_reckoning_and_its_bottleneck_is_named():
    programme = tomllib.loads((DATA / "programmes" / "hunan-2018.toml").read_text("utf-8"))
    needs = [Need(int(row["unit"]) * 10**6, row["holders"], row["phase"]) for row in programme["unit"]]
    assert (len(needs), sum(need.cards for need in needs)) == (25, 298_485)
    (hunan,) = load(DATA / "capacity")
    days = working_days(1000, hunan.begins)
    began = time.perf_counter()
    told = simulate(spread(hunan, [need.unit for need in needs]), needs, days)
    assert time.perf_counter() - began < 5, "thousands of runs while a page waits; a second on an idle machine"
    assert told.whole.early and told.whole.late and told.whole.early <= told.whole.middle <= told.whole.late
    assert 298_485 * 0.97 < sum(week.middle for week in told.weeks) < 298_485 * 1.03
    assert told.last and sum(share for _, share in told.last) <= 1


GOOD = (DATA / "capacity" / "hunan-2018.toml").read_text("utf-8")


@pytest.mark.parametrize(("was", "now", "code"), [
    ("machines = 1\n", "machines = -1\n", "value-out-of-range"), ("shifts = 1", "shifts = 4", "value-out-of-range"),
    ("cards_per_hour = 50", "cards_per_hour = 0", "value-out-of-range"),
    ("repair_days = [1, 4]", "repair_days = [4, 1]", "value-out-of-range"),
    ("pace_percent = [75, 100]", "pace_percent = [75, 101]", "value-out-of-range"),
    ("pace_percent = [75, 100]", "pace_percent = [75]", "value-out-of-range"),
    ("maintenance_every = 20", "maintenance_every = 1", "value-out-of-range"),
    ("spoiled_permille = 10", "spoiled_permille = 1.5", "field-missing"),
    ('kind = "desk"', 'kind = "x"', "value-unknown"),
    ('"430121"', '"440121"', "area-unknown"), ('"430121"', "430121", "area-unknown"),
    ("operators = 1", "", "field-missing"),
    ("shifts = 1", "shift = 1", "field-missing"), ("format = 1", "format = 1\nnote = 1", "field-unknown"),
    ("begins = 2018-11-01", 'begins = "soon"', "field-missing"), ("minutes_per_shift = 390", "minutes_per_shift = 721",
                                                                 "value-out-of-range")])
def test_a_plan_that_is_wrong_is_refused_with_the_reason(was, now, code):
    assert was in GOOD
    with pytest.raises(FileRefused) as no:
        capacity_of(parse(GOOD.replace(was, now, 1).encode(), "hunan-2018.toml"))
    assert no.value.code == code


def test_a_plan_without_a_line_or_a_source_is_refused(tmp_path):
    head = {"code": "x", "area": "430000", "begins": MONDAY, "source": " "}
    for table, code in ((head, "source-missing"), (head | {"source": "x"}, "field-missing")):
        with pytest.raises(FileRefused) as no:
            capacity_of(Table(table, "x"))
        assert no.value.code == code
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(GOOD)
    with pytest.raises(FileRefused, match="code-twice"):
        load(tmp_path)
