"""Letters that keep to the facts: days that the region promises, what may be disputed, who is written to."""

import datetime as dt
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.urls import reverse

import builders
from builders import NOON, make_officer, request_id
from stories import HAND, LEG, Story, applies, brings, card_holder, person, under
from telling import letters
from visits import Visitor
from zhengka.cards import activation, rules
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import book, services
from zhengka.cases.models import Case
from zhengka.cases.services import wording
from zhengka.core.dated import read
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.papers.rules import PAPERS
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
SHORT = "print"


def words(template: str) -> str:
    return "\n".join(contents.words(Letter.objects.get(template=template, channel=SHORT)).paragraphs)


def on_paper(**more):
    return person(**{"phone": "", **more})


def test_why_a_kind_of_case_is_closed_is_true_of_the_holder():
    assert services.unopened("unfreeze", card_holder()[0], at=NOON) == "certificate-not-frozen"
    holder = builders.make_holder()
    certificate = builders.make_certificate(holder, generation=3)
    Certificate.objects.filter(pk=certificate.pk).update(state="cancelled")
    assert {services.unopened(kind, holder, at=NOON) for kind in ("damage", "unfreeze", "change")} == {
        "certificate-ended"}
    assert services.unopened("damage", builders.make_holder(), at=NOON) == "certificate-missing"


# ---- days ------------------------------------------------------------------------------------------------------------


def test_an_acceptance_names_the_day_that_all_limits_of_the_region_add_up_to(tmp_path):
    with under("quick", tmp_path):
        story = brings("loss", card_holder()[0])
        story.take("accept")
        assert book.pinned("quick", "loss").promised(story.case.state) == 3
    assert "2026年11月25日" in words("acceptance"), "Friday 20 November and three working days"


def test_where_a_step_has_no_limit_an_acceptance_promises_no_day(tmp_path):
    with under("quick", tmp_path):
        applies(on_paper()).take("accept")
    assert not Letter.objects.filter(template="acceptance").exists()
    assert "以前告诉您结果" not in words("acceptance-undated")


def test_who_is_accepted_with_papers_to_follow_hears_which_and_by_when_and_the_page_says_the_same_day():
    story = applies(on_paper())
    story.take("accept")
    told = words("acceptance-undated")
    assert "事项：申领。" in told and "您现在不用做别的事" not in told
    assert "还要补交：户口簿、证件照片。请在2026年12月21日以前交来。" in told, "20 December is a Sunday"
    assert services.papers_awaited(story.case) == dt.date(2026, 12, 21)
    story.bring_papers()
    assert services.papers_awaited(story.case) is None


def test_who_brought_every_paper_has_nothing_to_do():
    story = applies(on_paper())
    story.bring_papers()
    services.take(story.case, "accept", by=story.by("clerk"), request_id=request_id(), at=story.at)
    assert "您现在不用做别的事。" in words("acceptance-undated")


def test_a_letter_of_missing_papers_names_all_of_them_the_matter_and_the_day_that_the_page_names():
    story = brings("damage", card_holder()[0])
    page = Visitor(make_officer("clerk", area=story.case.area))
    url = reverse("staff:case", args=[story.case.pk])
    filled = names_on(page.get(url).content.decode())
    assert filled, "the form is filled in"
    story.take("return_papers", reason=f"{filled}；要原件")
    told = words("papers-missing")
    missing = "、".join(PAPERS[need.paper][0] for need in services.papers_missing(story.case))
    assert f"{missing}；要原件\n" in told and "残疾人证申请" not in told and "2026年12月21日" in told
    assert wording.MATTERS["damage"].zh in told
    assert "2026-12-21" in page.get(url).content.decode()


def names_on(html: str) -> str:
    """What the form of missing papers is filled in with."""
    form = html.partition('id="id_return_papers_reason"')[2]
    return form.partition(">")[2].partition("</textarea>")[0].strip()


@pytest.mark.parametrize(("policy", "said"), [("quick", "acceptance"), ("measures-2017", "acceptance-undated")])
def test_a_departure_that_is_asked_for_is_acknowledged(policy, said, tmp_path):
    with under("quick", tmp_path) if policy == "quick" else nullcontext():
        story = brings("transfer_out_city", card_holder()[0], at=NOON)
        assert letters(story.case) == [], "what an office noted is no application"
        story.take("request")
        assert letters(story.case) == [said]


def test_who_confirms_an_exchange_is_not_written_to_once_more():
    story = brings("exchange", builders.make_certificate(builders.make_holder()).holder)
    story.take("confirm")
    assert "acceptance" not in " ".join(letters(story.case))


# ---- what may be disputed --------------------------------------------------------------------------------------------


def ways(case: Case) -> bool:
    return "ways-to-dispute" in letters(case)


def fails(kind: str) -> Story:
    """A renewal or exchange in which two doctors found no disability any more, and that was refused so."""
    holder, certificate = card_holder()
    if kind == "renewal":
        Certificate.objects.filter(pk=certificate.pk).update(
            issued_on=dt.date(2017, 1, 1), valid_until=dt.date(2027, 1, 1))
    story = brings(kind, holder)
    story.take("precheck", "accept", "book")
    story.assess(None)
    story.take("countersign", by=builders.make_actor("assessor", area=holder.area))
    story.take("fail")
    return story


