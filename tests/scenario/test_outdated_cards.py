"""A card that does not say any more what the record says is not handed over; the others of its round are."""

import pytest
from django.test import TestCase
from django.urls import reverse

import batches
import builders
from builders import NOON, make_officer, request_id
from custody_rooms import SIGNED
from portraits import make_photo
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.production import services
from zhengka.production.models import Item
from zhengka.registry import photos
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(home):
    """Three finished cards that wait at the counter."""
    area = builders.make_area()
    maker = batches.make_maker(home, area)
    for _ in range(3):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batches.receive(batch, batches.make_cards(batch, home))
    return list(Card.objects.filter(state="ready").order_by("pk"))


def renamed(card):
    Holder.objects.filter(pk=card.holder_id).update(name="田小野")


def another_number(card):
    """The ID number of the record was corrected, and the printed certificate number begins with the old one."""
    number = builders.make_id_number(number=901)
    Holder.objects.filter(pk=card.holder_id).update(
        id_number=fields.close(number, "holder.id_number"), id_index=fields.index(number))


def another_photo(card):
    Holder.objects.filter(pk=card.holder_id).update(photo=photos.keep(make_photo(777)))


def another_grade(card):
    Certificate.objects.filter(pk=card.certificate_id).update(grade=1)


def hand_over(card):
    return services.hand_over(card, by=builders.make_actor(area=card.area), request_id=request_id(), at=NOON)


CHANGES = [renamed, another_number, another_photo, another_grade]


def test_a_card_whose_record_changed_is_refused_at_hand_over_and_is_ready_again_when_the_change_is_taken_back(ready):
    for change in CHANGES:
        card = Card.get(ready[0].pk)
        holder, certificate = Holder.objects.get(pk=card.holder_id), Certificate.objects.get(pk=card.certificate_id)
        change(card)
        with pytest.raises(Refusal, match="card-outdated"):
            hand_over(card)
        assert Card.get(card.pk).state == "ready", change.__name__
        holder.save()
        certificate.save()
        assert services.outdated([card.pk]) == []
    assert hand_over(Card.get(ready[0].pk)).state == "issued"


def test_a_round_of_visits_hands_over_the_others_and_names_who_was_left_out(ready):
    first, second, third = ready
    renamed(first)
    another_number(third)
    by, key = builders.make_actor(area=first.area), request_id()
    ids = [card.pk for card in ready]
    done = services.hand_over_many(ids, by=by, request_id=key, at=NOON)
    assert (done.moved, done.outdated) == ([second.pk], [first.pk, third.pk])
    again = services.hand_over_many(ids, by=by, request_id=key, at=NOON)
    assert (again.moved, again.outdated) == ([], [first.pk, third.pk])


def test_whoever_has_one_in_the_hand_lets_it_be_made_again_with_what_the_record_says_now(ready, home):
    old, _, _ = ready
    renamed(old)
    by = batches.producer(old.area)
    new = services.make_again(old, by=by, request_id=request_id(), at=NOON)
    assert (Card.get(old.pk).state, new.state, new.replaces_id) == ("spoiled", "ordered", old.pk)
    batch = batches.prepare(batches.open_batch(old.area, Item.objects.first().batch.maker))
    batch = batches.receive(batches.send(batch), batches.make_cards(batch, home))
    assert hand_over(Card.get(new.pk)).state == "issued"


def test_only_who_orders_cards_lets_one_be_made_again(ready):
    with pytest.raises(Refusal, match="not-permitted"):
        services.make_again(ready[0], by=builders.make_actor(area=ready[0].area), request_id=request_id(), at=NOON)


def test_another_office_learns_nothing_of_a_card_not_even_that_it_is_outdated(ready):
    renamed(ready[0])
    stranger = builders.make_actor(area=builders.make_area(430702))
    with pytest.raises(Refusal, match="not-found"):
        services.hand_over(ready[0], by=stranger, request_id=request_id(), at=NOON)
    done = services.hand_over_many([ready[0].pk], by=stranger, request_id=request_id(), at=NOON)
    assert (done.moved, done.outdated) == ([], [])


def test_a_card_made_before_the_record_was_noted_is_compared_by_its_number_alone(ready):
    Item.objects.update(record=None)
    renamed(ready[0])
    another_number(ready[1])
    assert services.outdated([card.pk for card in ready]) == [ready[1].pk]


def test_the_page_lists_who_was_left_out_and_the_card_s_page_offers_to_make_it_again(ready):
    first, second, _ = ready
    renamed(first)
    clerk = Visitor(make_officer("clerk", area=first.area))
    with TestCase.captureOnCommitCallbacks():
        page = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[first.pk, second.pk], **SIGNED)
    told = page.content.decode()
    assert "田小野" in told and "田野" not in told.replace("田小野", "")
    assert Card.get(second.pk).state == "issued"
    producer = Visitor(make_officer("producer", area=first.area))
    assert reverse("staff:card-step", args=[first.pk, "spoil"]) in producer.get(
        reverse("staff:card", args=[first.pk])).content.decode()
    producer.act(reverse("staff:card-step", args=[first.pk, "spoil"]))
    assert Card.get(first.pk).state == "ready", "asked a second time"
    producer.act(reverse("staff:card-step", args=[first.pk, "spoil"]), sure="1")
    assert Card.get(first.pk).state == "spoiled"
