"""A loss that came to nothing: the report stands until the card is found and somebody lifts it, or another is made."""

import pytest
from django.urls import reverse
from django.utils import timezone

import builders
from builders import NOON
from stories import Story, brings, card_holder
from telling import letters
from visits import Visitor
from zhengka.cards import queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
ENDINGS = [("decline",), ("accept", "review", "refuse")]


def lost(*ending: str) -> tuple[Holder, Story]:
    """A holder whose case of a loss came to nothing."""
    holder, _ = card_holder()
    story = brings("loss", holder, at=timezone.now())
    story.take(*ending)
    return holder, story


def at_the_gate() -> str:
    return queries.gate_state(Card.objects.get(), NOON)


def lifts(case: Case, by: Actor | None = None, key=None) -> Case:
    return services.lift_loss(case, by=by or builders.make_actor(area=case.area), at=NOON,
                              request_id=key or builders.request_id())


def page(case: Case, role: str = "clerk", area=None) -> str:
    officer = builders.make_officer(role, area=area or case.area)
    return Visitor(officer).get(reverse("staff:case", args=[case.pk])).content.decode()


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_report_stands_though_no_other_card_is_made_and_page_and_letter_say_what_to_do(ending):
    _holder, story = lost(*ending)
    assert at_the_gate() == "suspended"
    html = page(story.case)
    assert "The card is still refused" in html and reverse("staff:case-lift-loss", args=[story.case.pk]) in html
    assert "Open another case of the loss" in html
    assert "The card is still refused" not in page(story.case, "reviewer"), "who may not lift it is not asked to"
    assert "generic" in letters(story.case), "the holder reads how the card comes back"


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_card_that_was_found_goes_back_and_both_histories_say_so(ending):
    holder, story = lost(*ending)
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    url = reverse("staff:case-lift-loss", args=[story.case.pk])
    assert clerk.act(url).status_code == 302 and at_the_gate() == "valid"
    case = Case.get(story.case.pk)
    assert case.state == story.case.state
    assert Event.objects.get(subject="case", subject_id=case.pk, version=case.version).action == "lift_loss"
    assert Event.objects.get(subject="card", action="report_found").person
    html = page(case)
    assert "The card is still refused" not in html and "The card was found: lift the report" in html
    with pytest.raises(Refusal, match="step-not-open"):
        lifts(case)


def test_a_repeat_lifts_nothing_twice_and_who_may_not_is_refused():
    _holder, story = lost("decline")
    with pytest.raises(Refusal, match="not-permitted"):
        lifts(story.case, builders.make_actor("reviewer", area=story.case.area))
    with pytest.raises(Refusal, match="not-found"):
        lifts(story.case, builders.make_actor(area=builders.make_area(430102)))
    key, clerk = builders.request_id(), builders.make_actor(area=story.case.area)
    lifts(story.case, clerk, key)
    with pytest.raises(Replayed):
        lifts(story.case, clerk, key)


def test_while_another_case_of_the_loss_is_open_the_old_one_lifts_nothing():
    holder, story = lost("decline")
    again = brings("loss", Holder.get(holder.pk))
    assert "The card is still refused" not in page(story.case)
    with pytest.raises(Refusal, match="step-not-open"):
        lifts(story.case)
    again.take("accept", "review", "approve")
    assert sorted(Card.objects.values_list("state", flat=True)) == ["cancelled", "ordered"], "barred for ever by then"
    with pytest.raises(Refusal, match="step-not-open"):
        lifts(story.case)


def test_a_second_case_that_is_withdrawn_for_the_card_was_found_lets_go_what_the_first_one_blocked():
    holder, _story = lost("decline")
    brings("loss", Holder.get(holder.pk)).take("withdraw")
    assert at_the_gate() == "valid"


def test_no_report_is_lifted_of_a_certificate_that_is_frozen():
    holder, story = lost("decline")
    brings("freeze", Holder.get(holder.pk), reason="under-inquiry").take("verify", "review", "approve")
    with pytest.raises(Refusal, match="certificate-not-valid"):
        lifts(story.case)
    brings("unfreeze", Holder.get(holder.pk)).take("accept", "review", "approve")
    lifts(story.case)
    assert at_the_gate() == "valid"


def test_the_office_of_another_province_lifts_what_it_had_blocked_and_nothing_else():
    holder, _ = card_holder()
    away = builders.make_area(110101)
    number, clerk = fields.open_(bytes(holder.id_number), "holder.id_number"), builders.make_actor(area=away)
    case = services.open_elsewhere("loss", services.Present(holder.name, number), by=clerk,
                                   request_id=builders.request_id(), at=NOON)
    services.take(case, "decline", by=clerk, request_id=builders.request_id(), at=NOON, reason="no papers")
    html = page(Case.get(case.pk), area=away)
    assert "The card is still refused" in html and reverse("staff:case-elsewhere-kind", args=["loss"]) in html
    lifts(Case.get(case.pk), clerk)
    assert at_the_gate() == "valid"
    cards.report_lost(Card.objects.get(), by=builders.make_actor(area=holder.area), request_id=builders.request_id(),
                      at=NOON)
    with pytest.raises(Refusal, match="step-not-open"):
        lifts(Case.get(case.pk), clerk)
    lifts(Case.get(case.pk))
    assert at_the_gate() == "valid" and Certificate.objects.get().state == "valid"
