"""What a batch held is decided before it goes out (暂缓卡处置), and faces carry the numbers of partners or are held."""

import io
import zipfile

import pytest
from django.db import IntegrityError, transaction

import batches
import builders
from builders import NOON
from zhengka.cards.models import Card, ChipOrder
from zhengka.cards.services import chips
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats.chip import orders
from zhengka.formats.package import PackageReader
from zhengka.keys.models import Key
from zhengka.production import queries, services
from zhengka.production.faces import layout_for
from zhengka.production.models import Batch, Item, Maker
from zhengka.production.services import gathering, making
from zhengka.production.services.gathering import face_texts, look_up
from zhengka.registry.models import Holder
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db
PARTNERS = "disability-city-pass"
NUMBERS = {"city": "430100000000", "bank": "6200000000000000017"}


def told(by) -> dict:
    return {"by": by, "request_id": builders.request_id(), "at": NOON}


def too_long() -> str:
    """Three parts of a name, of which the middle one is too much for a face."""
    return "·".join(("阿" * 10, "买" * 48, "提" * 10))


@pytest.fixture
def prepared(area, maker):
    """A good card, one with a name that is too long, one without a photo, one with a character that no font has."""
    batches.make_ordered(area=area)
    batches.make_ordered(area=area, name=too_long())
    batches.make_ordered(area=area, photo=None)
    batches.make_ordered(area=area, name="ལྷ")
    return batches.prepare(batches.open_batch(area, maker))


def held(batch: Batch) -> dict[str, Card]:
    return {item.reason.split()[0]: item.card for item in queries.held(batch)}


def test_a_name_that_is_too_long_is_shortened_by_the_rule_and_the_card_is_in_the_next_batch(area, maker, prepared):
    by, card = batches.producer(area), held(prepared)["text-too-long"]
    assert prepared.undecided == 3
    short = services.short_name(card)
    assert short == "·".join(("阿" * 10, "提" * 10))
    batch = services.shorten(prepared, card, **told(by))
    assert (batch.undecided, Card.get(card.pk).state) == (2, "ordered")
    following = batches.prepare(batches.open_batch(area, maker))
    assert (following.prepared, following.held) == (1, 0)
    assert short in batches_text(following) and too_long() not in batches_text(following)


def test_what_a_chip_is_told_later_is_the_name_that_face_and_chip_got(area, maker, prepared):
    by, card = batches.producer(area), held(prepared)["text-too-long"]
    short = services.short_name(card)
    services.shorten(prepared, card, **told(by))
    batches.prepare(batches.open_batch(area, maker))
    card = Card.get(card.pk)
    made = making.record_of(gathering.subject_of(card), card.serial, bytes(card.credential), layout_for(card.profile))
    assert made["name"] == short
    later = ChipOrder(pk=1, province=card.province, area=card.area, card=card, what="update", ordered_at=NOON)
    profile, order = chips.chip_plan(later, at=NOON)
    assert order.parts == orders.update(profile, order.number, made).parts
    Holder.objects.filter(pk=card.holder_id).update(name="马月娥")  # the shorter one does not stand for this one
    assert chips._whole(Card.get(card.pk))["name"] == "马月娥"


def batches_text(batch: Batch) -> str:
    return " ".join(face_texts(one, layout_for(batch.profile))["name"]
                    for one in look_up(Item.objects.filter(batch=batch)))


def test_no_rule_helps_a_card_that_is_held_for_something_else(area, prepared):
    for reason in ("photo-missing", "glyph-missing"):
        with pytest.raises(Refusal, match="name-not-shortened"), transaction.atomic():
            services.shorten(prepared, held(prepared)[reason], **told(batches.producer(area)))
    assert Batch.get(prepared.pk).undecided == 3


def test_what_is_waited_for_and_what_is_taken_out_stay_held_and_are_decided_once(area, prepared):
    by, found = batches.producer(area), held(prepared)
    batch = services.decide(prepared, [found["photo-missing"].pk], "wait", **told(by))
    batch = services.decide(batch, [found["glyph-missing"].pk, found["photo-missing"].pk], "out", **told(by))
    assert batch.undecided == 1 and batches.states(batch) == {"prepared": 1, "held": 3}
    assert dict(Item.objects.filter(batch=batch, outcome="held").values_list("card", "decision")) == {
        found["photo-missing"].pk: "wait", found["glyph-missing"].pk: "out", found["text-too-long"].pk: ""}
    with pytest.raises(Refusal, match="nothing-to-decide"):
        services.decide(batch, [found["photo-missing"].pk], "out", **told(by))
    assert Event.objects.filter(subject="batch", subject_id=batch.pk, action="decide").count() == 2


def test_a_released_card_is_decided_in_the_batch_that_held_it(area, prepared):
    card = held(prepared)["photo-missing"]
    services.release(card, **told(batches.producer(area)))
    assert Batch.get(prepared.pk).undecided == 2
    assert Item.objects.get(batch=prepared, card=card).decision == "released"


