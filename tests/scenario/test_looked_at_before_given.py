"""Finished cards are looked at before any is ready (发卡前核对): a sample that nobody chooses, then all."""

import io
import shutil
from pathlib import Path

import pytest
from django.conf import settings as own
from django.db import IntegrityError, transaction
from PIL import Image

import batches
import builders
from builders import NOON, make_actor
from reading_desk import make_reader
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.custody import services as custody
from zhengka.devices.models import Device, Reading
from zhengka.formats import qr
from zhengka.formats.suites import SM
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka.production.services import gate

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(settings, tmp_path):
    """A region that looks at a third of the cards, and at least two of them."""
    data = tmp_path / "data"
    data.mkdir()
    for path in Path(own.DATA).iterdir():
        (data / path.name).symlink_to(path)
    (data / "readback").unlink()
    shutil.copytree(Path(own.DATA) / "readback", data / "readback")
    text = (data / "readback" / "standard.toml").read_text()
    rule = text.replace('"000000"', '"430104"').replace("percent = 0", "percent = 34").replace("least = 0", "least = 2")
    (data / "readback" / "here.toml").write_text(rule)
    settings.DATA = data


def received(area, home: Path, count: int = 6) -> Batch:
    maker = batches.make_maker(home, area)
    for _ in range(count):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    return batches.receive(batch, batches.make_cards(batch, home))


def drawn(batch: Batch) -> list[Item]:
    return list(Item.objects.filter(batch=batch, drawn__isnull=False).select_related("card").order_by("drawn"))


def told(by) -> dict:
    return {"by": by, "request_id": builders.request_id(), "at": NOON}


def photo_of(card: Card) -> bytes:
    return qr.png(qr.to_text(bytes(card.credential), "https://card.example"))


def reading_of(card: Card, by, *, outcome: str = "good") -> int:
    """What a desk's reader leaves behind once a chip proved its keys (test_desk_readers has the chip itself)."""
    reader = Device.objects.filter(area=card.area_id).first() or make_reader(card.area)
    key = SM.generate().public
    Device.objects.filter(pk=reader.pk).update(state="active", suite="SM", public=key.point, key_id=key.key_id)
    row = Reading(province=card.province, area=card.area_id, reader=reader, officer_id=by.id, purpose="identify",
                  subject_id=card.pk, nonce=builders.request_id().bytes, seed=None, began_at=NOON,
                  ended_at=NOON, outcome=outcome, uid=bytes(card.uid), steps=3)
    row.save(force_insert=True)
    return row.pk


def look_at(item: Item, by) -> Batch:
    services.check_number(item.batch, item.card.serial, **told(by))
    services.check_print(item, **told(by))
    services.check_code(item, photo_of(item.card), **told(by))
    return services.check_chip(item, reading_of(item.card, by), **told(by))


