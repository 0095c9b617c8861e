"""A read-back station looks at a box of finished cards at once (批量核对); what it saw is matched with the record."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import batches
import builders
from builders import NOON
from reading_desk import make_reader, pair
from unlooked import SHIPPED
from visits import Visitor
from worker import work
from zhengka.bulk.models import Act
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.devices.models import Device
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka_maker import box
from zhengka_reader import station as stations

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(settings):
    settings.DATA = SHIPPED


@pytest.fixture
def desk(area, tmp_path):
    """The home of a paired reader of the office, with a feeder and a camera."""
    folder = tmp_path / "station"
    pair(make_reader(area, "核对机"), folder, builders.make_actor("clerk", area=area))
    return folder


def received(area, home: Path, count: int = 6) -> tuple[Batch, Path]:
    """A batch of the demo's maker, of which every card is looked at; its results."""
    maker = batches.make_maker(home, area, name="demo-maker")
    for _ in range(count):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    results = batches.make_cards(batch, home)
    return batches.receive(batch, results), results


def seen(results: Path, desk: Path, *swaps: str) -> Path:
    """What the station saw of the cards in the box, after swaps of which the results know nothing."""
    packed, out = desk / "box", desk / "looks"
    box.pack(results, packed, swaps)
    stations.look(packed, desk, out)
    return out


def take(batch: Batch, looks: Path, **more) -> Batch:
    told = {"by": batches.producer(batch.area), "request_id": builders.request_id(), "at": NOON} | more
    return services.take_station(batch, looks, **told)


def failed(batch: Batch) -> list[tuple[str, str]]:
    return list(Item.objects.filter(batch=batch, checked="failed").order_by("position").values_list(
        "reason", "card__state"))


def test_by_the_rules_that_ship_some_cards_of_each_batch_are_looked_at_and_every_one_of_the_demos_maker(
        shipped, area, home):
    batch, _ = received(area, home, 4)
    assert (batch.gate, batches.states(batch), queries.looked_at(batch)) == ("whole", {"arrived": 4}, (0, 4))
    maker = batches.make_maker(home, area, name="another")
    for _ in range(5):
        batches.make_ordered(area=area)
    other = batches.send(batches.prepare(batches.open_batch(area, maker)))
    other = batches.receive(other, batches.make_cards(other, home))
    assert (other.gate, queries.looked_at(other)) == ("sample", (0, 3))


def test_a_box_of_right_cards_is_ready_at_once_and_the_event_tells_which_station_saw_how_many(
        shipped, area, home, desk):
    batch, results = received(area, home)
    request = builders.request_id()
    batch = take(batch, seen(results, desk), request_id=request)
    assert (batch.gate, batches.states(batch), queries.looked_at(batch)) == ("passed", {"ready": 6}, (6, 6))
    told = Event.objects.get(subject="batch", subject_id=batch.pk, action="check_many").facts
    assert told == {"station": "核对机", "passed": 6, "failed": 0}
    with pytest.raises(Replayed):
        take(batch, seen(results, desk), request_id=request)
    with pytest.raises(Refusal, match="card-not-drawn"):
        take(batch, seen(results, desk))


@pytest.mark.parametrize(("swap", "code"), [
    ("chip-swapped", "readback-differs"), ("print-swapped", "print-differs"), ("qr-swapped", "qr-differs")])
def test_two_cards_swapped_behind_the_makers_camera_are_caught_by_name_and_the_others_are_ready(
        shipped, area, home, desk, swap, code):
    batch, results = received(area, home)
    batch = take(batch, seen(results, desk, swap))
    assert failed(batch) == [(code, "suspect")] * 2
    assert (batch.good, batch.suspect, batch.gate) == (4, 2, "passed")
    assert batches.states(batch) == {"ready": 4, "suspect": 2}
    assert [found.code for found in queries.findings(batch)] == [code] * 2


