"""Over all kinds of policies and all days: an activation never shortens, and opens exactly where it lengthens."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from activating import KINDS, REST, load, text_of
from zhengka.cards import activation
from zhengka.cards.activation import Activation, Dates

DAYS = st.dates(date(2018, 1, 1), date(2060, 12, 31))
A_DAY = timedelta(days=1)


@st.composite
def policies(draw):
    """A policy that a file can hold."""
    rule = Activation(draw(st.sampled_from(activation.KINDS)), *REST)._replace(
        years=draw(st.integers(1, 4)), grace_days=draw(st.integers(0, 90)), opens_days_before=draw(st.integers(0, 90)))
    if rule.kind == "window":
        first = draw(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
        last = first + timedelta(days=draw(st.integers(0, 240)))
        rule = rule._replace(first=(first.month, first.day), last=(last.month, last.day))
    if rule.kind == "month":
        rule = rule._replace(of=draw(st.sampled_from(activation.MONTHS)))
    return load(text_of(rule))


RULES = st.sampled_from(list(KINDS.values())) | policies()
CARDS = st.builds(Dates, ends=st.none() | DAYS, issued_on=DAYS, born_on=st.dates(date(1920, 1, 1), date(2025, 12, 31)))


@given(RULES, CARDS, DAYS)
def test_an_activation_never_shortens_a_term_and_reaches_beyond_its_day(rule, card, today):
    until = activation.until(rule, card, today)
    assert until >= (card.ends or until) and until > today
    longest = max(card.ends or today, today) + timedelta(days=366 * (rule.years + 1))
    assert until <= longest, "and nobody gets more than the window and the terms behind it"


@given(RULES, CARDS.filter(lambda card: card.ends), DAYS)
def test_a_window_is_open_exactly_where_an_activation_lengthens_the_term(rule, card, today):
    opens = activation.opens(rule, card)
    assert activation.is_open(rule, card, today) == (today >= opens)
    if rule.kind != "rolling":
        assert (activation.until(rule, card, today) > card.ends) == (today >= opens)
        assert activation.until(rule, card, opens - A_DAY) == card.ends


@given(RULES, CARDS, DAYS, st.integers(1, 400))
def test_who_activates_later_is_never_good_for_less(rule, card, today, days):
    assert activation.until(rule, card, today) <= activation.until(rule, card, today + timedelta(days=days))


@given(RULES, CARDS, DAYS)
def test_who_comes_in_every_window_never_stands_before_a_closed_gate(rule, card, today):
    ends = activation.until(rule, card, today)
    for _ in range(4):
        first = activation.opens(rule, card._replace(ends=ends))
        assert first <= ends, "the next window opens before the term ends"
        ends, before = activation.until(rule, card._replace(ends=ends), max(first, today)), ends
        assert ends > before


@given(RULES, DAYS, DAYS)
def test_days_of_grace_read_forwards_are_days_of_grace_read_backwards(rule, ends, today):
    assert (today <= activation.passes_until(rule, ends)) == (ends >= activation.ended_but_passes(rule, today))


@given(RULES, CARDS, DAYS)
def test_services_stop_only_when_a_term_and_its_grace_are_over_and_identity_never(rule, card, today):
    told = activation.outlook(rule, card, today)
    assert bool(told.stopped) <= (told.word == "lapsed") and "identity" not in told.stops
    if told.word != "lapsed" and card.ends:
        assert today <= activation.passes_until(rule, card.ends)
