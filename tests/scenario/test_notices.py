"""Public notices: what hangs for all to see, how little it says, and that it is gone on its day."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import builders
from stories import LEG, Story, applies, person
from visits import Visitor
from zhengka.cases import board, services
from zhengka.cases.models import Case
from zhengka.cases.services import notices
from zhengka.core.actors import SYSTEM
from zhengka.core.models import Event
from zhengka.core.pace import CHECKS

pytestmark = pytest.mark.django_db
YUELU, KAIFU = 430104 * 10**6, 430105 * 10**6


@pytest.fixture(autouse=True)
def no_haste():
    CHECKS.forget()


def hanging(name: str = "欧阳石榴", **more) -> Story:
    """A person whose notice was put up today."""
    story = applies(person(name=name, **more), at=timezone.now())
    story.take("accept", "book")
    story.assess(LEG)
    story.take("publish")
    return story


def test_a_passer_by_sees_the_least_and_no_full_name():
    story = hanging()
    seen = Visitor().get(f"/notices/{YUELU}")
    text = seen.content.decode()
    assert "欧***" in text and "Physical, grade 2" in text and story.case.notice_ends.isoformat() in text
    assert "石榴" not in text and story.case.told not in seen.content and "麓山路" not in text
    assert seen.headers["X-Robots-Tag"].startswith("noindex") and seen.headers["Cache-Control"] == "no-store"
    assert "1 notice" in Visitor().get("/notices").content.decode()


def test_who_applied_where_they_live_is_publicised_there_and_not_at_the_office_that_decides():
    home, away = builders.make_area(), builders.make_area(420106, name="武昌区")
    clerk = builders.make_actor(area=away)
    story = Story(services.apply(person(), 4, home, by=clerk, request_id=builders.request_id(), at=timezone.now()),
                  at=timezone.now())
    story.take("accept", "book", by=clerk)
    story.assess(LEG, by=builders.make_actor("assessor", area=away))
    case = story.take("publish", by=clerk)
    assert board.offices(on=case.notice_from) == {away.code: 1} and board.posted(home.code, on=case.notice_from) == []
    assert [each.pk for each in board.posted(away.code, on=case.notice_from)] == [case.pk]
    assert "Physical, grade 2" in Visitor().get(f"/notices/{away.code}").content.decode()
    for area, may in ((home, False), (away, True)):
        page = Visitor(builders.make_officer(area=area)).get(f"/staff/cases/{case.pk}").content.decode()
        assert (f"/notices/{away.code}" in page) == may and f"/notices/{home.code}" not in page


def test_a_notice_hangs_from_its_first_to_its_last_day_whatever_the_clock_has_done():
    story = hanging()
    last = story.case.notice_ends
    assert [each.pk for each in board.posted(YUELU, on=last)] == [story.case.pk]
    assert board.offices(on=last) == {YUELU: 1}
    assert board.posted(YUELU, on=last + dt.timedelta(1)) == [], "nobody has ended it, and it is gone"
    assert board.posted(YUELU, on=story.case.notice_from - dt.timedelta(1)) == []


def test_an_objection_leaves_the_notice_up_until_its_day():
    story = hanging()
    story.take("object")
    assert len(board.posted(YUELU, on=story.case.notice_ends)) == 1
    story.take("uphold")
    assert board.posted(YUELU, on=timezone.localdate()) == [], "what is assessed again hangs no longer"


def test_no_child_and_no_other_office_hangs_there():
    child = applies(person(id_number=builders.make_id_number(born=dt.date(2015, 6, 1)), guardian_name="石山"),
                    at=timezone.now())
    child.take("accept", "book")
    child.assess(LEG)
    other = builders.make_area(430105, name="开福区")
    assert board.posted(YUELU, on=timezone.localdate()) == []
    hanging()
    assert board.posted(other.pk, on=timezone.localdate()) == []
    assert "No notice hangs here today." in Visitor().get(f"/notices/{KAIFU}").content.decode()
    assert Visitor().get("/notices/999999000000").status_code == 404


def test_the_sheet_for_the_village_names_the_person_and_is_only_the_offices_own():
    hanging()
    clerk = Visitor(builders.make_officer("clerk"))
    sheet = clerk.get(f"/staff/notices/{YUELU}").content.decode()
    assert "欧阳石榴" in sheet and "Taken down on" in sheet
    stranger = Visitor(builders.make_officer("clerk", area=builders.make_area(430105, name="开福区")))
    assert stranger.get(f"/staff/notices/{YUELU}").status_code == 404
    assert Visitor(builders.make_officer("approver")).get(f"/staff/notices/{YUELU}").status_code == 403


def test_a_long_board_is_read_page_by_page():
    cases = [hanging(f"石榴{place}").case.pk for place in range(3)]
    first = board.posted(YUELU, on=timezone.localdate(), limit=2)
    rest = board.posted(YUELU, on=timezone.localdate(), after=first[-1].pk, limit=2)
    assert [each.pk for each in (*first, *rest)] == cases


def ended(at: dt.datetime) -> int:
    """By how many statements the notices of a day come down."""
    with CaptureQueriesContext(connection) as asked:
        notices.end_notices(at=at)
    return len(asked)


def steps_of(case: Case) -> list[tuple]:
    told = Event.objects.filter(subject="case", subject_id=case.pk).order_by("version")
    return [(event.action, event.source, event.target, event.person, event.facts, event.at) for event in told
            if event.action.endswith("_notice")]


def test_notices_that_come_down_together_come_down_as_one_does_by_as_many_statements_as_one():
    at = timezone.now() + dt.timedelta(20)
    alone, several = hanging(), []
    services.end_notice(alone.case, by=SYSTEM, request_id=builders.request_id(), at=at)
    hanging()
    one = ended(at)
    several = [hanging() for _ in range(4)]
    assert ended(at) == one
    for story in several:
        case, same = Case.get(story.case.pk), Case.get(alone.case.pk)
        assert (case.state, case.due_on, case.moved_at, case.ended_at) == (
            same.state, same.due_on, same.moved_at, same.ended_at) and case.state == "noticed"
        assert steps_of(case) == steps_of(same)
    assert notices.end_notices(at=at) == 0, "once"


@pytest.mark.django_db(transaction=True)
def test_a_notice_that_is_put_up_anew_at_the_same_moment_hangs_its_full_days():
    story, late = hanging(), timezone.now() + dt.timedelta(20)
    story.at, done, began = late, [], threading.Event()

    def clock():
        try:
            began.wait()
            done.append(notices.end_notices(at=late))
        finally:
            connection.close()

    other = threading.Thread(target=clock)
    other.start()
    with transaction.atomic():
        story.take("object", "dismiss")
        began.set()
        time.sleep(0.5)
    other.join()
    assert done == [0] and Case.get(story.case.pk).state == "publicised"
