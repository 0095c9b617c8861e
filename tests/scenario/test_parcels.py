"""Parcels of finished cards go from hand to hand; whoever has one is known, and what is amiss is found and named."""

import datetime as dt
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction

from builders import make_actor
from custody_rooms import ON_A_LIST, Rooms
from reading_desk import make_reader
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.scope import enter, leave
from zhengka.custody import queries, services
from zhengka.custody.models import Keeping, Listed, Parcel, Stay, Trouble
from zhengka.custody.services import Label
from zhengka.devices.models import Device
from zhengka.production.models import Batch, Chunk, Item, Maker

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms():
    return Rooms()


def cases() -> list[tuple[str, str]]:
    return sorted(Trouble.objects.values_list("sort", "serial"))


def test_a_parcel_goes_from_the_plant_by_the_city_to_the_county_and_each_stay_is_known(rooms):
    cards = rooms.cards(3)
    parcel = rooms.pack(cards)
    assert parcel.stops == [rooms.city.code, rooms.county.code] and queries.place_of(cards[0]).where == "parcel"
    parcel = services.dispatch(parcel, **rooms.told())
    parcel = rooms.arrive(parcel, rooms.city)
    parcel = services.dispatch(parcel, **rooms.told(rooms.city))
    parcel = rooms.arrive(parcel, rooms.county)
    stays = queries.journey(parcel)
    assert [(stay.place, stay.office) for stay in stays] == [
        ("plant", None), ("moving", rooms.city.code), ("office", rooms.city.code), ("moving", rooms.county.code),
        ("office", rooms.county.code)]
    assert all(one.until == other.since for one, other in pairwise(stays))
    assert stays[-1].until is None and queries.has([parcel])[parcel.pk] == stays[-1]
    opened = rooms.unpack(parcel, cards)
    assert (opened.there, opened.missing, opened.strange, opened.swapped) == (3, [], [], [])
    assert not Stay.objects.filter(until=None).exists() and cases() == []
    assert [queries.place_of(card) for card in cards] == [("office", opened.parcel, rooms.county.code)] * 3


def test_a_parcel_for_a_street_passes_the_county_and_the_street_alone_sees_it_of_all_that_is_the_countys(rooms):
    cards = rooms.cards(2)
    parcel, other = rooms.pack(cards[:1], rooms.street), rooms.pack(cards[1:])
    for office in (rooms.city, rooms.county, rooms.street):
        parcel = rooms.arrive(parcel, office)
    with transaction.atomic():
        enter(connection, rooms.street.code, rooms.street.last)
        assert set(Parcel.objects.values_list("pk", flat=True)) == {parcel.pk}
        assert {row.parcel_id for row in Stay.objects.all()} == {row.parcel_id for row in Listed.objects.all()} == {
            parcel.pk}
        assert Keeping.objects.count() == 1
        leave(connection)
    assert rooms.unpack(parcel, cards[:1]).there == 1
    assert queries.place_of(cards[0]).office == rooms.street.code and other.state == "packed"


def test_a_missing_a_strange_and_a_swapped_card_are_each_named_and_open_a_case(rooms):
    one, two, three, four = rooms.cards(4)
    first, second = rooms.brought([one, two]), rooms.brought([three])
    opened = rooms.unpack(first, [one, three, "not a serial", four])
    assert opened.missing == [two.serial] and opened.swapped == [three.serial]
    assert opened.strange == sorted([four.serial, "not a serial"])
    assert cases() == sorted([("card-missing", two.serial), ("card-swapped", three.serial),
                              ("card-strange", four.serial), ("card-strange", "not a serial")])
    swapped = Trouble.objects.get(sort="card-swapped")
    assert swapped.other == second and swapped.parcel == first
    assert {card.serial: queries.place_of(card).where for card in (one, two, three, four)} == {
        one.serial: "office", two.serial: "missing", three.serial: "office", four.serial: "office"}
    opened = rooms.unpack(second, [two])
    assert opened.missing == [] and opened.swapped == [two.serial], "what turned up before is not missed again"
    assert dict(Listed.objects.filter(parcel=second).values_list("serial", "outcome")) == {three.serial: "elsewhere"}
    assert queries.place_of(two).where == "office"


