"""A finished card whose keys ended while it lay at the counter is not handed over; the others of its round are."""

import datetime as dt

import pytest
from django.test import TestCase
from django.urls import reverse

import batches
import builders
from builders import NOON, make_officer, request_id
from ceremonies import Hall, use_store
from custody_rooms import SIGNED
from visits import Visitor
from zhengka.cards.models import Card, KeyGroup
from zhengka.core.errors import Refusal
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.production import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(settings, tmp_path):
    """Two finished cards that wait at the counter."""
    use_store("file", settings, tmp_path)
    area, home = builders.make_area(), tmp_path / "maker"
    maker = batches.make_maker(home, area)
    for _ in range(2):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batches.receive(batch, batches.make_cards(batch, home))
    return list(Card.objects.filter(state="ready").order_by("pk"))


def ended(purpose, slot=""):
    """A master that was replaced and retired before its overlap was over."""
    key = Key.objects.get(purpose=purpose, slot=slot, state="active")
    Hall().hold("rotate", key, slot=slot, overlap_until=NOON.date() + dt.timedelta(days=30))
    keys.retire(Key.objects.get(pk=key.pk), by=Hall().by, request_id=request_id(), at=NOON)


def hand_over(card, at=NOON):
    return services.hand_over(card, by=builders.make_actor(area=card.area), request_id=request_id(), at=at)


def test_a_card_whose_master_ended_at_the_counter_is_refused_and_made_again(ready):
    ended("card_master", "reader")
    with pytest.raises(Refusal, match="card-keys-over"):
        hand_over(ready[0])
    assert Card.get(ready[0].pk).state == "ready"
    new = services.make_again(ready[0], by=batches.producer(ready[0].area), request_id=request_id(), at=NOON)
    assert (Card.get(ready[0].pk).state, new.state) == ("spoiled", "ordered")


def test_a_card_is_handed_over_in_the_overlap_of_its_master_and_not_after_it_though_the_calendar_did_not_run(ready):
    key = Key.objects.get(purpose="card_master", slot="reader", state="active")
    Hall().hold("rotate", key, slot="reader", overlap_until=NOON.date() + dt.timedelta(days=30))
    assert hand_over(ready[0], at=NOON + dt.timedelta(days=30)).state == "issued"
    with pytest.raises(Refusal, match="card-keys-over"):
        hand_over(ready[1], at=NOON + dt.timedelta(days=31))


def test_a_card_whose_code_was_signed_by_a_revoked_key_is_refused(ready):
    Hall().hold("revoke", Key.objects.get(purpose="credential", state="active"))
    with pytest.raises(Refusal, match="card-keys-over"):
        hand_over(ready[0])


@pytest.mark.parametrize("purpose", ["blank_card", "channel"])
def test_the_keys_by_which_its_chip_was_loaded_are_done_with(ready, purpose):
    ended(purpose)
    assert hand_over(ready[0]).state == "issued"


def test_a_round_hands_over_the_others_and_names_why_each_was_left_out(ready):
    first, second = ready
    key = Key.objects.get(purpose="card_master", slot="reader", state="active")
    Card.objects.filter(pk=second.pk).update(key_group=KeyGroup.objects.create(
        keys=sorted(set(first.key_group.keys) - {key.pk})))
    ended("card_master", "reader")
    clerk = Visitor(make_officer("clerk", area=first.area))
    with TestCase.captureOnCommitCallbacks():
        page = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[first.pk, second.pk], **SIGNED)
    told = page.content.decode()
    assert "A key of this card was retired or revoked since it was made" in told or "密钥已停用或吊销" in told
    assert (Card.get(first.pk).state, Card.get(second.pk).state) == ("ready", "issued")
