"""A batch that never comes back from its maker (未回盘) is given up by two persons, and nobody waits for its cards."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

import batches
import builders
from builders import NOON, request_id
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.invariants import run
from zhengka.production import queries, services
from zhengka.production.invariants import CHECKS
from zhengka.production.models import Batch, Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(area, maker):
    for _ in range(3):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def told(by) -> dict:
    return {"by": by, "request_id": request_id(), "at": NOON}


def given_up(batch: Batch) -> Batch:
    services.propose_unanswered(batch, **told(batches.producer(batch.area)))
    return services.declare_unanswered(batch, **told(batches.producer(batch.area)))


def test_one_proposes_another_declares_and_each_card_is_missing_and_ordered_anew(sent):
    first, second = batches.producer(sent.area), batches.producer(sent.area)
    with pytest.raises(Refusal, match="unanswered-not-proposed"):
        services.declare_unanswered(sent, **told(first))
    services.propose_unanswered(sent, **told(first))
    assert batches.states(sent) == {"sent": 3}
    with pytest.raises(Refusal, match="step-not-open"):
        services.propose_unanswered(sent, **told(second))
    with pytest.raises(Refusal, match="same-person"):
        services.declare_unanswered(sent, **told(first))
    asked = told(second)
    batch = services.declare_unanswered(sent, **asked)
    assert (batch.state, batch.prepared, batch.good, batch.suspect, batch.erase_on is None) == (
        "closed", 3, 0, 3, False)
    assert batches.states(batch) == {"missing": 3}
    assert [found.code for found in queries.findings(batch)] == ["card-missing"] * 3
    anew = Card.objects.filter(state="ordered")
    assert set(anew.values_list("holder", flat=True)) == set(
        Card.objects.filter(items__batch=batch).values_list("holder", flat=True))
    with pytest.raises(Replayed):
        services.declare_unanswered(sent, **asked)
    assert anew.count() == 3
    assert not [check.name for check in CHECKS if run(check).broken]


def test_the_cards_are_declared_lost_or_turn_up_like_every_missing_card(sent):
    batch = given_up(sent)
    ids = list(Item.objects.filter(batch=batch).order_by("position").values_list("card", flat=True))
    one, other = batches.producer(sent.area), batches.producer(sent.area)
    assert cards.propose_lost_many(ids[:1], **told(one)).moved == 1
    assert cards.declare_lost_many(ids[:1], **told(other)).moved == 1
    cards.turn_up_many(ids[1:2], **told(one))
    assert batches.states(batch) == {"lost": 1, "suspect": 1, "missing": 1}


def test_a_batch_that_is_waited_for_after_all_comes_back(sent, home):
    services.propose_unanswered(sent, **told(batches.producer(sent.area)))
    services.keep_waiting(sent, **told(batches.producer(sent.area)))
    with pytest.raises(Refusal, match="unanswered-not-proposed"):
        services.keep_waiting(sent, **told(batches.producer(sent.area)))
    assert batches.receive(Batch.get(sent.pk), batches.make_cards(sent, home)).good == 3


def test_results_that_come_too_late_are_refused_by_name_and_change_nothing(sent, home):
    results = batches.make_cards(sent, home)
    batch = given_up(sent)
    with pytest.raises(Refusal, match="batch-given-up"):
        batches.receive(batch, results)
    assert batches.states(batch) == {"missing": 3}


def test_a_card_that_ended_while_it_was_away_is_missing_and_nobody_gets_another(sent):
    card = Card.objects.filter(items__batch=sent).first()
    cards.cancel_all(card.holder_id, **told(builders.make_actor("approver", area=sent.area)))
    batch = given_up(sent)
    assert batches.states(batch) == {"missing": 3}
    assert Card.objects.filter(state="ordered").count() == 2
    assert not Card.objects.filter(state="ordered", holder=card.holder_id).exists()


def test_the_database_holds_that_two_persons_gave_a_batch_up(sent):
    batch = given_up(sent)
    for change in ({"missed_person": batch.given_up_person}, {"missed_person": ""}, {"state": "received"}):
        with pytest.raises(IntegrityError, match="batch_given_up_by_two"), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(**change)


def test_two_officers_give_a_batch_up_on_its_page_and_the_second_is_asked_once_more(sent):
    first, second = (Visitor(builders.make_officer("producer", area=sent.area)) for _ in range(2))
    page, step = reverse("staff:batch", args=[sent.pk]), "staff:batch-step"
    first.act(reverse(step, args=[sent.pk, "propose_unanswered"]))
    assert "It is proposed that this batch does not come back" in first.get(page).content.decode()
    declare = reverse(step, args=[sent.pk, "declare_unanswered"])
    assert declare not in first.get(page).content.decode() and declare in second.get(page).content.decode()
    assert "Will this batch never come back?" in second.act(declare).content.decode()
    assert Batch.get(sent.pk).state == "sent"
    second.act(declare, sure="1")
    assert "This batch never came back" in second.get(page).content.decode()
    assert batches.states(sent) == {"missing": 3}


def test_the_page_refuses_results_of_a_maker_that_was_revoked_by_name(sent, maker, home):
    results = batches.make_cards(sent, home)
    services.revoke_maker(maker, by=builders.make_actor("security"), at=NOON)
    producer = Visitor(builders.make_officer("producer", area=sent.area))
    answer = producer.act(reverse("staff:batch-results", args=[sent.pk]),
                          file=SimpleUploadedFile("results.jsonl", results.read_bytes()))
    assert "revoked" in answer.content.decode() and batches.states(sent) == {"sent": 3}
    assert batches.states(given_up(Batch.get(sent.pk))) == {"missing": 3}