def test_a_wrong_seal_is_found_as_the_parcel_comes_or_as_it_is_opened_and_once(rooms):
    one, two = rooms.cards(2)
    parcel = rooms.pack([one])
    rooms.arrive(parcel, rooms.city)
    parcel = rooms.arrive(parcel, rooms.county, seal="S999")
    found = Trouble.objects.get()
    assert (found.sort, found.detail, found.office) == ("seal-differs", "S999", rooms.county.code)
    with pytest.raises(Refusal, match="custody-own-alarm"), transaction.atomic():
        services.settle(found, "看错", **rooms.told(rooms.county))
    assert services.settle(found, "看错", **rooms.told()).state == "settled", "another person looked"
    rooms.unpack(parcel, [one], seal="S999")
    assert Trouble.objects.count() == 1
    other = rooms.brought([two])
    rooms.unpack(other, [two], seal="S998")
    assert Trouble.objects.get(parcel=other).detail == "S998"


def test_a_parcel_at_an_office_where_it_should_not_be_is_taken_over_and_raises_an_alarm(rooms):
    (card,) = rooms.cards(1)
    parcel = rooms.arrive(rooms.pack([card]), rooms.elsewhere)
    found = Trouble.objects.get()
    assert (found.sort, found.office) == ("parcel-astray", rooms.elsewhere.code)
    with transaction.atomic():
        enter(connection, rooms.elsewhere.code, rooms.elsewhere.last)
        assert Parcel.objects.get().passed == 0 and Trouble.objects.count() == 1, "who has it sees it"
        assert Listed.objects.count() == Keeping.objects.count() == 1 and Stay.objects.count() == 2
        leave(connection)
    parcel = services.dispatch(parcel, **rooms.told(rooms.elsewhere))
    assert queries.has([parcel])[parcel.pk].office == rooms.city.code and parcel.shared_with is None
    assert not Stay.objects.exclude(shared_with=None).exists()
    for office in (rooms.city, rooms.county):
        parcel = rooms.arrive(parcel, office)
    assert Trouble.objects.count() == 1


def test_a_stop_that_was_left_out_raises_an_alarm_and_the_parcel_goes_on(rooms):
    cards = rooms.cards(1)
    parcel = rooms.arrive(rooms.pack(cards), rooms.county)
    assert [case.sort for case in Trouble.objects.all()] == ["parcel-astray"] and parcel.passed == 2
    assert rooms.unpack(parcel, cards).there == 1


def test_a_parcel_that_stays_too_long_raises_one_alarm_for_each_stay_by_the_working_days_of_its_office(rooms):
    parcel = rooms.pack(rooms.cards(1))
    assert Stay.objects.get().due == dt.date(2026, 11, 27), "five working days after Friday 20 November"
    assert services.check(at=rooms.at + dt.timedelta(days=7)) == 0
    assert services.check(at=rooms.at + dt.timedelta(days=8)) == 1
    assert services.check(at=rooms.at + dt.timedelta(days=9)) == 0, "each alarm comes once"
    (case,) = Trouble.objects.all()
    with pytest.raises(Refusal, match="parcel-still-late"), transaction.atomic():
        services.settle(case, "问过", **rooms.told())
    with pytest.raises(IntegrityError, match="late still"), transaction.atomic():
        Trouble.objects.filter(pk=case.pk).update(state="settled", reason="问过")
    rooms.arrive(parcel, rooms.city)
    assert services.settle(case, "到了", **rooms.told()).state == "settled", "it moved"
    assert services.check(at=rooms.at + dt.timedelta(days=30)) == 1
    assert {case.detail for case in Trouble.objects.all()} == {"2026-11-27", "2026-11-25"}


def test_a_card_that_is_scanned_where_it_cannot_be_is_led_to_its_one_open_case_at_every_scan(rooms):
    one, two = rooms.cards(2)
    rooms.pack([one])
    parcel = rooms.brought([two])
    rooms.unpack(parcel, [two])
    told = rooms.told(rooms.county)
    case = services.note_scan(one, rooms.county, **told)
    assert (case.sort, case.detail, case.parcel) == ("card-astray", "parcel", Keeping.objects.get(card=one).parcel)
    with pytest.raises(Replayed), transaction.atomic():
        services.note_scan(one, rooms.county, **told)
    assert services.note_scan(one, rooms.county, **rooms.told(rooms.county)) == case
    assert services.note_scan(two, rooms.county, **rooms.told(rooms.county)) is None
    found = services.note_scan(two, rooms.elsewhere, **rooms.told(rooms.elsewhere))
    assert found.shared_with == rooms.elsewhere.code and cases() == sorted(
        [("card-astray", one.serial), ("card-astray", two.serial)])
    services.settle(case, "看过", **rooms.told(rooms.county))
    again = services.note_scan(one, rooms.county, **rooms.told(rooms.county))
    assert again.pk != case.pk and again.state == "open", "a case that was closed silences no later scan"


