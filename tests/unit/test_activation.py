"""Annual activation: each kind of policy on the days on which it turns, and files that are refused."""

import datetime as dt
from itertools import pairwise

import pytest

from activating import KINDS, SHIPPED, load, text_of
from zhengka.cards import activation, rules
from zhengka.cards.activation import Dates
from zhengka.core.dated import FAULTS, FileRefused, parse

D = dt.date.fromisoformat


@pytest.mark.parametrize("name, ends, today, until", [
    ("standard", None, "2026-11-20", "2027-11-20"), ("standard", "2027-01-05", "2026-11-20", "2028-01-05"),
    ("standard", "2026-11-10", "2026-11-20", "2027-11-20"), ("standard", "2028-02-29", "2028-02-01", "2029-02-28"),
    ("spring", None, "2026-10-05", "2027-06-30"), ("spring", "2027-06-30", "2027-02-28", "2027-06-30"),
    ("spring", "2027-06-30", "2027-03-01", "2028-06-30"), ("spring", "2027-06-30", "2027-09-01", "2028-06-30"),
    ("ningbo", "2026-12-31", "2026-11-20", "2027-12-31"), ("ningbo", "2026-12-31", "2027-02-01", "2027-12-31"),
    ("over new year", None, "2026-11-10", "2027-01-31"), ("over new year", None, "2026-11-11", "2028-01-31"),
    ("two years", None, "2026-02-01", "2028-02-29"), ("two years", None, "2026-01-31", "2027-02-28"),
    ("sanmenxia", "2026-08-31", "2026-07-17", "2027-08-31"), ("issue", None, "2026-02-01", "2027-03-31"),
    ("issue", None, "2026-01-29", "2026-03-31"), ("birth", None, "2026-05-01", "2027-05-31"),
    ("three years", "2026-12-01", "2026-11-20", "2029-12-01")])
def test_a_term_ends_where_its_region_says(name, ends, today, until):
    card = Dates(ends and D(ends), issued_on=D("2024-03-15"), born_on=D("1960-05-09"))
    assert activation.until(KINDS[name], card, D(today)) == D(until)


@pytest.mark.parametrize("name, ends, first", [
    ("standard", "2027-03-31", "2026-12-31"), ("spring", "2027-06-30", "2027-03-01"),
    ("ningbo", "2026-12-31", "2026-11-20"), ("over new year", "2027-01-31", "2026-11-11"),
    ("two years", "2028-02-29", "2027-02-01"), ("sanmenxia", "2026-08-31", "2026-07-17"),
    ("issue", "2026-03-31", "2026-01-30")])
def test_the_next_term_opens_on_a_day_and_not_the_day_before(name, ends, first):
    card = Dates(D(ends), issued_on=D("2024-03-15"))
    assert activation.opens(KINDS[name], card) == D(first)
    assert not activation.is_open(KINDS[name], card, D(first) - dt.timedelta(days=1))


@pytest.mark.parametrize("today, word, stopped", [
    ("2026-08-01", "running", ()), ("2026-08-22", "open", ()), ("2026-11-20", "open", ()), ("2026-11-21", "grace", ()),
    ("2026-12-20", "grace", ()), ("2026-12-21", "lapsed", ("rides", "subsidies"))])
def test_a_card_is_told_where_its_activation_stands(today, word, stopped):
    told = activation.outlook(SHIPPED["standard"], Dates(D("2026-11-20")), D(today))
    assert (told.word, told.stopped) == (word, stopped) and word in activation.OUTLOOKS
    assert (told.opens, told.grace_until) == (D("2026-08-22"), D("2026-12-20"))


def test_a_card_that_was_never_activated_has_no_term():
    assert activation.outlook(SHIPPED["standard"], Dates(), D("2026-11-20")).word == "never"


def test_where_rides_do_not_stop_a_card_passes_for_ever_and_elsewhere_no_longer_than_its_grace():
    assert activation.passes_until(KINDS["rides go on"], D("2020-01-01")) == dt.date.max
    assert activation.passes_until(SHIPPED["sanmenxia"], D("2026-08-31")) == D("2026-09-15")


def test_a_policy_is_read_back_as_it_was_written():
    for rule in KINDS.values():
        assert load(text_of(rule)) == rule


SPRING, MONTH = text_of(KINDS["spring"]), text_of(KINDS["birth"])
FAULTY = [
    ("field-missing", SPRING, 'kind = "window"', ""), ("value-unknown", SPRING, 'kind = "window"', 'kind = "week"'),
    ("value-unknown", SPRING, "'portal'", "'letter'"), ("value-unknown", SPRING, "'rides'", "'parks'"),
    ("identity-stops", SPRING, "'rides'", "'identity'"), ("counter-missing", SPRING, "'counter', ", ""),
    ("value-out-of-range", SPRING, "years = 1\n", "years = 0\n"),
    ("value-out-of-range", SPRING, "years = 1\n", "years = 11\n"),
    ("value-out-of-range", SPRING, "grace_days = 10", "grace_days = -1"),
    ("value-out-of-range", SPRING, "grace_days = 10", "grace_days = 366"),
    ("day-unknown", SPRING, '"06-30"', '"06-31"'), ("day-unknown", SPRING, '"06-30"', '"30 June"'),
    ("field-missing", SPRING, ', last = "06-30"', ""), ("field-unknown", SPRING, ' }', ', days = 3 }'),
    ("window-too-long", SPRING, '"03-01", last = "06-30"', '"01-01", last = "12-31"'),
    ("window-too-long", SPRING, "opens_days_before = 0", "opens_days_before = 300"),
    ("source-missing", SPRING, 'source = "test"', 'source = " "'),
    ("field-unknown", SPRING, "source", 'of = "08"\nsource'),
    ("value-unknown", MONTH, '"birth"', '"13"'), ("field-missing", MONTH, 'of = "birth"', ""),
    ("field-missing", MONTH, 'of = "birth"', "of = 8")]


@pytest.mark.parametrize("code, text, old, new", FAULTY)
def test_a_policy_with_a_fault_is_refused_by_its_name_and_place(code, text, old, new):
    assert old in text
    with pytest.raises(FileRefused) as refused:
        load(text.replace(old, new, 1))
    assert (refused.value.code, refused.value.place.split(":")[0]) == (code, "region.toml")
    assert all(words in str(refused.value) for words in FAULTS[code])


def test_two_policies_of_one_area_from_one_day_are_refused():
    tables = [parse(SPRING.encode(), name) for name in ("one.toml", "two.toml")]
    with pytest.raises(FileRefused, match=r"two\.toml.*\[dates-overlap\]"):
        rules.load_all(tables)


def test_what_holds_where_does_not_overlap_and_is_what_is_chosen():
    province, city = (rules.load(parse(text_of(KINDS["spring"], area=area).encode(), area))
                      for area in ("430000", "430100"))
    nation = rules.load(parse(text_of(KINDS["standard"], area="000000").encode(), "nation"))
    held = rules.ranges([nation, province, city], D("2026-11-20"))
    assert [(lo // 10**6, policy.code) for lo, _, policy in held] == [
        (0, "test-000000"), (430000, "test-430000"), (430100, "test-430100"), (430200, "test-430000"),
        (440000, "test-000000")]
    assert all(hi + 1 == lo for (_, hi, _), (lo, _, _) in pairwise(held))
    assert rules.ranges([province], D("2017-12-31")) == []
