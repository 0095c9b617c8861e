"""Cards are ordered, numbered, and ordered again when they were spoiled."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, transaction

import builders
from builders import NOON
from zhengka.cards import queries, rules, services
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import serial
from zhengka.keys import services as keys
from zhengka.registry import services as registry

pytestmark = pytest.mark.django_db
PROFILE = "disability-placeholder"


def certificate(**facts):
    made = builders.make_certificate(builders.make_holder(**facts), generation=3)
    made.issued_on, made.valid_until = NOON.date(), rules.anniversary(NOON.date(), 10)
    made.save()
    return made


def order(made, by=None, **told):
    return services.order(made, by=by or builders.make_actor("approver"), at=NOON, **{
        "profile": PROFILE, "reason": "exchange", "request_id": builders.request_id(), **told})


def test_a_card_takes_the_dates_of_its_certificate():
    made = certificate()
    card = order(made)
    assert (card.state, card.issued_on, card.valid_until) == ("ordered", made.issued_on, made.valid_until)
    assert card.valid_until == dt.date(2036, 11, 20) and card.active_until is None


def test_a_repeated_order_makes_no_second_card():
    made, request = certificate(), builders.request_id()
    card = order(made, request_id=request)
    with pytest.raises(Replayed) as again:
        order(made, request_id=request)
    assert again.value.event.subject_id == card.pk and Card.objects.count() == 1


def test_a_holder_has_one_card_on_its_way():
    made = certificate()
    order(made)
    with pytest.raises(Refusal, match="card-on-its-way"):
        order(made)
    with pytest.raises(Refusal, match="card-on-its-way"):
        services.order_many([made.pk], profile=PROFILE, reason="exchange", by=builders.make_actor("approver"),
                            request_id=builders.request_id(), at=NOON)


def test_only_an_approver_orders_and_only_for_a_valid_third_generation_certificate():
    made = certificate()
    with pytest.raises(Refusal, match="not-permitted"):
        order(made, by=builders.make_actor("producer"))
    with pytest.raises(Refusal, match="not-permitted"):
        services.order_many([made.pk], profile=PROFILE, reason="x", by=builders.make_actor("clerk"),
                            request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="certificate-not-valid"):
        order(builders.make_certificate(made.holder))


def test_many_orders_leave_what_single_orders_leave():
    approver = builders.make_actor("approver")
    one, other = certificate(), certificate()
    single = order(one, by=approver)
    made = services.order_many([other.pk], profile=PROFILE, reason="exchange", by=approver,
                               request_id=builders.request_id(), at=NOON)
    many = Card.objects.get(pk=made[other.pk])

    def plain(row, *own):
        return {name: value for name, value in vars(row).items() if name not in {"_state", "id", *own}}
    own = {"holder_id", "certificate_id", "_certificate_cache"}
    assert plain(Card.objects.get(pk=single.pk), *own) == plain(many, *own)
    first, second = Event.objects.filter(subject="card").order_by("id")
    assert plain(first, "subject_id", "request_id") == plain(second, "subject_id", "request_id")


def test_orders_outside_the_area_or_for_a_paper_certificate_are_left_out():
    approver = builders.make_actor("approver", area=builders.make_area(430102))
    own = certificate(area=builders.make_area(430102))
    paper = builders.make_certificate(own.holder)
    made = services.order_many([own.pk, paper.pk, certificate().pk], profile=PROFILE, reason="exchange", by=approver,
                               request_id=builders.request_id(), at=NOON)
    assert list(made) == [own.pk]


def test_a_card_gets_its_numbers_once_for_ever():
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    cards = [builders.make_card(state="batched") for _ in range(5)]
    ids = [card.pk for card in reversed(cards)]
    first = services.allot(ids, at=NOON)
    assert [card.pk for card in first] == ids
    again = services.allot(ids, at=NOON)
    for one, two in zip(first, again, strict=True):
        assert (one.serial, bytes(one.token), one.status_list, one.status_index) == (
            two.serial, bytes(two.token), two.status_list, two.status_index)
        assert serial.parse(one.serial).unit == "430104" and len(one.token) == 12
    assert len({card.serial for card in first}) == len({(c.status_list, c.status_index) for c in first}) == 5
    assert {rules.of_list(card.status_list) for card in first} == {(43, "SM")}


def test_the_cards_of_two_units_are_numbered_together():
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    there = builders.make_card(builders.make_holder(area=builders.make_area(430702)), state="batched")
    here = builders.make_card(state="batched")
    numbered = services.allot([there.pk, here.pk], at=NOON)
    assert [serial.parse(card.serial).unit for card in numbered] == ["430702", "430104"]


@pytest.mark.parametrize("state", services.ordering.SPOILED)
def test_a_spoiled_card_is_made_again(state):
    producer, old = builders.make_actor("producer"), builders.make_card(state=state)
    new = services.reorder(old, by=producer, request_id=builders.request_id(), at=NOON)
    assert (new.state, new.reason, new.replaces_id) == ("ordered", state, old.pk)
    with pytest.raises(Refusal, match="card-replaced"):
        services.reorder(old, by=producer, request_id=builders.request_id(), at=NOON)


def test_a_spoiled_card_is_not_made_again_while_another_is_on_its_way():
    old = builders.make_card(state="spoiled")
    builders.make_card(old.holder, state="sent")
    with pytest.raises(Refusal, match="card-on-its-way"):
        services.reorder(old, by=builders.make_actor("producer"), request_id=builders.request_id(), at=NOON)


def test_many_spoiled_cards_are_made_again_as_one_is():
    producer, request = builders.make_actor("producer"), builders.request_id()
    spoiled = [builders.make_card(state="spoiled"), builders.make_card(state="suspect")]
    good = builders.make_card(state="ready")
    ids = [card.pk for card in (*spoiled, good)]
    made = services.reorder_many(ids, by=producer, request_id=request, at=NOON)
    assert sorted(made) == sorted(card.pk for card in spoiled)
    assert services.reorder_many(ids, by=producer, request_id=builders.request_id(), at=NOON) == {}
    single = builders.make_card(state="spoiled")
    new = services.reorder(single, by=producer, request_id=request, at=NOON)
    bulk = Event.objects.get(subject="card", subject_id=made[spoiled[0].pk])
    alone = Event.objects.get(subject="card", subject_id=new.pk)
    assert (bulk.action, bulk.facts, bulk.person) == (alone.action, alone.facts, alone.person)


@pytest.mark.django_db(transaction=True)
def test_no_card_is_ordered_again_for_a_certificate_that_is_being_frozen_at_the_same_moment():
    producer, spoiled = builders.make_actor("producer"), builders.make_card(state="spoiled")
    approver, frozen, made = builders.make_actor("approver"), threading.Event(), []

    def reorder():
        try:
            frozen.wait()
            made.append(services.reorder_many([spoiled.pk], by=producer, request_id=builders.request_id(), at=NOON))
        finally:
            connection.close()

    other = threading.Thread(target=reorder)
    other.start()
    with transaction.atomic():
        registry.freeze(spoiled.certificate, "under-inquiry", by=approver, request_id=builders.request_id(), at=NOON)
        frozen.set()
        time.sleep(0.5)
    other.join()
    assert made == [{}] and not Card.objects.filter(state="ordered").exists()


def test_a_good_card_or_one_without_a_valid_certificate_is_not_made_again():
    producer = builders.make_actor("producer")
    with pytest.raises(Refusal, match="card-not-spoiled"):
        services.reorder(builders.make_card(state="ready"), by=producer, request_id=builders.request_id(), at=NOON)
    spoiled = builders.make_card(state="spoiled")
    type(spoiled.certificate).objects.update(state="cancelled")
    with pytest.raises(Refusal, match="certificate-not-valid"):
        services.reorder(spoiled, by=producer, request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-permitted"):
        services.reorder(spoiled, by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-permitted"):
        services.reorder_many([spoiled.pk], by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-found"):
        services.reorder(spoiled, by=builders.make_actor("producer", area=builders.make_area(430102)),
                         request_id=builders.request_id(), at=NOON)


def test_cards_are_found_within_the_area_only():
    clerk, stranger = builders.make_actor(), builders.make_actor(area=builders.make_area(430102))
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    [card] = builders.with_numbers(builders.make_card())
    assert queries.get(card.pk, actor=clerk) == queries.by_serial(card.serial, actor=clerk) == card
    assert queries.by_token(bytes(card.token)) == card and list(queries.of_holder(card.holder_id)) == [card]
    assert queries.worklist(clerk, "ready") == [card] and not queries.worklist(stranger, "ready")
    assert not queries.worklist(clerk, "ready", after=(card.area_id, card.pk))
    assert queries.counts(clerk) == {"ready": 1} and queries.counts_by_area(clerk) == {430104_000000: {"ready": 1}}
    for look in (lambda: queries.get(card.pk, actor=stranger), lambda: queries.by_serial(card.serial, actor=stranger),
                 lambda: queries.by_token(b"unknown")):
        with pytest.raises(Refusal, match="not-found"):
            look()


def test_worklists_and_counts_are_read_from_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN SELECT id FROM cards_card WHERE state = 'ready' AND area BETWEEN 1 AND 2 "
                       "ORDER BY area, id LIMIT 50")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "card_by_state_area" in plan and "Sort" not in plan


def test_an_area_or_profile_without_its_file_is_named(settings, tmp_path):
    (tmp_path / "policies").mkdir()
    settings.DATA = tmp_path
    with pytest.raises(Refusal, match="policy-missing"):
        queries.policy(430104_000000, NOON.date())
    with pytest.raises(Refusal, match="profile-missing"):
        queries.profile("disability-placeholder")