def test_a_card_that_should_be_at_the_plant_in_a_hand_or_no_more_is_no_card_that_lies_here(rooms):
    sent, ready, given, over, other, gone = rooms.cards(6)
    rooms.unpack(rooms.brought([given, over, other]), [given, over, other])
    Card.objects.filter(pk=sent.pk).update(state="sent")
    Card.objects.filter(pk=gone.pk).update(state="missing")
    services.hand_over(given, ON_A_LIST, **rooms.told(rooms.county))
    Card.objects.filter(pk__in=[over.pk, other.pk]).update(state="cancelled")
    for card, where in ((sent, "plant"), (ready, "plant"), (given, "hand"), (over, "gone"), (gone, "missing")):
        found = queries.scanned(f" {card.serial} ")
        case = services.note_scan(found, rooms.county, **rooms.told(rooms.county))
        assert (found, case.detail, case.serial, case.office) == (card, where, card.serial, rooms.county.code)
    services.clear_out(at=rooms.at)
    assert services.note_scan(other, rooms.county, **rooms.told(rooms.county)).detail == "gone"


def test_a_card_that_was_made_at_this_desk_and_travels_in_no_parcel_lies_here(rooms):
    (card,) = rooms.cards(1)
    key = b"\4" + bytes(64)
    Device.objects.filter(pk=make_reader(rooms.county).pk).update(public=key, key_id=b"desk-key", suite="SM")
    maker = Maker.objects.create(name="desk", suite="SM", public=key)
    batch = Batch.objects.create(id=1, province=43, area=rooms.county, number="430104-1", maker=maker, ordered=1,
                                 opened_at=rooms.at, prepared=1, good=1, state="closed", prepared_person="a",
                                 sent_person="b", erase_on=rooms.at.date())
    chunk = Chunk.objects.create(batch=batch, area=rooms.county.code, number=1)
    Item.objects.create(batch=batch, area=rooms.county.code, chunk=chunk, card=card, position=1, outcome="good")
    assert services.note_scan(card, rooms.county, **rooms.told(rooms.county)) is None
    assert services.note_scan(card, rooms.elsewhere, **rooms.told(rooms.elsewhere)).detail == "plant"


def test_a_missing_card_is_found_again_or_lost_by_two_persons_and_then_made_again(rooms):
    one, two, three = rooms.cards(3)
    rooms.unpack(rooms.brought([one, two, three]), [three])
    found, lost = Trouble.objects.get(serial=one.serial), Trouble.objects.get(serial=two.serial)
    with pytest.raises(Refusal, match="card-still-missing"), transaction.atomic():
        services.settle(found, "在", **rooms.told(rooms.county))
    services.settle(found, "夹在箱底", found=rooms.county, **rooms.told(rooms.county))
    assert queries.place_of(one).where == "office"
    services.propose_loss(lost, "找遍", **rooms.told())
    with pytest.raises(Refusal, match="custody-same-person"), transaction.atomic():
        services.confirm_loss(Trouble.get(lost.pk), **rooms.told())
    same = make_actor("approver", area=rooms.county, person=rooms.producer.person)
    with pytest.raises(Refusal, match="custody-same-person"), transaction.atomic():
        services.confirm_loss(Trouble.get(lost.pk), **rooms.told(by=same))
    services.confirm_loss(Trouble.get(lost.pk), **rooms.told(by=rooms.approver))
    assert queries.place_of(two).where == "lost" and Card.get(two.pk).state == "spoiled"
    assert Card.objects.get(replaces=two).state == "ordered"
    with pytest.raises(IntegrityError, match="custody_case_lost_by_two"), transaction.atomic():
        Trouble.objects.filter(pk=lost.pk).update(confirmed_by=rooms.producer.person)