def test_no_card_of_a_batch_is_ready_before_its_sample_passed_and_then_all_are(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    assert (batch.gate, batches.states(batch)) == ("sample", {"arrived": 6})
    sample = drawn(batch)
    assert [item.drawn for item in sample] == [1, 2, 3]
    for item in sample[:-1]:
        assert look_at(item, by).gate == "sample"
    with pytest.raises(Refusal, match="batch-not-checked"):
        services.pass_gate(batch, **told(by))
    with pytest.raises(Refusal, match="batch-not-checked"):
        services.close_batch(batch, **told(by))
    with pytest.raises(Refusal, match="step-not-open"):
        cards.hand_over(sample[0].card, **told(make_actor(area=area)))
    assert look_at(sample[-1], by).gate == "passed"
    assert batches.states(batch) == {"ready": 6}
    assert services.close_batch(batch, **told(by)).state == "closed"


def test_a_card_of_which_nobody_compared_the_face_has_not_passed_and_one_of_which_somebody_did_needs_no_other_look(
        asked, area, home):
    batch, by = received(area, home, 2), batches.producer(area)
    Item.objects.filter(batch=batch).update(unseen=True)  # of a maker without a camera
    one, other = drawn(batch)
    services.check_number(batch, one.card.serial, **told(by))
    services.check_code(one, photo_of(one.card), **told(by))
    services.check_chip(one, reading_of(one.card, by), **told(by))
    assert Item.objects.get(pk=one.pk).checked == "" and services.unseen([one.card_id]) == [one.card_id]
    services.check_print(one, **told(by))
    assert Item.objects.get(pk=one.pk).checked == "passed" and services.unseen([one.card_id]) == []
    assert Event.objects.filter(subject="batch", action="check", facts__what="print").get().actor_id == by.id
    services.check_number(batch, other.card.serial, **told(by))
    assert services.fail_card(other, "photo-differs", **told(by)).gate == "passed"
    assert batches.states(batch) == {"ready": 1, "suspect": 1}


def test_no_parcel_is_sealed_before_the_look_is_over(asked, area, home):
    batch, by = received(area, home, 2), batches.producer(area)
    seals = custody.Seals(["A1"])
    waits = [item.card_id for item in drawn(batch)]
    for pack in (lambda: custody.pack_batch(batch, seals, area, **told(by)),
                 lambda: custody.pack(waits, custody.Label("P1", "S1", area), **told(by))):
        with pytest.raises(Refusal, match="batch-not-checked"):
            pack()
    for item in drawn(batch):
        look_at(item, by)
    assert [parcel.quantity for parcel in custody.pack_batch(batch, seals, area, **told(by))] == [2]


def test_a_region_without_a_rule_has_its_cards_ready_when_the_results_come(area, home):
    batch = received(area, home, 2)
    assert (batch.gate, batches.states(batch), drawn(batch)) == ("", {"ready": 2}, [])


def test_the_sample_of_the_same_results_is_the_same_and_of_others_another(asked, area, home):
    batch = received(area, home, 9)
    first = [item.pk for item in drawn(batch)]
    Item.objects.filter(batch=batch).update(drawn=None)
    gate.draw(batch, 4)
    assert [item.pk for item in drawn(batch)] == first
    found = set()
    for n in range(6):
        Item.objects.filter(batch=batch).update(drawn=None)
        batch.manifest_digest = f"{n:064x}"
        gate.draw(batch, 4)
        found.add(tuple(item.pk for item in drawn(batch)))
    assert len(found) > 1


def test_a_card_that_was_not_drawn_is_not_looked_at_in_place_of_one_that_was(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    other = Item.objects.filter(batch=batch, drawn=None).first()
    with pytest.raises(Refusal, match="card-not-drawn"):
        services.check_number(batch, other.card.serial, **told(by))
    with pytest.raises(Refusal, match="card-not-drawn"):
        services.check_code(other, photo_of(other.card), **told(by))


@pytest.mark.parametrize("swap", ["code", "chip"])
def test_another_cards_code_or_chip_is_found_and_the_whole_batch_is_looked_at(asked, area, home, swap):
    batch, by = received(area, home), batches.producer(area)
    item, other = drawn(batch)[:2]
    services.check_number(batch, item.card.serial, **told(by))
    if swap == "code":
        batch = services.check_code(item, photo_of(other.card), **told(by))
    else:
        batch = services.check_chip(item, reading_of(other.card, by), **told(by))
    assert (batch.gate, batch.good, batch.suspect) == ("whole", 5, 1)
    assert [found.code for found in queries.findings(batch)] == [
        {"code": "qr-differs", "chip": "readback-differs"}[swap]]
    assert Card.get(item.card_id).state == "suspect" and len(drawn(batch)) == 6
    for each in drawn(batch):
        if each.pk != item.pk:
            batch = look_at(each, by)
    assert batch.gate == "passed" and batches.states(batch) == {"ready": 5, "suspect": 1}


def test_what_an_inspector_sees_is_said_by_name_and_counts_as_a_card_that_differs(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    batch = services.fail_card(drawn(batch)[0], "photo-differs", **told(by))
    assert batch.gate == "whole" and [found.code for found in queries.findings(batch)] == ["photo-differs"]
    with pytest.raises(Refusal, match="step-not-open"):
        services.fail_card(drawn(batch)[1], "ugly", **told(by))


def test_a_repeat_of_a_look_does_nothing_twice_and_each_look_is_in_the_history(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    asked_once = told(by)
    services.check_number(batch, drawn(batch)[0].card.serial, **asked_once)
    with pytest.raises(Replayed):
        services.check_number(batch, drawn(batch)[0].card.serial, **asked_once)
    [event] = Event.objects.filter(subject="batch", subject_id=batch.pk, action="check")
    assert event.facts["what"] == "number"


def test_a_reading_of_somebody_else_or_one_that_failed_proves_no_chip(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    item = drawn(batch)[0]
    for reading, code in ((reading_of(item.card, by, outcome="not-authentic"), "reading-not-good"),
                          (reading_of(item.card, make_actor("clerk", area=area)), "not-found")):
        with pytest.raises(Refusal, match=code):
            services.check_chip(item, reading, **told(by))
    blank = io.BytesIO()
    Image.new("L", (200, 200), 255).save(blank, "PNG")
    with pytest.raises(Refusal, match="code-not-seen"):
        services.check_code(item, blank.getvalue(), **told(by))


def test_a_drawn_card_that_ends_meanwhile_is_not_waited_for(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    first, *rest = drawn(batch)
    Card.objects.filter(pk=first.card_id).update(state="cancelled")
    for item in rest:
        batch = look_at(item, by)
    assert batch.gate == "passed" and batches.states(batch) == {"ready": 5, "cancelled": 1}


def test_an_officer_of_another_office_looks_at_no_card_of_this_one(asked, area, home):
    batch = received(area, home)
    stranger = make_actor("producer", area=builders.make_area(430702, name="武陵区"))
    with pytest.raises(Refusal, match="not-found"):
        services.check_number(batch, drawn(batch)[0].card.serial, **told(stranger))
    with pytest.raises(Refusal, match="not-permitted"):
        services.check_number(batch, drawn(batch)[0].card.serial, **told(make_actor("clerk", area=area)))


def test_the_database_lets_no_card_be_ready_and_no_gate_open_before_all_was_seen(asked, area, home):
    batch = received(area, home)
    with pytest.raises(IntegrityError, match="was not looked at"), transaction.atomic():
        Card.objects.filter(pk=drawn(batch)[0].card_id).update(state="ready")
    with pytest.raises(IntegrityError, match="was not looked at"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(gate="passed")
    with pytest.raises(IntegrityError, match="item_passed_was_seen"), transaction.atomic():
        Item.objects.filter(batch=batch, drawn=1).update(checked="passed", seen=["number", "code", "chip"])
    with pytest.raises(IntegrityError, match="batch_closed_was_looked_at"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state="closed")


def test_the_database_lets_no_gate_open_by_its_sample_once_a_card_differed(asked, area, home):
    batch, by = received(area, home), batches.producer(area)
    services.fail_card(drawn(batch)[0], "print-differs", **told(by))
    Item.objects.filter(batch=batch, checked="", outcome="good", drawn__gt=3).update(drawn=None)
    Item.objects.filter(batch=batch, drawn__isnull=False, checked="").update(
        seen=["number", "print", "code", "chip"], checked="passed")
    with pytest.raises(IntegrityError, match="was not looked at"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(gate="passed")
