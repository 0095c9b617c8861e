"""One key on the holder's page blocks the card that lies on the reader, in record and chip; another undoes it."""

import json

import pytest
from django.urls import reverse

from builders import NOON, make_officer, request_id
from reading_desk import blank_chip, make_batch, make_counter, make_issued, make_on, take_results
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card, ChipOrder
from zhengka.devices.models import Reading

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


@pytest.fixture
def counter(db, room, tmp_path):
    return make_counter(tmp_path / "reader")


def press(counter, card, purpose, *, between=None, role="clerk"):
    """What the page's script does when the key is pressed; the last answer."""
    visitor, desk = Visitor(make_officer(role, area=counter.area)), counter.desk()

    def send(path, **told):
        return json.loads(visitor.post(path, json.dumps(told), content_type="application/json").content)
    said = send(reverse("staff:reader-begin"), key=bytes(counter.reader.key_id).hex(), purpose=purpose, card=card.pk)
    steps = 0
    while "commands" in said:
        if between:
            between(steps, said)
        said = send(said["step"], **desk.answer({
            "do": "carry", "nonce": said["nonce"], "number": said["number"], "commands": said["commands"]}))
        steps += 1
    desk.close()
    return said


def locked(chip):
    return all(each.locked for each in chip.memory.applications.values())


def test_one_key_blocks_the_card_in_record_and_chip_and_another_accepts_it_again(room, counter):
    card, chip = make_issued(room, counter)
    page = Visitor(make_officer("clerk", area=counter.area)).get(reverse("staff:holder", args=[card.holder_id]))
    html = page.content.decode()
    assert 'data-reader-go="block"' in html and 'aria-keyshortcuts="b"' in html
    assert "connect-src" in page.headers["Content-Security-Policy"]
    said = press(counter, card, "block")
    assert said["outcome"] == "good" and said["to"].startswith(reverse("staff:holder", args=[card.holder_id]) + "?")
    assert Card.get(card.pk).state == "suspended" and locked(chip)
    html = Visitor(make_officer("clerk", area=counter.area)).get(
        reverse("staff:holder", args=[card.holder_id])).content.decode()
    assert 'data-reader-go="unblock"' in html and 'data-reader-go="block"' not in html
    memory = chip.memory
    assert press(counter, card, "block")["outcome"] == "good", "a second press does no harm"
    assert chip.memory == memory and ChipOrder.objects.filter(what="block").count() == 1
    assert press(counter, card, "unblock")["outcome"] == "good"
    assert Card.get(card.pk).state == "active" and not locked(chip)


def test_another_card_on_the_reader_blocks_nobody(room, counter):
    first, _ = make_issued(room, counter)
    room.empty()
    batch, chip = make_batch(counter), blank_chip(counter, uid=bytes(range(7)))
    room.lay(chip)
    take_results(counter, batch, make_on(counter, batch))
    second = Card.objects.get(items__batch=batch)
    cards.hand_over(second, by=counter.clerk, request_id=request_id(), at=NOON)
    assert press(counter, first, "block")["outcome"] == "another-card"
    assert Card.get(first.pk).state == "active" and Card.get(second.pk).state == "issued" and not locked(chip)


def test_a_card_that_is_taken_away_is_blocked_in_the_record_and_the_page_says_that_the_chip_does_not_know_it(
        room, counter):
    card, chip = make_issued(room, counter)

    def away(_step, _said):
        if Card.get(card.pk).state == "suspended" and room._inside:
            room.empty()
    said = press(counter, card, "block", between=away)
    assert said["outcome"] == "no-card" and "Its chip does not know it yet" in said["words"]
    assert Card.get(card.pk).state == "suspended" and not locked(chip)
    room.lay(chip)
    assert press(counter, card, "block")["outcome"] == "good" and locked(chip)


def test_no_card_on_the_reader_blocks_nothing(room, counter):
    card, _ = make_issued(room, counter)
    room.empty()
    assert press(counter, card, "block")["outcome"] == "no-card"
    assert Card.get(card.pk).state == "active" and not Reading.objects.filter(outcome="").exists()


@pytest.mark.parametrize("role", ["reviewer", "approver"])
def test_who_has_no_right_to_it_has_no_key_for_it(room, counter, role):
    card, _ = make_issued(room, counter)
    page = Visitor(make_officer(role, area=counter.area)).get(reverse("staff:holder", args=[card.holder_id]))
    assert b"data-reader-go" not in page.content
