"""Between two papers: a card is lost, found, damaged or changed while another is on order; no term is shortened."""

import datetime as dt

import pytest

import builders
from builders import NOON
from stories import HAND, LEG, Story, brings, card_holder
from zhengka.cards import queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
FAR = dt.date(2028, 2, 15)


def act(verb, card: Card, *, at: dt.datetime = NOON) -> Card:
    return verb(Card.get(card.pk), by=builders.make_actor(area=card.area), request_id=builders.request_id(), at=at)


def found(story: Story, what=HAND) -> None:
    """Accepted, assessed, publicised and decided."""
    story.take("accept", "book")
    story.assess(what)
    story.notice()
    story.take("review", "approve")


def decided(kind: str, holder: Holder) -> None:
    if kind == "change":
        found(brings(kind, holder))
    else:
        told = {"id_number": builders.make_id_number()} if kind == "correction" else {}
        brings(kind, holder, **told).take("accept", "review", "approve")


def standing() -> str:
    return queries.gate_state(Card.objects.get(), NOON)


# ---- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["loss", "damage", "change", "correction"])
@pytest.mark.parametrize("many", [False, True])
def test_the_first_activation_of_a_new_card_ends_no_earlier_than_the_term_that_ran(kind, many):
    holder, _ = card_holder()
    Card.objects.update(active_until=FAR)
    decided(kind, holder)
    new = Card.objects.get(state="ordered")
    Card.objects.filter(pk=new.pk).update(state="issued")
    if many:
        cards.activate_many([new.pk], by=builders.make_actor(area=holder.area), request_id=builders.request_id(),
                            at=NOON)
    else:
        act(cards.activate, new)
    new = Card.get(new.pk)
    assert (new.state, new.active_until) == ("active", FAR)
    assert Event.objects.get(subject="card", subject_id=new.pk, action="activate").facts["until"] == FAR.isoformat()


def test_the_term_of_a_card_whose_certificate_was_cancelled_is_nobodys():
    holder, _ = card_holder()
    Card.objects.update(active_until=FAR)
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    new = builders.make_card(holder, state="issued", certificate=registry.issue(
        holder, registry.Content(registry.number_of(Certificate.objects.get()), (NOON.date(), dt.date(2036, 1, 1))),
        by=builders.make_actor("approver", area=holder.area), request_id=builders.request_id(), at=NOON))
    assert act(cards.activate, new).active_until == dt.date(2027, 11, 20)


def test_a_dispute_that_gives_a_certificate_back_gives_its_term_back_too():
    holder, _ = card_holder()
    Card.objects.update(active_until=FAR)
    unmet = brings("cancellation_unmet", holder)
    unmet.take("accept", "book")
    unmet.assess(None)
    unmet.take("review", "approve")
    city = holder.area.parent
    dispute = brings("dispute_city", Holder.get(holder.pk), disputed=unmet.case.pk, at=NOON + dt.timedelta(3))
    dispute.take("accept", "book", by=dispute.by("clerk", city))
    dispute.assess(LEG)
    dispute.take("review", by=dispute.by("reviewer", city))
    dispute.take("approve", by=dispute.by("approver", city))
    assert Card.objects.get(state="ordered").active_until == FAR + dt.timedelta(3)


# ---- lost and found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["change", "correction", "damage"])
def test_the_old_card_is_found_while_it_is_the_one_that_is_used(kind):
    holder, _ = card_holder()
    decided(kind, holder)
    old = Card.objects.get(state="active")
    act(cards.report_lost, old)
    assert queries.gate_state(act(cards.report_found, old), NOON) == "valid"


def test_the_old_card_is_not_found_while_what_took_the_place_of_its_certificate_is_frozen():
    holder, _ = card_holder()
    decided("change", holder)
    old = Card.objects.get(state="active")
    act(cards.report_lost, old)
    brings("freeze", Holder.get(holder.pk), reason="under-inquiry").take("verify", "review", "approve")
    with pytest.raises(Refusal, match="state=frozen"):
        act(cards.report_found, old)


