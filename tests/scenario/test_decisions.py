"""Decisions (审核、批准): the same guards for one case and many, a guardian proved, a page that is no older."""

import datetime as dt

import pytest
from django.utils import timezone

import builders
from builders import NOON
from papers_brought import Upload
from portraits import make_photo
from stories import Story, applies, brings, card_holder, person, under
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.papers import services as papers
from zhengka.papers.queries import Subject
from zhengka.registry.models import Certificate
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db
EAR_AND_MIND = Finding(7, 1, ((2, 2), (6, 1)))


def asked(at=NOON) -> dict:
    return {"request_id": builders.request_id(), "at": at}


def child(found: Finding | None) -> Story:
    """A minor who was assessed by two doctors and reviewed, where the city looks again."""
    born = builders.make_id_number(born=dt.date(2015, 6, 1))
    story = applies(person(id_number=born, guardian_name="石山"))
    story.take("precheck", "accept", "book")
    story.assess(found)
    story.take("countersign", by=builders.make_actor("assessor", area=story.case.area))
    story.take("review")
    return story


def proves(story: Story) -> None:
    """The proof of the guardian is brought."""
    subject = Subject("case", story.case.pk, story.case.area_id)
    papers.add_paper(subject, Upload("guardian-proof", "证明.jpg", make_photo()), by=story.by("clerk"), **asked())


def barred(story: Story) -> None:
    """The category that was found was cancelled last month."""
    had = builders.make_certificate(builders.make_holder(area=story.case.area))
    Certificate.objects.filter(pk=had.pk).update(state="cancelled", barred_until="2027-10-01")
    Case.objects.filter(pk=story.case.pk).update(person_index=bytes(had.holder.id_index), holder=had.holder)
    story.case = Case.get(story.case.pk)


@pytest.mark.parametrize(("found", "spoil", "code"), [
    (None, None, "standard-not-met"), (Finding(4, 2), barred, "category-barred")])
def test_where_the_city_looks_again_many_are_refused_what_one_is(found, spoil, code, tmp_path):
    with under("two-doctors", tmp_path):
        story = child(found)
        if spoil:
            spoil(story)
        approver = builders.make_actor("approver", area=story.case.area)
        with pytest.raises(Refusal, match=code):
            services.take(story.case, "approve", by=approver, **asked())
        done = services.approve_many([story.case.pk], by=approver, **asked())
        assert (done.moved, done.left) == (0, {code: 1}) and Case.get(story.case.pk).state == "reviewed"


def reviewed(**more) -> Case:
    return builders.make_case(state="reviewed", reviewer="someone", **more)


def test_a_card_certificate_that_ended_keeps_nobody_from_the_exchange_alone_or_among_many():
    cases = [reviewed(), reviewed(), reviewed()]
    for case in cases[:2]:
        had = builders.make_certificate(case.holder, generation=3)
        Certificate.objects.filter(pk=had.pk).update(state="cancelled")
    approver = builders.make_actor("approver", area=cases[0].area)
    services.take(cases[0], "approve", by=approver, **asked())
    done = services.approve_many(None, by=approver, **asked())
    assert (done.moved, done.left) == (2, {})
    assert {Case.get(case.pk).state for case in cases} == {"ordered"}
    assert Card.objects.filter(state="ordered").count() == 3


def test_one_case_that_contradicts_what_is_kept_is_named_and_left_and_the_others_move():
    cases = [reviewed(), reviewed(), reviewed()]
    mine, stranger = Certificate.objects.get(holder=cases[1].holder), builders.make_holder()
    theirs = builders.make_certificate(stranger, generation=3)
    Certificate.objects.filter(pk=theirs.pk).update(number_index=bytes(mine.number_index))
    done = services.approve_many(None, by=builders.make_actor("approver", area=cases[0].area), **asked())
    assert (done.moved, done.left) == (2, {"row-contradicts": 1})
    assert [Case.get(case.pk).state for case in cases] == ["ordered", "reviewed", "ordered"]