def test_a_parcel_that_never_came_is_lost_with_all_its_cards_and_another_that_came_is_not(rooms):
    lost, came = rooms.pack(rooms.cards(2)), rooms.pack(rooms.cards(1))
    services.check(at=rooms.at + dt.timedelta(days=30))
    cases = {case.parcel_id: case for case in Trouble.objects.all()}
    rooms.arrive(came, rooms.city)
    with pytest.raises(Refusal, match="not-a-loss"), transaction.atomic():
        services.propose_loss(cases[came.pk], "没来", **rooms.told())
    rooms.unpack(rooms.arrive(came, rooms.county), [Listed.objects.get(parcel=came).serial])
    with pytest.raises(Refusal, match="not-a-loss"), transaction.atomic():
        services.propose_loss(cases[came.pk], "没来", **rooms.told())
    services.propose_loss(cases[lost.pk], "没来", **rooms.told())
    services.confirm_loss(Trouble.get(cases[lost.pk].pk), **rooms.told(by=rooms.approver))
    assert Parcel.get(lost.pk).state == "lost" and not Stay.objects.filter(parcel=lost, until=None).exists()
    assert Card.objects.filter(replaces__keeping__parcel=lost, state="ordered").count() == 2


def test_cards_are_packed_once_from_where_they_lie_and_every_number_is_used_once(rooms):
    one, two = rooms.cards(2)
    parcel = rooms.pack([one])
    for cards, label, why in (([one], Label("x", "y", rooms.county), "cards-not-here"),
                              ([two], Label(parcel.number, "y", rooms.county), "parcel-known"),
                              ([two], Label("x", parcel.seal, rooms.county), "parcel-known"),
                              ([two], Label("x", "y", rooms.elsewhere), "parcel-target-wrong")):
        with pytest.raises(Refusal, match=why), transaction.atomic():
            services.pack([card.pk for card in cards], label, **rooms.told())
    with pytest.raises(Refusal, match="cards-not-here"), transaction.atomic():
        services.pack([two.pk], Label("x", "y", rooms.street), origin=rooms.county, **rooms.told())
    assert queries.place_of(two).where == "plant" and Parcel.objects.count() == 1


def test_cards_of_an_office_are_packed_again_and_go_up_or_down(rooms):
    cards = rooms.cards(2)
    rooms.unpack(rooms.brought(cards), cards)
    down = rooms.pack(cards[:1], rooms.street, origin=rooms.county)
    up = rooms.pack(cards[1:], rooms.city, origin=rooms.county)
    assert (down.stops, up.stops) == ([rooms.street.code], [rooms.city.code])
    rooms.unpack(rooms.arrive(down, rooms.street), cards[:1])
    rooms.unpack(rooms.arrive(up, rooms.city), cards[1:])
    assert [queries.place_of(card).office for card in cards] == [rooms.street.code, rooms.city.code]


def test_a_count_of_a_counter_names_what_is_missing_and_lays_down_what_turned_up(rooms):
    here, gone, back, packed, handed = rooms.cards(5)
    rooms.unpack(rooms.brought([here, gone, back, handed]), [here, gone, back, handed])
    Keeping.objects.filter(card=back).update(state="returned")
    services.hand_over(handed, ON_A_LIST, **rooms.told(rooms.county))
    parcel, clerk = rooms.pack([packed]), rooms.by[rooms.county.pk]
    scanned = [here.serial, back.serial, packed.serial, "no serial"]
    seen = services.compare(rooms.county, scanned, by=clerk)
    assert (seen.there, seen.missing, seen.strange) == (2, [gone.serial], sorted([packed.serial, "no serial"]))
    assert cases() == [], "a look writes nothing down"
    with pytest.raises(Refusal, match="not-found"), transaction.atomic():
        services.count_waiting(rooms.elsewhere, scanned, by=clerk, request_id=rooms.told()["request_id"], at=rooms.at)
    told = rooms.told(rooms.county)
    assert services.count_waiting(rooms.county, scanned, **told) == seen
    with pytest.raises(Replayed), transaction.atomic():
        services.count_waiting(rooms.county, scanned, **told)
    assert cases() == sorted([("card-missing", gone.serial), ("card-strange", packed.serial),
                              ("card-strange", "no serial")])
    assert {card.serial: queries.place_of(card).where for card in (here, gone, back, packed)} == {
        here.serial: "office", gone.serial: "missing", back.serial: "office", packed.serial: "office"}
    (aged,) = queries.ages(clerk, rooms.at)
    assert (aged.total, aged.counted_at) == (2, told["at"])
    with pytest.raises(Refusal, match="card-not-at-counter"), transaction.atomic():
        services.hand_over(Card.get(gone.pk), ON_A_LIST, **rooms.told(rooms.county))
    services.count_waiting(rooms.county, [*scanned[:3], gone.serial], **rooms.told(rooms.county))
    assert queries.place_of(gone).where == "office" and Trouble.objects.count() == 3, "it was found, and has its case"
    services.settle(Trouble.objects.get(sort="card-missing"), "在抽屉", **rooms.told(rooms.county))
    services.count_waiting(rooms.county, scanned[:3], **rooms.told(rooms.county))
    again = Trouble.objects.get(sort="card-missing", state="open")
    services.propose_loss(again, "找遍", **rooms.told())
    services.confirm_loss(again, **rooms.told(by=rooms.approver))
    assert queries.place_of(gone).where == "lost" and Card.get(gone.pk).state == "spoiled"
    assert parcel.state == "packed" and rooms.unpack(rooms.arrive(parcel, rooms.county), []).missing == []


