"""A death that was reported: nothing stops before a second source, and what stopped by mistake leaves no gap (I10)."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

import builders
from builders import NOON
from stories import Story, brings, card_holder, under
from visits import Visitor
from zhengka.cards import queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder
from zhengka.web.staff.case_words import SOURCE_WORDS

pytestmark = pytest.mark.django_db
TERM = NOON.date() + dt.timedelta(10)
LATER = NOON + dt.timedelta(200)


def stopped(kind: str, reason: str) -> tuple[Certificate, Case]:
    """A holder whose card had ten days of its term left when a report of the kind was believed."""
    holder, certificate = card_holder()
    Card.objects.update(active_until=TERM)
    story = brings(kind, holder, reason=reason)
    if kind == "cancellation":
        story.take("accept")
    story.take("verify", "review", "approve")
    return certificate, story.case


def undone(case: Case, *, by=None, reason: str = "本人接听电话", at: dt.datetime = LATER, key=None) -> Case:
    return services.undo(case, reason, by=by or builders.make_actor(area=case.area),
                         request_id=key or builders.request_id(), at=at)


def test_who_reported_a_death_does_not_verify_it_and_a_second_source_is_named():
    holder, _ = card_holder()
    clerk, colleague = (builders.make_actor(area=holder.area) for _ in range(2))
    case = services.open_case("freeze", holder, by=clerk, request_id=builders.request_id(), at=NOON,
                              reason="death-reported")
    told = {"request_id": builders.request_id(), "at": NOON}
    with pytest.raises(Refusal, match="same-person"):
        services.verify(case, "hospital", "2026-118", by=clerk, **told)
    for source, reference in (("", "2026-118"), ("hospital", " "), ("a friend", "2026-118")):
        with pytest.raises(Refusal, match="source-missing"):
            services.verify(case, source, reference, by=colleague, **told)
    with pytest.raises(Refusal, match="step-not-open"):
        services.take(case, "verify", by=colleague, **told)
    services.verify(case, "hospital", " 2026-118 ", by=colleague, **told)
    facts = Event.objects.get(subject="case", subject_id=case.pk, action="verify").facts
    assert (facts["source"], facts["reference"]) == ("hospital", "2026-118")


def test_one_officer_restores_at_once_who_was_frozen_for_a_wrong_report_and_the_term_is_longer_by_the_frozen_days():
    certificate, case = stopped("freeze", "death-reported")
    clerk, key = builders.make_actor(area=case.area), builders.request_id()
    with pytest.raises(Refusal, match="reason-missing"):
        undone(case, by=clerk, reason=" ")
    with pytest.raises(Refusal, match="not-permitted"):
        undone(case, by=builders.make_actor("reviewer", area=case.area))
    with pytest.raises(Refusal, match="not-found"):
        undone(case, by=builders.make_actor(area=builders.make_area(430102)))
    undone(case, by=clerk, key=key)
    card, back = Card.objects.get(), Certificate.get(certificate.pk)
    assert (back.state, back.issued_on, back.valid_until) == ("valid", certificate.issued_on, certificate.valid_until)
    assert (card.state, card.active_until) == ("active", TERM + dt.timedelta(200))
    assert queries.gate_state(card, LATER) == "valid"
    told = Event.objects.get(subject="case", subject_id=case.pk, action="undo")
    assert (told.facts["reason"], told.person) == ("本人接听电话", clerk.person)
    with pytest.raises(Replayed):
        undone(case, by=clerk, key=key)
    with pytest.raises(Refusal, match="step-not-open"):
        undone(case)


def test_what_was_frozen_for_another_reason_is_not_lifted_by_one_officer():
    certificate, case = stopped("freeze", "under-inquiry")
    _, running = card_holder(), brings("freeze", card_holder()[0], reason="death-reported").case
    for each in (case, running):
        with pytest.raises(Refusal, match="step-not-open"):
            undone(each)
    assert Certificate.get(certificate.pk).state == "frozen"


def test_an_old_report_undoes_no_later_freeze():
    certificate, case = stopped("freeze", "death-reported")
    undone(case)
    holder = Holder.get(certificate.holder_id)
    again = brings("freeze", holder, reason="under-inquiry", at=LATER)
    again.take("verify", "review", "approve")
    with pytest.raises(Refusal, match="step-not-open"):
        undone(case, at=LATER + dt.timedelta(1))


def test_two_persons_who_lift_a_freeze_leave_no_gap_either():
    certificate, _ = stopped("freeze", "death-reported")
    brings("unfreeze", Holder.get(certificate.holder_id), at=LATER).take("accept", "review", "approve")
    assert Card.objects.get().active_until == TERM + dt.timedelta(200)


def test_a_wrong_death_is_undone_at_once_and_the_new_card_goes_on_with_the_term():
    certificate, case = stopped("cancellation", "death")
    undone(case)
    holder, back = Holder.get(certificate.holder_id), Certificate.get(certificate.pk)
    assert (holder.state, back.state, back.valid_until) == ("registered", "valid", certificate.valid_until)
    old, new = Card.objects.order_by("pk")
    left = TERM + dt.timedelta(200)
    assert (old.state, new.state, new.active_until) == ("cancelled", "ordered", left)
    Card.objects.filter(pk=new.pk).update(state="issued")
    assert queries.outlook(Card.get(new.pk), LATER).word == "never"
    new = cards.activate(Card.get(new.pk), by=builders.make_actor(area=case.area), request_id=builders.request_id(),
                         at=LATER)
    assert new.active_until == left.replace(year=left.year + 1), "the next term follows the one that was cut short"


@pytest.mark.parametrize(("card", "expired", "said"), [
    (True, False, "A new one was ordered"), (True, True, "The renewal of the certificate orders a new one"),
    (False, False, "")])
def test_the_page_says_that_the_old_card_stays_ended_after_a_wrong_death(card, expired, said):
    certificate, case = stopped("cancellation", "death")
    if not card:
        Card.objects.all().delete()
    if expired:
        Certificate.objects.filter(pk=certificate.pk).update(valid_until=NOON.date() + dt.timedelta(1))
    clerk, page = Visitor(builders.make_officer()), reverse("staff:case", args=[case.pk])
    before = clerk.get(page).content.decode()
    assert "The card that ended with the death stays ended" in before and "The old card stays ended" not in before
    clerk.act(reverse("staff:case-step", args=[case.pk]), action="undo", reason="本人接听电话")
    after = clerk.get(page).content.decode()
    assert "The card that ended with the death stays ended" in after, "said once, of what was done"
    assert said in after and ("The old card stays ended" in after) == card
    again = clerk.get(page).content.decode()
    assert said in again and "The card that ended with the death" not in again


def test_who_was_frozen_first_and_then_recorded_as_dead_gets_the_days_of_both():
    certificate, _ = stopped("freeze", "death-reported")
    later = NOON + dt.timedelta(50)
    story = brings("cancellation", Holder.get(certificate.holder_id), reason="death", at=later)
    story.take("accept", "verify", "review", "approve")
    undone(story.case)
    assert Card.objects.get(state="ordered").active_until == TERM + dt.timedelta(200)


def test_a_card_that_was_lost_before_has_the_frozen_days_when_it_is_found():
    holder, _ = card_holder()
    Card.objects.update(active_until=TERM)
    clerk = builders.make_actor(area=holder.area)
    cards.report_lost(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=NOON)
    story = brings("freeze", holder, reason="death-reported")
    story.take("verify", "review", "approve")
    undone(story.case)
    assert Card.objects.get().state == "suspended", "who is alive may still have lost the card"
    card = cards.report_found(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=LATER)
    assert (card.state, card.active_until) == ("active", TERM + dt.timedelta(200))


def test_a_frozen_card_that_is_lost_and_whose_holder_is_recorded_as_dead_has_the_days_since_the_freeze():
    certificate, _ = stopped("freeze", "death-reported")
    clerk, at = builders.make_actor(area=certificate.holder.area), NOON + dt.timedelta(20)
    cards.report_lost(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=at)
    story = brings("cancellation", Holder.get(certificate.holder_id), reason="death", at=at + dt.timedelta(30))
    story.take("accept", "verify", "review", "approve")
    undone(story.case)
    assert Card.objects.get(state="ordered").active_until == TERM + dt.timedelta(200)


def exchanging() -> tuple[Holder, Certificate]:
    """A holder whose card is on order, and the paper certificate that holds meanwhile."""
    holder = builders.make_holder()
    paper = builders.make_certificate(holder)
    builders.make_card(holder, state="ordered")
    return holder, paper


@pytest.mark.parametrize("by_two", [False, True])
def test_with_an_exchange_under_way_the_paper_certificate_comes_back_too(by_two):
    holder, paper = exchanging()
    ended = Certificate.objects.create(**{name: getattr(paper, name) for name in (
        "province", "area_id", "holder_id", "number", "number_index", "category", "grade", "issued_on", "valid_until")},
        generation=2, state="cancelled")
    story = brings("cancellation", holder, reason="death")
    story.take("accept", "verify", "review", "approve")
    if by_two:
        brings("restoration", Holder.get(holder.pk)).take("accept", "verify", "review", "approve")
    else:
        undone(story.case)
    assert Certificate.get(paper.pk).state == "valid" and Certificate.objects.get(generation=3).state == "valid"
    assert Certificate.get(ended.pk).state == "cancelled", "what ended otherwise stays as it is"
    assert sorted(Card.objects.values_list("state", flat=True)) == ["cancelled", "ordered"]


def test_where_the_city_looks_again_a_wrong_death_is_undone_as_well(tmp_path):
    with under("two-doctors", tmp_path):
        holder, certificate = card_holder()
        story = brings("cancellation", holder, reason="death")
        story.take("precheck", "accept", "verify", "review", "approve")
        clerk = builders.make_actor(area=holder.area)
        assert not services.may_undo(story.case, by=clerk), "nothing has ended yet"
        story.take("recheck", by=builders.make_actor("approver", area=holder.area.parent))
        assert Certificate.get(certificate.pk).state == "cancelled" and services.may_undo(story.case, by=clerk)
        undone(story.case, by=clerk)
    assert Certificate.get(certificate.pk).state == "valid"


def test_the_front_office_that_received_a_death_is_told_who_undoes_it(as_web):
    holder, _ = card_holder()
    away = builders.make_area(110101)
    clerk = builders.make_actor(area=away)
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    case = services.open_elsewhere("cancellation", services.Present(holder.name, number), by=clerk,
                                   request_id=builders.request_id(), at=NOON, reason="death")
    story = Story(case)
    story.take("accept", by=clerk)
    story.take("verify", "review", "approve")
    visitor = Visitor(builders.make_officer(area=away))
    as_web(away.code, away.last)
    case = Case.get(case.pk)
    assert not services.may_undo(case, by=clerk)
    with pytest.raises(Refusal, match="office-wrong"):
        undone(case, by=clerk)
    answer = visitor.act(f"/staff/cases/{case.pk}/step", action="undo", reason="本人接听电话")
    assert answer.status_code == 403 and "Another office takes this step" in answer.content.decode()
    assert visitor.get(f"/staff/cases/{case.pk}").status_code == 200


def test_a_cancellation_that_the_holder_wished_is_not_undone_by_one_officer():
    _, case = stopped("cancellation", "own-wish")
    with pytest.raises(Refusal, match="step-not-open"):
        undone(case)


def test_on_the_page_a_colleague_names_the_source_and_one_button_undoes_a_wrong_report():
    holder, certificate = card_holder()
    story = brings("freeze", holder, reason="death-reported", at=timezone.now())
    story.at, page = timezone.now(), f"/staff/cases/{story.case.pk}"
    clerk = Visitor(builders.make_officer(area=holder.area))
    assert 'name="source"' in clerk.get(page).content.decode()
    html = clerk.act(f"{page}/step", action="verify", source="call", reference="").content.decode()
    assert "There is a problem" in html and Case.get(story.case.pk).state == "reported"
    clerk.act(f"{page}/step", action="verify", source="call", reference="2026-11-26 13:05")
    html = clerk.get(page).content.decode()
    assert "A telephone call" in html and "2026-11-26 13:05" in html and 'value="undo"' not in html
    story.case = Case.get(story.case.pk)
    story.take("review", "approve")
    reviewer = Visitor(builders.make_officer("reviewer", area=holder.area))
    assert 'value="undo"' not in reviewer.get(page).content.decode()
    assert 'value="undo"' in clerk.get(page).content.decode()
    clerk.act(f"{page}/step", action="undo", reason="本人接听电话")
    assert Certificate.get(certificate.pk).state == "valid"
    html = clerk.get(page).content.decode()
    assert "Undo: the report was wrong" in html and 'value="undo"' not in html


def test_every_second_source_has_its_words():
    assert tuple(SOURCE_WORDS) == services.SOURCES
