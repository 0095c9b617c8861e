"""A day that was counted before the holidays of its year were published says so, wherever it stands."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils.translation import override

import builders
from builders import NOON
from stories import LEG, applies, brings, card_holder
from visits import Visitor
from zhengka.cases import assumed, board, services
from zhengka.cases.models import Case
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
