"""A desk whose security module is a chip in the second slot, over real PC/SC: picked by name, counted, or a copy."""

from datetime import timedelta

import pytest

from builders import NOON
from ceremonies import Hall
from readers import SLOTS
from reading_desk import make_counter, make_issued, talk, with_chip_module
from zhengka.cards import key_use
from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.devices.models import Psam, Reading
from zhengka.formats.chip import SoftCard, psam
from zhengka.formats.chip.psam import MODULE_KEYS, SoftModule
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.web.staff.reader_words import NO_WORDS
from zhengka_reader.__main__ import main as reader

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


@pytest.fixture
def desk(db, room, tmp_path):
    """A counter whose module is a chip in the second slot, with a card on the first; its software module is gone."""
    counter = make_counter(tmp_path / "reader")
    card, chip = make_issued(room, counter)
    return counter, card, chip, with_chip_module(counter, room)


def uses(counter):
    return Psam.objects.get(pk=counter.module.pk).uses


def stored(counter):
    return Psam.objects.get(pk=counter.module.pk).stored


def test_a_card_is_read_by_the_module_in_the_second_slot_and_each_answer_is_counted(desk):
    counter, card, _, module = desk
    said = talk(counter)
    assert (said.reading.outcome, said.card) == ("good", card)
    assert uses(counter) == module._memory.about.uses == 3
    told = [command for command, _ in said.reading.exchanges]
    assert any(command.startswith("psam 801a") for command in told), "the reading says what the module was asked"
    assert talk(counter).reading.outcome == "good" and uses(counter) == 6


def test_what_is_written_needs_the_module_to_be_bound_and_leaves_its_own_count(desk):
    counter, card, _, module = desk
    assert talk(counter, "write", card).reading.outcome == "good"
    assert uses(counter) == module._memory.about.uses == 0
    assert stored(counter) == 1, "the key store wrote in its place"
    assert talk(counter).reading.outcome == "good", "it is not behind"


def test_a_card_of_another_region_is_read_by_the_key_store_and_counted_beside_the_modules_own(desk, room):
    """Its holder moved here, or the office is above the unit that made it: the card is well, the module too."""
    counter, card, chip, _ = desk
    keys_of_it = keys.region_keys("430702", "SM", MODULE_KEYS, at=NOON)
    module = SoftModule(kek=bytes(16), suite=SUITES["SM"])
    about = psam.Told(counter.module.number, "430702", 100, 0)
    for command in psam.script(about, cards_known.profile("disability-placeholder"), keys_of_it, bytes(16)):
        assert module.transmit(command) == b"\x90\x00"
    room.empty()
    room.lay(chip)
    room.lay(module, slot=1)
    said = talk(counter)
    assert (said.reading.outcome, said.card) == ("good", card)
    assert (uses(counter), module._memory.about.uses, stored(counter)) == (0, 0, 1)
    assert not any(command.startswith("psam 801a") for command, _ in said.reading.exchanges)


@pytest.mark.parametrize("slot", MODULE_KEYS)
def test_a_chip_module_reads_the_cards_before_and_after_one_master_was_rotated_without_the_other(
        own_store, db, room, tmp_path, slot):
    counter = make_counter(tmp_path / "reader")
    before, first = make_issued(room, counter)
    old = Key.objects.get(purpose="card_master", slot=slot, state="active")
    Hall().hold("rotate", old, slot=slot, overlap_until=NOON.date() + timedelta(days=30))
    room.empty()
    after, _ = make_issued(room, counter, active=False, uid=bytes(range(7)))
    module = with_chip_module(counter, room)
    assert talk(counter).card == after and stored(counter) == 0
    room.empty()
    room.lay(first)
    room.lay(module, slot=1)
    assert talk(counter).card == before and (module._memory.about.uses, stored(counter)) == (6, 0)
    assert cards.lacking(Psam.objects.get(pk=counter.module.pk), NOON) == ()


def test_a_chip_module_that_was_made_before_a_rotation_names_what_it_lacks_and_the_desk_reads_on(own_store, desk, room):
    counter, _, _, module = desk
    old = Key.objects.get(purpose="card_master", slot="internal", state="active")
    new = Hall().hold("rotate", old, slot="internal", overlap_until=NOON.date() + timedelta(days=30)).key
    assert cards.lacking(Psam.objects.get(pk=counter.module.pk), NOON) == (f"internal.{new.number}",)
    assert new.pk not in key_use.uses(Hall().by), "it takes no key any more"
    room.empty()
    after, _ = make_issued(room, counter, active=False, uid=bytes(range(7)))
    room.lay(module, slot=1)
    assert talk(counter).card == after and stored(counter) == 1


def test_a_module_that_tells_one_region_and_answers_for_none_is_a_fault_of_the_module(desk, room):
    class Other(SoftModule):
        """It finds every card to be of another region."""

        def transmit(self, apdu: bytes) -> bytes:
            return b"\x6a\x80" if apdu[1] == 0x1A else super().transmit(apdu)
    counter, _, chip, module = desk
    other = Other(kek=bytes(16), suite=SUITES["SM"])
    other._memory = module._memory
    room.empty()
    room.lay(chip)
    room.lay(other, slot=1)
    assert talk(counter).reading.outcome == "psam-failed" and stored(counter) == 0


def test_who_is_who_is_told_and_neither_slot_is_taken_for_the_other(desk, room, capsys):
    counter, card, chip, module = desk
    assert reader(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{SLOTS[0]}: card", f"{SLOTS[1]}: security module"]
    page = counter.desk()
    assert page.answer({"do": "list"}) == {"readers": [{"name": SLOTS[0], "card": True, "what": "card"},
                                                       {"name": SLOTS[1], "card": False, "what": "module"}]}
    page.close()
    room.empty()
    room.lay(module, slot=0)
    assert talk(counter).reading.outcome == "no-card", "a module alone is no card"
    room.lay(chip, slot=1)
    assert talk(counter).card == card, "they may change places"
    room.empty()
    room.lay(chip, slot=0)
    room.lay(SoftCard.of(chip.memory), slot=1)
    assert talk(counter).reading.outcome == "two-cards"


def test_a_module_that_is_not_in_its_slot_is_named_and_the_card_loses_no_try(desk, room):
    counter, _, chip, _ = desk
    room.empty()
    room.lay(chip)
    memory = chip.memory
    assert talk(counter).reading.outcome == "no-module" and chip.memory == memory and uses(counter) == 0
    assert NO_WORDS["no-module"][1]


def test_a_module_taken_out_in_the_middle_ends_the_reading_by_name(desk, room):
    counter, *_ = desk
    said = talk(counter, between=lambda number, told: room._inside[-1].remove() if number == 6 else None)
    assert said.card is None and said.reading.outcome in ("card-removed", "reader-fails", "psam-failed")
    assert not Reading.objects.filter(outcome="").exists()


def test_a_copy_of_the_module_and_one_of_another_reader_answer_for_nobody(desk):
    counter, _, chip, _ = desk
    memory = chip.memory
    Psam.objects.filter(pk=counter.module.pk).update(number="4301040000999999")
    assert talk(counter).reading.outcome == "psam-missing"
    Psam.objects.filter(pk=counter.module.pk).update(number=counter.module.number, uses=50)
    assert talk(counter).reading.outcome == "psam-behind"
    assert chip.memory == memory