def test_a_street_counts_its_own_counter(rooms):
    cards = rooms.cards(2)
    parcel = rooms.pack(cards, rooms.street)
    rooms.unpack(rooms.arrive(parcel, rooms.street), cards)
    with transaction.atomic():
        enter(connection, rooms.street.code, rooms.street.last)
        told = services.count_waiting(rooms.street, [cards[0].serial], **rooms.told(rooms.street))
        assert (told.there, told.missing) == (1, [cards[1].serial]) and Trouble.objects.get(sort="card-missing")
        leave(connection)


def test_nobody_opens_or_sends_on_a_parcel_that_they_do_not_have(rooms):
    (card,) = rooms.cards(1)
    parcel = rooms.arrive(rooms.pack([card]), rooms.city)
    for do in (lambda: services.dispatch(parcel, **rooms.told(rooms.county)),
               lambda: services.unpack(parcel, parcel.seal, [card.serial], **rooms.told(rooms.county)),
               lambda: services.unpack(parcel, parcel.seal, [card.serial], **rooms.told(rooms.city)),
               lambda: rooms.arrive(parcel, rooms.city)):
        with pytest.raises(Refusal, match="parcel-"), transaction.atomic():
            do()
    with pytest.raises(Refusal, match="not-found"), transaction.atomic():
        services.arrive(parcel, rooms.elsewhere, parcel.seal, **rooms.told(rooms.county))


def test_a_repeat_of_each_act_changes_nothing(rooms):
    (card,) = rooms.cards(1)
    told = rooms.told()
    parcel = services.pack([card.pk], Label("P", "S", rooms.county), **told)
    arrived = rooms.told(rooms.county)
    services.arrive(parcel, rooms.county, "S", **arrived)
    opened = rooms.told(rooms.county)
    services.unpack(parcel, "S", [], **opened)
    for again in (lambda: services.pack([card.pk], Label("P", "S", rooms.county), **told),
                  lambda: services.arrive(parcel, rooms.county, "S", **arrived),
                  lambda: services.unpack(parcel, "S", [], **opened)):
        with pytest.raises(Replayed), transaction.atomic():
            again()
    assert Stay.objects.count() == 2 and Trouble.objects.filter(sort="card-missing").count() == 1


def test_the_database_keeps_a_parcel_in_one_place_and_what_was_written_down(rooms):
    cards = rooms.cards(2)
    parcel = rooms.brought(cards[:1])
    stay = queries.has([parcel])[parcel.pk]
    told = {"parcel": parcel, "area": parcel.area_id, "place": "office", "office": rooms.city.code, "due": rooms.at,
            "person": "x"}
    for broken, why in (
            (lambda: Stay.objects.create(since=rooms.at, **told), "stay_"),
            (lambda: Stay.objects.create(since=stay.since - dt.timedelta(seconds=30), until=stay.since, **told),
             "stay_one_place"),
            (lambda: Stay.objects.filter(pk=stay.pk).update(office=rooms.street.code), "never changed"),
            (lambda: Stay.objects.filter(until__isnull=False).update(until=None), "never changed"),
            (lambda: Listed.objects.filter(parcel=parcel).update(serial="1"), "never changed"),
            (lambda: Listed.objects.filter(parcel=parcel).delete(), "never changed"),
            (lambda: Parcel.objects.filter(pk=parcel.pk).update(seal="other"), "never changed"),
            (lambda: Keeping.objects.filter(parcel=parcel).update(state="packed", office=1), "packed_in_a_parcel"),
            (lambda: Keeping.objects.create(id=1, province=43, area=rooms.county, card=cards[0], serial="", office=1,
                                            since=rooms.at, state="returned"), "card_id")):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            broken()
    with pytest.raises(IntegrityError, match="left in parcel"), transaction.atomic():
        Parcel.objects.filter(pk=parcel.pk).update(state="unpacked")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