def test_a_batch_that_goes_out_takes_what_nobody_decided_out_of_it(area, prepared):
    batch = batches.send(prepared)
    assert batch.undecided == 0 and batches.states(batch) == {"sent": 1, "held": 3}
    assert set(Item.objects.filter(batch=batch, outcome="held").values_list("decision", flat=True)) == {"out"}


def test_the_database_lets_no_batch_go_out_while_something_is_undecided(prepared):
    with pytest.raises(IntegrityError, match="batch_sent_is_decided"), transaction.atomic():
        Batch.objects.filter(pk=prepared.pk).update(state="sent", sent_person="another")


# -- numbers at partners -----------------------------------------------------------------------------------------------
@pytest.fixture
def with_partners(area):
    card = batches.make_ordered(area=area)
    Card.objects.filter(pk=card.pk).update(profile=PARTNERS)
    return Card.get(card.pk)


def open_partners(area, maker) -> Batch:
    return batches.prepare(services.open_batch(area, PARTNERS, maker, **told(batches.producer(area))))


def test_a_card_without_its_numbers_at_partners_is_held_and_made_once_they_are_noted(area, maker, with_partners):
    by = batches.producer(area)
    batch = open_partners(area, maker)
    assert Card.get(with_partners.pk).hold_reason == "partner-number-missing city bank"
    card = services.note_numbers(Card.get(with_partners.pk), {"city": NUMBERS["city"]}, **told(by))
    card = services.note_numbers(card, {"bank": NUMBERS["bank"]}, **told(by))
    assert NUMBERS["bank"].encode() not in bytes(card.face) and NUMBERS["bank"] in fields.open_(
        bytes(card.face), "card.face")
    services.release(card, **told(by))
    batch = open_partners(area, maker)
    assert (batch.prepared, batch.held) == (1, 0)
    shown = queries.preview(Card.get(card.pk))
    assert "620000********00017" in shown.back and NUMBERS["bank"] not in shown.back


def test_a_number_that_is_none_of_the_partners_is_refused_and_events_tell_no_number(area, with_partners):
    by = batches.producer(area)
    for numbers, code in (({"bank": "12"}, "partner-number-bad"), ({"tram": "1"}, "partner-unknown")):
        with pytest.raises(Refusal, match=code):
            services.note_numbers(with_partners, numbers, **told(by))
    services.note_numbers(with_partners, NUMBERS, **told(by))
    event = Event.objects.get(subject="card", subject_id=with_partners.pk, action="number")
    assert event.facts["partners"] == ["bank", "city"] and "6200" not in str(event.facts)


# -- pictures in the package -------------------------------------------------------------------------------------------
def test_a_maker_that_prints_from_pictures_gets_them_beside_the_pdf_and_the_braille_apart(area, maker, home):
    Maker.objects.filter(pk=maker.pk).update(pictures="jpeg-300")
    batches.make_ordered(area=area)
    batches.make_ordered(area=area, category=1)
    batch = batches.prepare(batches.open_batch(area, Maker.objects.get(pk=maker.pk)))
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        names = [member.name for member in package.members]
        assert names == ["cards-0001.bin", "faces-0001.pdf", "pictures-0001-001.zip"]
        [orders, _, pictures] = package.members
        inside = zipfile.ZipFile(io.BytesIO(package.plain(pictures)))
        blue, red = (order.serial for order in package.orders(orders))
        assert {order.face["pictures"] for order in package.orders(orders)} == {"pictures-0001-001.zip"}
    assert sorted(inside.namelist()) == sorted([
        f"{blue}-front.jpg", f"{blue}-back.jpg", f"{red}-front.jpg", f"{red}-back.jpg", f"{red}-braille.png"])
    assert batches.receive(batches.send(batch), batches.make_cards(batch, home)).good == 2


def test_pictures_of_many_cards_are_split_into_parts_that_fit_in_memory(area, maker, home, monkeypatch):
    monkeypatch.setattr(making, "PART_BYTES", 1)
    Maker.objects.filter(pk=maker.pk).update(pictures="jpeg-300")
    for _ in range(3):
        batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, Maker.objects.get(pk=maker.pk)))
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        told_by = [order.face["pictures"] for order in package.orders(package.members[0])]
    assert told_by == [f"pictures-0001-{part:03}.zip" for part in (1, 2, 3)]


def signed() -> int:
    return sum(Key.objects.values_list("signatures", flat=True))


def test_a_preview_signs_nothing(area, maker, with_partners):
    before = signed()
    for card in (with_partners, batches.make_ordered(area=area, category=1)):
        queries.preview(Card.get(card.pk))
    assert signed() == before
    batches.prepare(batches.open_batch(area, maker))
    assert signed() > before, "the counter does move where something is signed"