def needed(story: Story) -> list[str]:
    return [need.paper for need in services.papers_needed(Case.get(story.case.pk))]


def test_who_applies_for_a_multiple_disability_is_asked_for_a_guardian_until_the_doctors_know_the_parts():
    story = applies(person(), wanted=7)
    assert "guardian-proof" in needed(story)
    story.take("accept", "book")
    story.assess(Finding(7, 2, ((1, 2), (4, 3))))
    assert "guardian-proof" not in needed(story)
    story.notice()
    assert story.take("review", "approve").state == "ordered"


@pytest.mark.parametrize("kind", ["new", "change"])
def test_a_part_of_the_mind_is_decided_on_only_with_the_proof_of_the_guardian(kind):
    story = applies(person(), wanted=7) if kind == "new" else brings("change", card_holder()[0], wanted=7)
    story.take("accept", "book")
    story.assess(EAR_AND_MIND)
    story.notice()
    assert "guardian-proof" in needed(story)
    with pytest.raises(Refusal, match="guardian-unproved"):
        story.take("review")
    done = services.review_many([story.case.pk], by=story.by("reviewer"), **asked(story.at))
    assert done.left == {"guardian-unproved": 1}
    proves(story)
    assert story.take("review", "approve").state == "ordered"


def two_findings() -> tuple[Case, Story]:
    """A case as an approver saw it, and the same after it went back and was assessed anew."""
    story = applies(at=timezone.now())
    story.take("accept", "book")
    story.assess(Finding(4, 2))
    story.notice(days=15)
    story.take("review")
    seen = Case.get(story.case.pk)
    story.take("send_back_to_review", "reassess", "book")
    story.assess(Finding(4, 4))
    story.notice(days=15)
    story.take("review")
    return seen, story


def test_a_case_that_changed_since_the_approver_saw_it_is_not_approved_unseen():
    seen, story = two_findings()
    approver = builders.make_actor("approver", area=story.case.area)
    with pytest.raises(Refusal, match="case-changed"):
        services.take(seen, "approve", by=approver, **asked(story.at))
    assert Case.get(seen.pk).state == "reviewed" and not Certificate.objects.exists()
    key = asked(story.at)
    services.take(Case.get(seen.pk), "approve", by=approver, **key)
    with pytest.raises(Replayed):
        services.take(seen, "approve", by=approver, **key)


def test_the_page_carries_what_it_showed_and_who_has_the_case_on_the_desk_is_no_matter():
    seen, _story = two_findings()
    approver = Visitor(builders.make_officer("approver", area=seen.area))
    html = approver.get(f"/staff/cases/{seen.pk}").content.decode()
    assert f"/staff/cases/{seen.pk}/step?seen={Case.get(seen.pk).version}" in html
    old = approver.act(f"/staff/cases/{seen.pk}/step?seen={seen.version}", action="approve")
    assert old.status_code == 409 and "The case changed meanwhile" in old.content.decode()
    case = Case.get(seen.pk)
    services.take_on(case, seen=case.assignee_id, by=builders.make_actor("reviewer", area=case.area), **asked())
    assert approver.act(f"/staff/cases/{seen.pk}/step?seen={case.version}", action="approve").status_code == 302
    assert Case.get(seen.pk).state == "ordered"


def test_the_same_request_with_another_person_s_data_is_refused_and_a_true_repeat_is_one_case():
    area = builders.make_area()
    clerk, key, first = builders.make_actor(area=area), asked(), person()
    services.apply(first, 4, area, by=clerk, **key)
    with pytest.raises(Replayed):
        services.apply(first, 4, area, by=clerk, **key)
    for who, wanted in ((person(name="另一人"), 1), (first, 1)):
        with pytest.raises(Refusal, match="request-id-reused"):
            services.apply(who, wanted, area, by=clerk, **key)
    holder, _certificate = card_holder()
    with pytest.raises(Refusal, match="request-id-reused"):
        services.open_case("loss", holder, by=clerk, **key)
    assert Case.objects.count() == 1