def test_one_card_that_differs_puts_the_whole_batch_before_the_inspector_and_the_same_file_goes_on(
        shipped, area, home, desk):
    maker = batches.make_maker(home, area, name="another")
    for _ in range(6):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    results = batches.make_cards(batch, home)
    batch = batches.receive(batch, results)
    assert batch.gate == "sample"
    batch = take(batch, seen(results, desk, "chip-swapped"))  # whether these two were drawn or not
    assert (batch.gate, batches.states(batch)) == ("passed", {"ready": 4, "suspect": 2})
    assert Item.objects.filter(batch=batch, checked="passed", drawn__isnull=False).count() == 4


def test_what_the_station_did_not_see_waits_for_a_person_and_a_strangers_card_is_named(shipped, area, home, desk):
    batch, results = received(area, home)
    lines = results.read_text().splitlines(keepends=True)
    stranger = lines[1].replace(Card.objects.filter(items__batch=batch).order_by("items__position")[0].serial, "9" * 16)
    (desk / "box").write_text("".join([lines[0], stranger, *lines[2:]]))
    stations.look(desk / "box", desk, desk / "looks")
    batch = take(batch, desk / "looks")
    assert (batch.gate, queries.looked_at(batch), services.to_check(batch).count()) == ("whole", (5, 6), 1)
    assert [(found.code, found.serial) for found in queries.findings(batch)] == [("not-ordered", "9" * 16)]
    assert batches.states(batch) == {"arrived": 6}


def test_two_cards_under_one_number_are_both_not_believed(shipped, area, home, desk):
    batch, results = received(area, home)
    lines = results.read_text().splitlines(keepends=True)
    one, other = (Card.objects.get(items__batch=batch, items__position=place).serial for place in (1, 2))
    (desk / "box").write_text("".join([line.replace(other, one) for line in lines]))
    stations.look(desk / "box", desk, desk / "looks")
    batch = take(batch, desk / "looks")
    assert failed(batch) == [("serial-twice", "suspect")] and services.to_check(batch).get().card.serial == other


def test_only_a_paired_reader_at_work_is_believed_and_only_about_this_package(shipped, area, home, desk, tmp_path):
    batch, results = received(area, home)
    with pytest.raises(Refusal, match="device-unknown"):
        take(batch, results)  # the maker's own word once more
    looks = seen(results, desk)
    other, _ = received(area, home)
    with pytest.raises(Refusal, match="results-of-another-batch"):
        take(other, looks)
    text = looks.read_text()
    (tmp_path / "changed").write_text(text.replace('"good"', '"spoiled"', 1))
    with pytest.raises(Refusal, match="results-broken"):
        take(batch, tmp_path / "changed")
    Device.objects.update(state="stopped")
    with pytest.raises(Refusal, match="device-stopped"):
        take(batch, looks)
    assert batches.states(batch) == {"arrived": 6}


def test_a_station_costs_the_same_statements_for_few_cards_and_many(shipped, area, home, desk):
    asked = []
    for count in (3, 12):
        batch, results = received(area, home, count)
        looks = seen(results, desk)
        with CaptureQueriesContext(connection) as statements:
            take(batch, looks)
        asked.append(len(statements))
    assert asked[0] == asked[1]


def test_one_card_that_an_office_made_on_its_own_reader_is_drawn_like_any_batch(shipped, area, home):
    maker = batches.make_maker(home, area, name="another")
    reader = make_reader(area)
    Device.objects.filter(pk=reader.pk).update(
        state="active", suite="SM", public=bytes(maker.public), key_id=b"12345678")
    batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert (batch.gate, batches.states(batch), queries.looked_at(batch)) == ("whole", {"arrived": 1}, (0, 1))


def test_an_officer_hands_in_the_file_of_a_station_and_a_worker_matches_it(shipped, area, home, desk):
    batch, results = received(area, home)
    producer = Visitor(builders.make_officer("producer", area=area))
    page = producer.get(reverse("staff:readback", args=[batch.pk])).content.decode()
    assert "File of a read-back station" in page
    file = SimpleUploadedFile("looks.jsonl", seen(results, desk).read_bytes())
    producer.act(reverse("staff:readback-station", args=[batch.pk]), file=file)
    work()
    assert Act.objects.get().state == "done"
    assert batches.states(batch) == {"ready": 6}


