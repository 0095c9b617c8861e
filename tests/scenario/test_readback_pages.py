"""Pages of faces and of the look before cards are handed out, with a real reader under them."""

import json
import shutil
from pathlib import Path

import pytest
from django.conf import settings as own
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

import batches
import builders
from reading_desk import blank_chip, make_batch, make_counter, make_on, take_results
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.core.models import Event
from zhengka.formats import qr
from zhengka.production.models import Batch, Item
from zhengka.production.services.gathering import subject_of
from zhengka.production.workflow import DECISIONS, HOLDS, LOOKS, SET_ASIDE
from zhengka.web.staff import batch_parts, readback

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


def test_every_hold_has_its_next_step_and_every_decision_and_look_its_words():
    assert batch_parts.NEXT_WORDS.keys() == HOLDS.keys() and batch_parts.DECISION_WORDS.keys() == set(DECISIONS)
    assert batch_parts.DECIDE_WORDS.keys() == {"shorten", *SET_ASIDE} and readback.LOOK_WORDS.keys() == set(LOOKS)


@pytest.fixture
def every_card(settings, tmp_path):
    """A region that looks at every card."""
    data = tmp_path / "data"
    data.mkdir()
    for path in Path(own.DATA).iterdir():
        (data / path.name).symlink_to(path)
    (data / "readback").unlink()
    shutil.copytree(Path(own.DATA) / "readback", data / "readback")
    text = (data / "readback" / "standard.toml").read_text()
    (data / "readback" / "here.toml").write_text(text.replace('"000000"', '"430104"').replace(
        "percent = 0", "percent = 100"))
    settings.DATA = data


def test_an_inspector_looks_at_a_card_by_its_number_its_code_and_its_chip_over_pcsc(every_card, room, tmp_path):
    counter = make_counter(tmp_path / "reader")
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    batch = take_results(counter, batch, make_on(counter, batch))
    card = Card.objects.get(items__batch=batch)
    assert (batch.gate, card.state) == ("whole", "arrived")
    inspector = Visitor(builders.make_officer("producer", area=counter.area))
    sample, its = reverse("staff:readback", args=[batch.pk]), reverse("staff:readback-card", args=[batch.pk, card.pk])
    assert "not one that is to be looked at" in inspector.act(sample, number="4301040099999999").content.decode()
    spaced = " ".join(card.serial[at:at + 4] for at in range(0, 16, 4))
    assert inspector.act(sample, number=spaced).url == its
    assert read_by(inspector, counter, card)["to"] == its
    assert Item.objects.get(batch=batch).seen == ["number", "chip"]
    assert "The face is the one on the screen" in inspector.get(its).content.decode()
    inspector.act(reverse("staff:readback-print", args=[batch.pk, card.pk]))
    assert "The face is the one on the screen" not in inspector.get(its).content.decode()
    photo = SimpleUploadedFile("card.png", qr.png(qr.to_text(bytes(card.credential), "https://card.example")))
    inspector.act(reverse("staff:readback-code", args=[batch.pk, card.pk]), photo=photo)
    assert (Batch.get(batch.pk).gate, Card.get(card.pk).state) == ("passed", "ready")


def read_by(visitor: Visitor, counter, card: Card) -> dict:
    """What the page's script does with the key R."""
    desk = counter.desk()

    def send(path: str, **told: object) -> dict:
        return json.loads(visitor.post(path, json.dumps(told), content_type="application/json").content)
    said = send(reverse("staff:reader-begin"), key=bytes(counter.reader.key_id).hex(), purpose="look", card=card.pk)
    while "commands" in said:
        said = send(said["step"], **desk.answer({
            "do": "carry", "nonce": said["nonce"], "number": said["number"], "commands": said["commands"]}))
    desk.close()
    return said


def test_an_inspector_who_sees_another_face_says_so_twice_and_the_card_is_set_aside(every_card, room, tmp_path):
    counter = make_counter(tmp_path / "reader")
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    batch = take_results(counter, batch, make_on(counter, batch))
    card = Card.objects.get(items__batch=batch)
    inspector = Visitor(builders.make_officer("producer", area=counter.area))
    wrong = reverse("staff:readback-wrong", args=[batch.pk, card.pk])
    assert "Does this card differ?" in inspector.act(wrong, what="photo-differs").content.decode()
    assert Card.get(card.pk).state == "arrived"
    inspector.act(wrong, what="photo-differs", sure="1")
    assert Card.get(card.pk).state == "suspect" and Batch.get(batch.pk).gate == "passed"
    assert "The photo is not this holder" in inspector.get(reverse("staff:batch", args=[batch.pk])).content.decode()


