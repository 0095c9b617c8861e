"""A rotation from end to end (密钥轮换): the master's number is on the chip, both versions are read and written through
the overlap, and when it is over the old ones are refused by name, unless they were brought to the new keys before.
"""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from builders import NOON, request_id
from ceremonies import Hall, use_store
from reading_desk import make_counter, make_issued, make_module, talk
from zhengka.cards import key_use
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.formats.chip import agreement, applying
from zhengka.keys import services
from zhengka.keys.models import Key
from zhengka.production import services as production

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]
LAST = NOON.date() + dt.timedelta(days=30)
IN, OVER = NOON + dt.timedelta(days=30), NOON + dt.timedelta(days=31)


@pytest.fixture
def counter(db, room, settings, tmp_path):
    use_store("file", settings, tmp_path)
    return make_counter(tmp_path / "reader")


def rotate() -> None:
    """A ceremony for each master of the cards; the version before reads until LAST."""
    hall = Hall()
    for key in Key.objects.filter(purpose="card_master", state="active").order_by("slot"):
        row = hall.hold("rotate", key, slot=key.slot, overlap_until=LAST)
        assert (row.state, row.key.number) == ("done", key.number + 1)


def versions(chip) -> set[int]:
    [held] = chip.memory.applications.values()
    return {secret.entry.version for secret in held.keys.values()}


def laid(room, chip):
    room.empty()
    room.lay(chip)


def make(room, counter, number):
    """A card of the desk in its holder's hands, on a chip of its own."""
    card, chip = make_issued(room, counter, active=False, uid=bytes([4, number, 0, 0, 0, 0, 0]))
    room.empty()
    return card, chip


def activate(room, counter, card, chip):
    """At the counter: in the record, and on the chip."""
    laid(room, chip)
    card = cards.activate(Card.get(card.pk), by=counter.clerk, request_id=request_id(), at=NOON)
    return talk(counter, "write", card).reading.outcome


def agrees(card, chip, at=NOON):
    """Print, chip, code and record are of one card."""
    told = production.inspection(card, at=at)
    seen = agreement.Seen(told.known.face, bytes(card.credential))
    return agreement.differences(chip, told.profile, told.known, seen, told.keys)


def test_cards_of_both_masters_are_read_and_written_through_the_overlap_and_old_ones_are_refused_after_it(
        room, counter):
    made = {number: make(room, counter, number) for number in (1, 2)}
    rotate()
    made[3] = make(room, counter, 3)
    assert [versions(chip) for _, chip in made.values()] == [{1}, {1}, {2}]
    assert all(agrees(*one) == [] for one in made.values()), "the look before a card is handed out"
    for card, chip in made.values():
        laid(room, chip)
        assert talk(counter).card == card
        assert activate(room, counter, card, chip) == "good"

    laid(room, made[2][1])
    assert cards.ask_chip(made[2][0], "upgrade", by=counter.clerk, request_id=request_id(), at=NOON).state == "ordered"
    assert talk(counter, "write", made[2][0]).reading.purpose == "upgrade"
    assert [versions(chip) for _, chip in made.values()] == [{1}, {2}, {2}]

    assert services.run_clocks(at=IN)[0] == 0 and services.run_clocks(at=OVER)[0] == 4
    for number, outcome in ((1, "key-not-read"), (2, "good"), (3, "good")):
        laid(room, made[number][1])
        assert talk(counter, at=OVER).reading.outcome == outcome
    old, chip = made[1]
    memory = chip.memory
    laid(room, chip)
    lost = cards.report_lost(Card.get(old.pk), by=counter.clerk, request_id=request_id(), at=OVER)
    assert talk(counter, "write", lost, at=OVER).reading.outcome == "key-not-read"
    assert chip.memory == memory, "nothing was tried on it"


def test_a_card_of_a_retired_master_does_not_pass_the_look_before_it_is_handed_out(room, counter):
    card, chip = make(room, counter, 1)
    rotate()
    assert agrees(card, chip) == []
    services.run_clocks(at=OVER)
    assert [finding.code for finding in agrees(card, chip, at=OVER)] == ["keys-differ"]


def test_a_master_that_is_feared_lost_reads_no_card_from_the_moment_it_is_retired(room, counter):
    _, chip = make(room, counter, 1)
    rotate()
    laid(room, chip)
    for key in Key.objects.filter(purpose="card_master", state="retiring"):
        services.retire(key, by=Hall().by, request_id=request_id(), at=NOON)
    assert talk(counter).reading.outcome == "key-not-read"


def test_keys_of_one_purpose_may_be_of_another_version_than_the_rest(room, counter):
    hall, master = Hall(), Key.objects.get(purpose="card_master", slot="reader")
    hall.hold("rotate", master, slot="reader", overlap_until=LAST)
    card, chip = make(room, counter, 1)
    [held] = chip.memory.applications.values()
    assert {secret.entry.purpose: secret.entry.version for secret in held.keys.values()} == {
        "control": 1, "maintenance": 1, "reader": 2, "internal": 1}
    laid(room, chip)
    assert talk(counter).card == card


def test_a_module_that_is_bound_in_the_overlap_notes_both_masters(counter):
    rotate()
    noted = make_module(counter.area).check_value.split()
    assert [one.partition("=")[0] for one in noted] == ["reader.2", "reader.1", "internal.2", "internal.1"]


def test_a_chip_tells_a_version_in_one_byte_and_the_tree_has_no_more(counter):
    key = Key.objects.get(purpose="card_master", slot="reader")
    with pytest.raises(IntegrityError, match="key_number_fits_a_chip"), transaction.atomic():
        Key.objects.filter(pk=key.pk).update(number=256)
    Key.objects.filter(pk=key.pk).update(number=255)
    with pytest.raises(Refusal, match="key-versions-used-up"):
        Hall().open("rotate", Key.get(key.pk), slot="reader")


def test_an_order_on_the_chip_says_in_its_receipt_which_keys_the_card_has_now(room, counter):
    card, chip = make(room, counter, 1)
    rotate()
    laid(room, chip)
    row = cards.ask_chip(card, "upgrade", by=counter.clerk, request_id=request_id(), at=NOON)
    assert talk(counter, "write", card).reading.outcome == "good"
    row.refresh_from_db()
    [receipt] = applying.read(bytes(row.receipt))
    assert dict(receipt.versions) == {1: 2, 2: 2, 3: 2, 4: 2}
    masters = Key.objects.filter(purpose="card_master")
    counted = {key.number: key_use.uses(Hall().by).get(key.pk, key_use.Use()).cards for key in masters}
    assert (counted[1], counted[2]) == ({}, {"issued": 1}), "it is counted under the keys that it has now"
