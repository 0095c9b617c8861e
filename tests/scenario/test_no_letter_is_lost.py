"""What a person is to be told reaches them, whatever the forms let an officer type; and where it does not, the case's
page says so.
"""

import pytest
from django.db import connection
from django.utils import timezone

import assessing
import builders
from builders import NOON, make_officer, request_id
from stories import Story, applies, person
from telling import go_until, letters
from visits import Visitor
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.scope import enter, leave
from zhengka.letters import contents
from zhengka.letters.models import Letter, Unwritten

pytestmark = pytest.mark.django_db

HOSPITAL, ROOM = "湖南省长沙市中心医院残疾评定中心", "门诊楼三层残疾评定室（请从东侧电梯上楼）"


def step_on_the_page(story: Story, action: str, reason: str, role: str = "clerk") -> Case:
    clerk = Visitor(make_officer(role, area=story.case.area))
    clerk.act(f"/staff/cases/{story.case.pk}/step", action=action, reason=reason)
    return Case.get(story.case.pk)


def page_of(case: Case) -> str:
    return Visitor(make_officer("clerk", area=case.area)).get(f"/staff/cases/{case.pk}").content.decode()


def text(template: str, channel: str) -> str:
    return "\n".join(contents.words(Letter.objects.get(template=template, channel=channel)).paragraphs)


def test_a_reason_of_several_lines_is_one_line_of_the_letter():
    story = applies(person(phone=""), at=timezone.now())
    case = step_on_the_page(story, "return_papers", "缺户口簿\r\n\r\n  缺\u200b照片 \r\n")
    assert case.state == "returned" and letters(case) == ["papers-missing"]
    assert "缺户口簿；缺照片" in text("papers-missing", "print")


def test_a_refusal_of_several_lines_is_told_with_the_way_to_dispute():
    story = applies(person(phone=""), wanted=3)
    go_until(story, "approve")
    case = step_on_the_page(story, "refuse", "不是本区户籍\n没有居住证", role="approver")
    assert case.state == "refused" and {"decision-refused", "ways-to-dispute"} <= set(letters(case))
    assert "不是本区户籍；没有居住证" in text("decision-refused", "print")


@pytest.mark.parametrize("phone", ["13900000001", ""])
def test_a_long_name_of_a_place_is_shortened_in_the_message_and_whole_on_paper(phone):
    story = applies(person(phone=phone), wanted=3, at=NOON)
    story.take("accept")
    day = assessing.make_session(assessing.make_institution(name=HOSPITAL), place=ROOM)
    services.book_day(story.case, day, by=story.by("clerk"), request_id=request_id(), at=NOON)
    told = text("appointment", "sms" if phone else "print")
    assert (f"{HOSPITAL} 门诊楼三层残…" in told) if phone else (f"{HOSPITAL} {ROOM}" in told)


def test_a_long_address_keeps_no_message_from_a_phone():
    story = applies(person(phone="13900000001", address="长沙市岳麓区" + "某某街道某某小区" * 16))
    story.take("accept")
    assert letters(story.case) == ["acceptance-undated"] and not Unwritten.objects.exists()


def test_what_a_sheet_of_paper_cannot_carry_keeps_back_no_message_and_stands_on_the_page():
    story = applies(person(phone="13900000001", address="长沙市岳麓区" + "某某街道某某小区" * 16), wanted=3)
    go_until(story, "approve")
    story.take("refuse", reason="材料虚假")
    assert Letter.objects.filter(subject_id=story.case.pk, template="decision-refused").values_list(
        "channel", flat=True).get() == "sms"
    page = page_of(story.case)
    assert "No letter could be written" in page and "Application refused" in page and "the address" in page


def test_where_no_letter_could_be_written_the_page_says_why_and_what_to_do_once():
    case = builders.make_case(state="reviewed", reviewer="Li")
    case.holder.name = "\u202e王"
    case.holder.save()
    by = builders.make_actor("approver", area=case.area)
    assert "No letter could be written" not in page_of(case)
    for asked in [request_id()] * 2:
        services.approve_many([case.pk], by=by, request_id=asked, at=NOON)
    assert Unwritten.objects.values_list("template", "channel", "reason", "slot").get() == (
        "decision-approved", "print", "letter-text-unfit", "name")
    page = page_of(case)
    assert page.count("No letter could be written") == 1 and "the name" in page
    assert "Write it shorter, in one line" in page and "Tell the person" in page


def test_one_step_and_many_leave_the_same_trace_of_a_letter_that_could_not_be_written():
    single, bulk = (builders.make_case(state="reviewed", reviewer="Li") for _ in range(2))
    for case in (single, bulk):
        case.holder.name = "\u202e王"
        case.holder.save()
    told = {"by": builders.make_actor("approver", area=single.area), "at": NOON}
    services.take(single, "approve", request_id=request_id(), **told)
    services.approve_many([bulk.pk], request_id=request_id(), **told)
    first, second = ({name: value for name, value in vars(row).items() if name not in ("_state", "id", "subject_id")}
                     for row in Unwritten.objects.order_by("id"))
    assert first == second and {one.subject_id for one in Unwritten.objects.all()} == {single.pk, bulk.pk}


def test_another_office_does_not_see_that_a_letter_is_missing():
    case = builders.make_case(state="reviewed", reviewer="Li")
    case.holder.name = "\u202e王"
    case.holder.save()
    services.approve_many([case.pk], by=builders.make_actor("approver", area=case.area), request_id=request_id(),
                          at=NOON)
    other = builders.make_area(430702, name="武陵区")
    enter(connection, other.code, other.last)
    seen = Unwritten.objects.count()
    leave(connection)
    assert seen == 0