def hears(story: Story, found) -> Case:
    """The city assesses anew, by doctors of its own."""
    case = services.dispute("dispute_city", story.case, by=builders.make_actor(area=story.case.area.parent),
                            request_id=builders.request_id(), at=story.at)
    dispute, city = Story(case, at=story.at), case.area.parent
    for step in ("accept", "book"):
        dispute.take(step, by=dispute.by("clerk", city))
    dispute.assess(found)
    dispute.take("countersign", by=builders.make_actor("assessor", area=case.area))
    for step in ("review", "approve"):
        dispute.take(step, by=dispute.by({"review": "reviewer"}.get(step, "approver"), city))
    return dispute.case


def test_a_renewal_that_doctors_refused_may_be_disputed_and_the_city_s_finding_grants_it(tmp_path):
    with under("two-doctors", tmp_path):
        story = fails("renewal")
        assert ways(story.case) and services.disputable(story.case, story.at) == "dispute_city"
        hears(story, LEG)
    now = Certificate.objects.get(state="valid")
    assert now.valid_until == dt.date(2036, 11, 20) and Card.objects.filter(state="ordered").count() == 1


def test_a_dispute_of_a_refused_renewal_that_finds_nothing_takes_nothing_away(tmp_path):
    with under("two-doctors", tmp_path):
        hears(fails("renewal"), None)
    assert Certificate.objects.get().state == "valid" and Card.objects.get().state == "active"


def test_what_no_doctor_had_a_part_in_promises_no_dispute_and_a_grade_does():
    story = brings("damage", card_holder()[0])
    story.take("accept", "review", "refuse")
    assert not ways(story.case) and not services.disputable(story.case, story.at)
    graded = applies()
    graded.take("accept", "book")
    graded.assess(HAND)
    graded.notice()
    assert ways(graded.take("review", "approve")) and services.disputable(graded.case, graded.at)
    frozen = brings("freeze", card_holder()[0], reason="under-inquiry")
    frozen.take("verify", "review", "approve")
    assert not ways(frozen.case) and "异议" not in words("case-done")


def test_the_days_of_a_dispute_are_those_of_the_region(tmp_path):
    with under("quick", tmp_path):
        story = applies(on_paper())
        story.take("accept", "book")
        story.assess(None)
        story.take("fail")
    assert "一共有15个工作日" in words("ways-to-dispute")


# ---- who is written to -----------------------------------------------------------------------------------------------


def test_a_departure_that_was_approved_says_that_nothing_has_moved_and_until_when_to_go():
    story = brings("transfer_out_city", card_holder()[0], to=builders.make_area(430102, name="芙蓉区").pk,
                   moved="2026-11-01")
    story.take("request", "review", "approve")
    assert letters(story.case) == ["acceptance-undated", "departure-confirmed"]
    text = words("departure-confirmed")
    assert "还没有迁过去" in text and "芙蓉区" in text and f"{story.case.freezes_on.month}月" in text


def test_nobody_writes_to_the_dead():
    story = brings("cancellation", card_holder()[0], reason="death")
    story.take("accept", "verify", "review", "approve")
    assert letters(story.case) == []


def test_a_child_s_letters_go_to_the_guardian_by_the_guardian_s_phone():
    child = person(id_number=builders.make_id_number(born=dt.date(2020, 6, 1)), guardian_name="石山",
                   guardian_phone="13800000009", phone="13900000001")
    story = applies(child)
    story.take("accept")
    letter = Letter.objects.get(template="acceptance-undated")
    to = contents.recipient(letter)
    assert (letter.channel, to.phone) == ("sms", "13800000009") and to.name.startswith("石山")
    story.take("book")
    story.assess(LEG)
    story.take("review", "approve")
    card = Card.objects.get()
    Card.objects.filter(pk=card.pk).update(state="ready")
    assert cards.tell_ready([card.pk], at=NOON) == 1
    assert contents.recipient(Letter.objects.get(template="card-ready")).phone == "13800000009"
    assert Holder.objects.get().name == "石榴"


def test_a_reminder_asks_nobody_to_come_before_the_window_and_names_what_stops_in_the_region():
    policy = rules.load(read(settings.DATA / "policies" / "sanmenxia.toml")).activation
    ends = dt.date(2027, 8, 31)
    opens = activation.opens(policy, activation.Dates(ends))
    holder = builders.make_holder(area=builders.make_area(411202))
    card = builders.make_card(holder, state="active")
    Card.objects.filter(pk=card.pk).update(active_until=ends)
    for days in (60, 30):
        cards.remind(at=NOON.replace(year=ends.year, month=ends.month, day=ends.day) - dt.timedelta(days))
    ahead = words("activation-ahead")
    assert f"{opens.month}月{opens.day}日起可以激活" in ahead and "现在还不能激活" in ahead
    for text in (ahead, words("activation-reminder")):
        assert "会停的有：乘车。" in text and "补贴" not in text