# -- faces -------------------------------------------------------------------------------------------------------------
def test_whoever_sees_cards_looks_at_a_holders_face_masked_and_in_full_for_a_purpose_that_is_kept():
    card = batches.make_ordered()
    page = reverse("staff:holder-face", args=[card.holder_id])
    clerk = Visitor(builders.make_officer("clerk", area=card.area))
    text = clerk.get(page).content.decode()
    assert 'alt="Front, blue card: 田野, 肢体残疾 二级, certificate number 439901' in text and "********" in text
    number = subject_of(card).number
    assert number not in text
    full = reverse("staff:holder-face-in-full", args=[card.holder_id])
    assert number not in clerk.act(full).content.decode(), "without a purpose nothing is shown"
    assert number in clerk.act(full, purpose="desk").content.decode()
    event = Event.objects.get(subject="holder", subject_id=card.holder_id, action="read_in_full")
    assert event.facts["purpose"] == "desk"
    for role, status in (("approver", 200), ("producer", 200), ("leader", 403), ("system", 403)):
        assert Visitor(builders.make_officer(role, area=card.area)).get(page).status_code == status
    stranger = builders.make_officer("clerk", area=builders.make_area(430702, name="武陵区"))
    assert Visitor(stranger).get(page).status_code == 404


def test_a_holder_without_a_card_has_the_face_that_would_be_made_and_one_without_a_certificate_none():
    holder = builders.make_holder()
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    page = reverse("staff:holder-face", args=[holder.pk])
    assert "no card can be made" in clerk.get(page).content.decode()
    builders.make_certificate(holder, category=1, grade=1)
    text = clerk.get(page).content.decode()
    assert "Front, red card with Braille" in text and "No card was ordered yet" in text and "There is no photo" in text


def test_the_gallery_shows_every_template_with_people_who_try_it_and_why_one_would_be_held():
    system = Visitor(builders.make_officer("system"))
    index = system.get(reverse("staff:faces")).content.decode()
    assert "city-pass" in index and "disability-2018" in index
    text = system.get(reverse("staff:face-template", args=["city-pass"])).content.decode()
    assert "阿卜杜热合曼·麦麦提依明·买买提吐尔逊" in text and "No font has a character of the name · U+E000" in text
    assert "There is no photo" in text and "阿卜杜热合曼·买买提吐尔逊" in text
    assert system.get(reverse("staff:face-template", args=["nowhere"])).status_code == 404
    assert Visitor(builders.make_officer("leader")).get(reverse("staff:faces")).status_code == 403


def test_a_template_that_was_refused_is_named_with_its_reason_in_the_gallery(settings, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(Path(own.DATA) / "faces", data / "faces")
    for path in Path(own.DATA).iterdir():
        if path.name != "faces":
            (data / path.name).symlink_to(path)
    text = (data / "faces" / "city-pass.toml").read_text()
    (data / "faces" / "city-pass.toml").write_text(text.replace("x = 53.0", "x = 70.0"))
    settings.DATA = data
    page = Visitor(builders.make_officer("system")).get(reverse("staff:faces")).content.decode()
    assert "city-pass.toml: back" in page and "outside" in page


# -- held cards --------------------------------------------------------------------------------------------------------
def test_the_batchs_page_says_what_to_do_about_each_held_card_and_asks_before_it_goes_without_them(tmp_path):
    area = builders.make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    batches.make_ordered(area=area)
    held = batches.make_ordered(area=area, photo=None)
    batch = batches.prepare(batches.open_batch(area, maker))
    visitor = Visitor(builders.make_officer("producer", area=area))
    page = reverse("staff:batch", args=[batch.pk])
    text = visitor.get(page).content.decode()
    assert "Take or bring the photo" in text and "1 card is undecided." in text
    send = reverse("staff:batch-step", args=[batch.pk, "send"])
    assert "Send it without 1 held card?" in visitor.act(send).content.decode()
    visitor.act(reverse("staff:batch-decide", args=[batch.pk, held.pk, "wait"]))
    text = visitor.get(page).content.decode()
    assert "Waits" in text and "undecided" not in text
