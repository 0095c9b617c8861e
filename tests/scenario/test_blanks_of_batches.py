"""The ledger of blank cards and production are one: each card that was made used one blank, named by its serial."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

import batches
import builders
import stocking
from builders import NOON
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka.stock import queries as stock
from zhengka.stock.models import Slip
from zhengka.stock.services import Use

pytestmark = pytest.mark.django_db
MACHINE = "1001-1100"


@pytest.fixture
def machine(area):
    return stocking.loaded(area, 1001, 1100)


@pytest.fixture
def maker(area, home, machine):
    return stocking.feed(batches.make_maker(home, area), machine)


def sent(area, maker, many: int = 6) -> Batch:
    for _ in range(many):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def found(batch: Batch) -> list[tuple[str, str]]:
    return [(finding.code, finding.detail) for finding in queries.findings(batch)]


def used(batch: Batch) -> dict[str, int]:
    told = queries.blanks(batch, at=NOON)
    assert not stock.unbalanced() and (told is None or told.closes)
    return stock.of_batch(batch.number, NOON)


def test_each_card_uses_the_blank_that_its_maker_names_and_the_ledger_has_it(area, maker, home, machine):
    batch = sent(area, maker, 12)
    batch = batches.receive(batch, batches.make_cards(batch, home, spoil=0.4, blanks=MACHINE))
    assert batch.spoiled and batch.good and batch.good + batch.spoiled == 12 and not found(batch)
    assert used(batch) == {"issue": batch.good, "spoil": batch.spoiled}
    assert sorted(Item.objects.values_list("blank", flat=True)) == list(range(1001, 1013))
    for item in Item.objects.filter(batch=batch):
        stay = stock.where(item.blank, NOON, actor=batches.producer(area))
        assert stay.account == {"good": "issued", "spoiled": "spoiled"}[item.outcome]
    assert stock.runs_in(machine) == [(1013, 1100)] and stock.next_in(machine.pk) == 1013
    waste = Slip.objects.filter(batch=batch.number, sort="spoil")
    spoiled = Item.objects.filter(outcome="spoiled")
    assert {slip.reason for slip in waste} == set(spoiled.values_list("reason", flat=True))
    assert {slip.operator for slip in Slip.objects.filter(batch=batch.number)} == {maker.name}


def test_blanks_that_the_feeder_wasted_are_spoiled_with_their_reasons_beside_those_of_the_cards(area, maker, home):
    batch = sent(area, maker, 12)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, waste=0.3))
    assert batch.good == 12 and batch.wasted > 0
    assert used(batch) == {"issue": 12, "spoil": batch.wasted}
    reasons = set(Slip.objects.filter(batch=batch.number, sort="spoil").values_list("reason", flat=True))
    assert reasons <= {"fed two at once", "bent in the feeder", "chip not found"} and reasons


def test_a_blank_that_is_named_for_two_cards_makes_both_suspect_and_is_used_once(area, maker, home):
    batch = sent(area, maker)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, plant=("blank-twice",)))
    assert (batch.good, batch.suspect, found(batch)) == (4, 2, [("blank-twice", "1001")] * 2)
    assert used(batch) == {"issue": 4, "spoil": 1}
    assert list(Item.objects.filter(outcome="suspect").order_by("position").values_list("blank", flat=True)) == [
        1001, None]


def test_a_blank_of_another_store_makes_its_card_suspect_and_stays_where_it_is(area, maker, home):
    stocking.receive(stocking.open_store(area), 1101, 1110)
    batch = sent(area, maker)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, plant=("blank-elsewhere",)))
    assert (batch.good, batch.suspect, found(batch)) == (5, 1, [("blank-elsewhere", "1101")])
    assert stock.where(1101, NOON, actor=batches.producer(area)).account == "stock"
    assert used(batch) == {"issue": 5} and Item.objects.get(outcome="suspect").blank is None


def test_a_card_without_a_blank_is_suspect(area, maker, home):
    batch = sent(area, maker)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, plant=("blank-unnamed",)))
    assert (batch.good, batch.suspect, found(batch)) == (5, 1, [("blank-unnamed", "")])
    other = sent(area, maker)
    other = batches.receive(other, batches.make_cards(other, home, spoil=0.5))
    assert (other.good, other.spoiled, other.suspect) == (0, 0, 6), "a maker that names none makes no good card"


def test_a_blank_that_an_earlier_batch_used_is_found(area, maker, home):
    first = sent(area, maker, 2)
    batches.receive(first, batches.make_cards(first, home, blanks=MACHINE))
    second = sent(area, maker, 3)
    second = batches.receive(second, batches.make_cards(second, home, blanks="1002-1100"))
    assert (second.good, found(second)) == (2, [("blank-used", "1002")])
    assert used(second) == {"issue": 2} and used(first) == {"issue": 2}


def test_another_fault_keeps_its_name_and_the_blank_is_named_beside_it(area, maker, home):
    batch = sent(area, maker, 2)
    results = batches.rewritten(batches.make_cards(batch, home, blanks=MACHINE), home, lambda made: [
        made[0]._replace(readback=bytes(32), blank=None), made[1]])
    batch = batches.receive(batch, results)
    assert (batch.suspect, found(batch)) == (1, [("blank-unnamed", ""), ("readback-differs", found(batch)[1][1])])
    assert used(batch) == {"issue": 1}


def test_a_card_that_nobody_ordered_uses_up_its_blank_as_waste(area, maker, home):
    batch = sent(area, maker, 2)
    results = batches.rewritten(batches.make_cards(batch, home, blanks=MACHINE), home, lambda made: [
        *made, made[0]._replace(serial="9" * 16, uid=bytes(7), blank=1050)])
    batch = batches.receive(batch, results)
    assert (batch.good, batch.wasted) == (2, 1) and used(batch) == {"issue": 2, "spoil": 1}


def test_makers_without_a_machine_go_on_as_before_and_so_does_a_batch_that_was_sent_before(area, home, machine):
    maker = batches.make_maker(home, area)
    before = sent(area, maker, 2)
    stocking.feed(maker, machine)
    batch = batches.receive(before, batches.make_cards(before, home))
    assert (batch.good, batch.machine_id, used(batch)) == (2, None, {})
    after = sent(area, maker, 2)
    assert after.machine_id == machine.pk


def test_the_blank_of_a_suspect_card_is_destroyed_with_it_by_the_same_two_persons(area, maker, home):
    batch = sent(area, maker, 3)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, plant=("wrong-readback",)))
    [item] = Item.objects.filter(outcome="suspect")
    assert used(batch) == {"issue": 2, "spoil": 1}
    first, second = (builders.make_actor("producer", area=area) for _ in range(2))
    cards.reorder_many([item.card_id], by=first, request_id=builders.request_id(), at=NOON)
    cards.condemn_many([item.card_id], by=first, request_id=builders.request_id(), at=NOON)
    told = {"request_id": builders.request_id(), "at": NOON}
    assert services.destroy_many([item.card_id], by=first, **told).left == {"same-person": 1}
    assert stock.where(item.blank, NOON, actor=first).account == "spoiled"
    told["request_id"] = builders.request_id()
    assert services.destroy_many([item.card_id], by=second, **told).moved == 1
    assert stock.where(item.blank, NOON, actor=first).account == "destroyed" and not stock.unbalanced()
    slip = Slip.objects.get(sort="destroy")
    assert (slip.person, slip.confirmed_by) == (first.person, second.person)
    assert list(Event.objects.filter(subject="slip", subject_id=slip.pk).order_by("version").values_list(
        "action", "person")) == [("destroy", first.person), ("confirm", second.person)]
    assert services.destroy_many([item.card_id], by=second, **told).moved == 0, "a repeat destroys nothing twice"
    assert Card.get(item.card_id).state == "destroyed"


def test_the_machine_may_be_another_offices(home):
    county, city = builders.make_area(), builders.make_area(430102, name="芙蓉区")
    machine = stocking.loaded(city, 1001, 1100)
    maker = stocking.feed(batches.make_maker(home, county), machine)
    batch = sent(county, maker, 3)
    batch = batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE, plant=("wrong-readback",)))
    assert used(batch) == {"issue": 2, "spoil": 1}
    assert {slip.area_id for slip in Slip.objects.filter(batch=batch.number)} == {city.code}
    suspect = Item.objects.get(outcome="suspect").card_id
    first, second = (builders.make_actor("producer", area=county) for _ in range(2))
    cards.reorder_many([suspect], by=first, request_id=builders.request_id(), at=NOON)
    cards.condemn_many([suspect], by=first, request_id=builders.request_id(), at=NOON)
    services.destroy_many([suspect], by=second, request_id=builders.request_id(), at=NOON)
    assert Slip.objects.get(sort="destroy").state == "confirmed"


def test_results_twice_use_no_blank_twice(area, maker, home):
    batch = sent(area, maker, 2)
    results = batches.make_cards(batch, home, blanks=MACHINE)
    request, by = builders.request_id(), batches.producer(area)
    services.receive_results(batch, results, by=by, request_id=request, at=NOON)
    before = used(batch)
    with pytest.raises(Replayed):
        services.receive_results(batch, results, by=by, request_id=request, at=NOON)
    assert used(batch) == before == {"issue": 2}


def test_the_database_itself_keeps_a_blank_to_one_card(area, maker, home):
    batch = sent(area, maker, 2)
    batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE))
    one, other = Item.objects.order_by("position")
    with pytest.raises(IntegrityError, match="item_blank_once"), transaction.atomic():
        Item.objects.filter(pk=other.pk).update(blank=one.blank)
    with pytest.raises(IntegrityError, match="item_blank_of_a_made_card"), transaction.atomic():
        Item.objects.filter(pk=other.pk).update(outcome="held")
    assert not Item.objects.exclude(blank=None).values("blank").annotate(n=Count("pk")).filter(n__gt=1)


def test_no_blank_is_issued_by_hand_but_for_a_good_card_of_a_batch_whose_results_tell_of_none(area, home, machine):
    other_area = builders.make_area(430702)
    other = Visitor(builders.make_officer("producer", area=other_area))
    maker, visitor = batches.make_maker(home, area), Visitor(builders.make_officer("producer", area=area))
    batch = sent(area, maker, 3)

    def by_hand(first: int, last: int, number: str, **spoiled: list[tuple[int, int]]) -> list[Slip]:
        return services.use_by_hand(machine, Use([(first, last)] if first else [], spoiled, number),
                                    **stocking.told(area, NOON))
    with pytest.raises(Refusal, match="issued-without-batch"):
        by_hand(1001, 1001, batch.number)
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert batch.good == 3
    for last, number, code in ((1001, "没有这批", "issued-without-batch"), (1001, "", "issued-without-batch"),
                               (1004, batch.number, "issued-over-batch")):
        with pytest.raises(Refusal, match=code):
            by_hand(1001, last, number)
    by_hand(1001, 1002, batch.number, 裂=[(1050, 1050)])
    with pytest.raises(Refusal, match="issued-over-batch"):
        by_hand(1003, 1004, batch.number)
    told = stocking.told(area, NOON)
    services.use_by_hand(machine, Use([(1003, 1003)], {}, batch.number), **told)
    with pytest.raises(Replayed):
        services.use_by_hand(machine, Use([(1003, 1003)], {}, batch.number), **told)
    page = reverse("staff:stock-act", args=[machine.pk, "use"])
    assert "fewer good cards" in visitor.act(page, issued="1004", batch=batch.number).content.decode()
    assert "in which batch" in visitor.act(page, issued="1004").content.decode()
    there = stocking.loaded(other_area, 5001, 5010)
    answer = other.act(reverse("staff:stock-act", args=[there.pk, "use"]), issued="5001", batch=batch.number)
    assert "only in a batch of this office" in answer.content.decode(), "it is another office's batch"
    stocking.feed(maker, machine)
    with pytest.raises(Refusal, match="issued-by-results"):
        by_hand(1004, 1004, batch.number)
    by_hand(0, 0, "", 裂=[(1051, 1051)])
    assert visitor.get(page).status_code == 409 and page not in visitor.get(
        reverse("staff:stock-store", args=[machine.pk])).content.decode()
    fed = sent(area, maker, 1)
    batches.receive(fed, batches.make_cards(fed, home, blanks="1004-1100"))
    with pytest.raises(Refusal, match="issued-by-results"):
        by_hand(0, 0, fed.number, 裂=[(1052, 1052)])


def test_the_blanks_of_a_batch_are_shown_as_they_were_before_its_results_and_after(area, maker, home):
    batch, visitor = sent(area, maker, 3), Visitor(builders.make_officer("producer", area=area))
    batches.receive(batch, batches.make_cards(batch, home, blanks=MACHINE))
    page = reverse("staff:batch-blanks", args=[batch.pk])
    assert page in visitor.get(reverse("staff:batch", args=[batch.pk])).content.decode()
    for at, there in ((NOON - dt.timedelta(minutes=1), False), (NOON, True)):
        shown = visitor.get(page, {"at": f"{timezone.localtime(at):%Y-%m-%d %H:%M}"}).content.decode()
        assert ("Cards made" in shown) == there and "As it was at" in shown


def test_a_maker_is_fed_from_a_machine_by_who_may_confirm_stock(area, home, machine):
    maker = batches.make_maker(home, area)
    with pytest.raises(Refusal, match="stores-unfit"):
        stocking.feed(maker, stocking.open_store(area))
    with pytest.raises(Refusal, match="not-permitted"):
        services.feed(maker, machine, by=builders.make_actor("clerk", area=area), request_id=builders.request_id(),
                      at=NOON)
    assert stocking.feed(maker, machine).store_id == machine.pk
    assert Event.objects.get(subject="store", subject_id=machine.pk, action="feed").facts["maker"] == maker.name