def on_order() -> tuple[Holder, Certificate]:
    """A holder of a paper certificate whose card is on order."""
    holder = builders.make_holder()
    paper = builders.make_certificate(holder)
    builders.make_card(holder, state="ordered")
    return holder, paper


@pytest.mark.parametrize(("kind", "suffix"), [("loss", "42B1"), ("change", "43")])
def test_the_paper_ends_with_the_certificate_that_took_its_place_before_the_card_came(kind, suffix):
    holder, paper = on_order()
    decided(kind, holder)
    new = Certificate.objects.get(state="valid")
    assert (Certificate.get(paper.pk).state, new.generation) == ("replaced", 3)
    assert str(registry.number_of(new)).endswith(suffix) and new.replacement == (1 if kind == "loss" else 0)
    assert Card.objects.get(state="ordered").certificate_id == new.pk


# ---- a case of a loss ------------------------------------------------------------------------------------------------


def test_gates_refuse_a_card_from_the_moment_a_case_of_its_loss_is_opened():
    holder, _ = card_holder()
    story = brings("loss", holder)
    assert standing() == "suspended"
    story.take("accept", "review", "approve")
    assert {card.state for card in Card.objects.all()} == {"cancelled", "ordered"}


def test_the_card_is_accepted_again_where_its_holder_found_it_and_withdraws_the_case():
    holder, _ = card_holder()
    brings("loss", holder).take("withdraw")
    assert standing() == "valid"


def test_a_card_that_was_reported_lost_before_stays_blocked_though_the_case_is_withdrawn():
    holder, _ = card_holder()
    act(cards.report_lost, Card.objects.get())
    brings("loss", holder).take("withdraw")
    assert standing() == "suspended"
    act(cards.report_found, Card.objects.get())
    story = brings("loss", Holder.get(holder.pk))
    Card.objects.update(state="frozen")
    Card.objects.update(state="suspended")
    Certificate.objects.update(state="frozen", frozen_for="under-inquiry")
    story.take("withdraw")
    assert standing() == "suspended", "nor where the certificate was frozen meanwhile"


def test_an_office_of_another_province_blocks_the_card_of_whoever_lost_it_there():
    holder, _ = card_holder()
    away = builders.make_area(110101)
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    clerk = builders.make_actor(area=away)
    case = services.open_elsewhere("loss", services.Present(holder.name, number), by=clerk,
                                   request_id=builders.request_id(), at=NOON)
    assert standing() == "suspended"
    told = Event.objects.get(subject="card", action="report_lost")
    assert (told.person, told.area, told.facts) == (clerk.person, holder.area_id, {"record": case.pk})
    services.take(Case.get(case.pk), "withdraw", by=clerk, request_id=builders.request_id(), at=NOON, reason="found")
    assert standing() == "valid"


# ---- what has run out ------------------------------------------------------------------------------------------------


def test_what_ran_out_while_it_was_cancelled_is_not_restored_and_no_card_is_made_of_it():
    holder, _ = card_holder()
    Certificate.objects.update(issued_on=dt.date(2017, 1, 1), valid_until=dt.date(2026, 12, 1))
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    with pytest.raises(Refusal, match="certificate-expired"):
        brings("restoration", Holder.get(holder.pk), at=NOON.replace(year=2027))


def test_who_was_taken_for_dead_while_the_certificate_ran_out_lives_and_renews_it():
    holder, certificate = card_holder()
    Certificate.objects.update(issued_on=dt.date(2017, 1, 1), valid_until=dt.date(2026, 12, 1))
    brings("cancellation", holder, reason="death").take("accept", "verify", "review", "approve")
    later = NOON.replace(year=2027)
    brings("restoration", Holder.get(holder.pk), at=later).take("accept", "verify", "review", "approve")
    assert Certificate.get(certificate.pk).state == "valid" and not Card.objects.filter(state="ordered").exists()
    brings("renewal", Holder.get(holder.pk), at=later).take("accept", "review", "approve")
    assert Card.objects.get(state="ordered").valid_until == dt.date(2037, 11, 20)
