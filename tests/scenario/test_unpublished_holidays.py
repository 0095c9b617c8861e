"""A day that was counted before the holidays of its year were published says so, wherever it stands."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils.translation import override

import builders
from builders import NOON
from stories import LEG, applies, brings, card_holder, confirmed, left_behind
from visits import Visitor
from zhengka.areas.calendars import Calendar, calendar_of
from zhengka.cases import assumed, board, book, services
from zhengka.cases.models import Case
from zhengka.cases.services import moving
from zhengka.core.models import Event
from zhengka.web.public.notices import row

pytestmark = pytest.mark.django_db
LATE = NOON.replace(month=12, day=28)
SAID = "the holidays of 2027 are not published yet; counted without them"


def facts(story, action: str) -> dict:
    return Event.objects.get(subject="case", subject_id=story.case.pk, action=action).facts


def page(story) -> str:
    clerk = Visitor(builders.make_officer("clerk", area=story.case.area))
    return clerk.get(reverse("staff:case", args=[story.case.pk])).content.decode()


def test_a_notice_over_the_new_year_names_the_year_in_its_event_on_its_page_and_on_the_board():
    story = applies(at=LATE)
    story.take("accept", "book")
    story.assess(LEG)
    case = story.take("publish")
    assert case.notice_ends.year == 2027 and facts(story, "publish")["assumed"] == [2027]
    [posted] = board.posted(case.area_id, on=case.notice_ends)
    with override("en"):
        assert row(posted).cells[-1].note == SAID
    text = page(story)
    assert f"{case.notice_ends}" in text and SAID in text and "Holidays not published yet" in text
    services.run_clocks(at=LATE + dt.timedelta(15))
    story.case = Case.get(case.pk)
    assert story.case.due_on and assumed.of_case(story.case)["due_on"] == (2027,)
    assert f"{story.case.due_on} · {SAID}" in page(story)


def test_a_notice_within_a_published_year_says_nothing():
    story = applies()
    story.take("accept", "book")
    story.assess(LEG)
    case = story.take("publish")
    assert "assumed" not in facts(story, "publish")
    assert row(board.posted(case.area_id, on=case.notice_ends)[0]).cells[-1].note == ""
    assert assumed.of_case(case)["notice_ends"] == ()


def test_the_days_of_a_move_name_the_years_in_which_they_end():
    holder, _certificate = card_holder()
    story = brings("transfer_out_nation", holder, moved=dt.date(2026, 11, 1).isoformat())
    case = story.case
    assert case.lapses_on.year == 2027 and facts(story, "open")["assumed"] == [2027]
    assert SAID in page(story)


def published(*off: dt.date) -> Callable[[int], Calendar]:
    """The calendars of a day on which the list of 2027 is there: these days are off, and no other is changed."""
    layers = [layer._replace(years=layer.years | {2027}, days={**layer.days, **dict.fromkeys(off, False)})
              for layer in book._layers()]
    return lambda area: calendar_of(layers, area)


def waits_for_review(at: dt.datetime = LATE) -> Case:
    """A case whose days for the review run, counted over the new year."""
    story = applies(at=at)
    story.take("accept", "book")
    story.assess(LEG)
    case = story.notice(days=9)
    assert case.state == "noticed" and case.due_on
    return case


def test_once_the_holidays_are_published_the_days_that_were_counted_without_them_are_counted_again(monkeypatch):
    case, ended = waits_for_review(), applies(at=LATE)
    ended.take("withdraw")
    at = LATE + dt.timedelta(10)
    assert services.count_again(at=at) == 0 and Case.get(case.pk).version == case.version, "nothing new, no event"
    off = [case.due_on - dt.timedelta(days) for days in range(2)]
    monkeypatch.setattr(book, "calendar", published(*off))
    assert [services.count_again(at=at + dt.timedelta(hours)) for hours in range(2)] == [1, 0], "once"
    now = Case.get(case.pk)
    assert now.due_on == moving.due(now, "noticed", now.moved_at) > case.due_on
    assert (now.state, now.moved_at, now.assignee) == (case.state, case.moved_at, case.assignee)
    told = Event.objects.filter(subject="case", subject_id=case.pk).latest("version")
    assert (told.action, told.actor_id, told.person) == ("count_again", None, "system")
    assert told.facts == {"due": f"{now.due_on}", "due_before": f"{case.due_on}"}, "the year is published: not assumed"
    assert assumed.of_case(now)["due_on"] == ()


def test_the_days_of_a_span_are_counted_again_from_where_it_began_and_an_objection_stops_none(monkeypatch):
    unit = builders.make_area(420104, name="硚口区")
    story = applies(area=unit, at=LATE)
    story.take("precheck", by=builders.make_actor(area=unit))
    ends = story.case.due_on
    story.take("accept", "book")
    story.assess(LEG)
    story.take("publish", "object", reason="邻居")
    assert story.case.due_on is None, "the district waits for nothing but the answer"
    assert story.take("dismiss", reason="不实").due_on == ends
    monkeypatch.setattr(book, "calendar", published(ends))
    assert services.count_again(at=LATE + dt.timedelta(30)) == 1
    assert ends < Case.get(story.case.pk).due_on < ends + dt.timedelta(7)


def test_of_many_cases_those_alone_have_another_day_whose_days_it_concerns(monkeypatch):
    late, early = waits_for_review(), waits_for_review(at=NOON.replace(month=3, day=2))
    assert early.due_on < late.due_on
    monkeypatch.setattr(book, "calendar", published(late.due_on))
    assert services.count_again(at=LATE) == 1
    assert Case.get(early.pk).due_on == early.due_on and Case.get(late.pk).due_on > late.due_on


def test_a_page_tells_of_a_day_that_was_counted_again(monkeypatch):
    case = waits_for_review()
    monkeypatch.setattr(book, "calendar", published(case.due_on))
    services.count_again(at=LATE)
    clerk = Visitor(builders.make_officer("clerk", area=case.area))
    html = clerk.get(reverse("staff:case", args=[case.pk])).content.decode()
    assert "Last day counted again" in html and "Due before" in html and f"{case.due_on}" in html


@pytest.mark.parametrize(("days", "frozen"), [(0, 0), (1, 0), (2, 1)])
def test_no_clock_of_a_move_ends_on_a_day_that_was_published_as_a_holiday_since(monkeypatch, days, frozen):
    holder, _certificate = card_holder()
    case = confirmed(brings("transfer_out_nation", holder, moved=dt.date(2026, 11, 3).isoformat())).case
    last = case.freezes_on
    assert last == dt.date(2027, 5, 3)
    monkeypatch.setattr(book, "calendar", published(last))
    at = dt.datetime.combine(last + dt.timedelta(days), dt.time(12), tzinfo=NOON.tzinfo)
    assert left_behind(at)[0]["freeze"] == frozen
