"""A security module as a chip in the second slot, over real PC/SC: made, bound, counted, recalled, lost."""

import pytest

from builders import NOON, make_actor, make_area, request_id
from readers import SLOTS
from reading_desk import Counter, make_counter, make_issued
from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.core.errors import Refusal
from zhengka.devices import services
from zhengka.devices.models import Device, Psam
from zhengka.formats.chip import psam
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.psam import MODULE_KEYS, SoftModule
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys
from zhengka_reader.pcsc import Readers, card_on

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]
PROFILE = "disability-placeholder"


@pytest.fixture
def counter(db, room, tmp_path):
    return make_counter(tmp_path / "reader")


def security(counter: Counter):
    return make_actor("security", area=counter.area)


def blank(counter: Counter) -> SoftModule:
    return SoftModule(kek=keys.blank_card_key(counter.area.code, "SM", at=NOON), suite=SUITES["SM"])


def make(counter: Counter, row: Psam) -> Psam:
    """The module in the second slot is made, over the reader."""
    with card_on(SLOTS[1]) as slot:
        return cards.make_module(row, slot, cards_known.profile(PROFILE), by=security(counter), request_id=request_id(),
                                 at=NOON)


def issue(counter: Counter) -> Psam:
    return services.issue(counter.area, "chip", "SM", by=security(counter), request_id=request_id(), at=NOON)


def make_gate(counter: Counter) -> Device:
    about = services.About("gate", "南门闸机", "公园南门", "周敏")
    return services.register(counter.area, about, by=make_actor("system", area=counter.area), request_id=request_id(),
                             at=NOON)


def at_gate(counter: Counter):
    """A card on the first slot is read by the module in the second one."""
    with Readers() as readers, readers.connect(SLOTS[0]) as card, readers.connect(SLOTS[1]) as slot:
        return cards.read_at_gate(card, slot, cards_known.profile(PROFILE), by=counter.clerk, at=NOON)


@pytest.fixture
def bound(room, counter):
    """A card on the first slot, and a module at work in the second one."""
    make_issued(room, counter)
    chip = blank(counter)
    room.lay(chip, slot=1)
    row = make(counter, issue(counter))
    row = services.bind(row, make_gate(counter), by=security(counter), request_id=request_id(), at=NOON)
    return row, chip


def test_a_module_in_the_second_slot_reads_a_card_at_a_gate_and_its_uses_are_taken_over(counter, bound):
    row, _ = bound
    found = at_gate(counter)
    assert set(found.fields) >= {"serial", "category", "grade", "valid_until"} and "name" not in found.fields
    assert Psam.objects.get(pk=row.pk).uses == 2
    at_gate(counter)
    assert Psam.objects.get(pk=row.pk).uses == 4


@pytest.mark.parametrize("end", [services.recall, services.lose_module, services.unbind])
def test_a_module_that_was_recalled_lost_or_taken_off_answers_for_nobody(counter, bound, end):
    row, _ = bound
    end(row, by=security(counter), request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="psam-missing"):
        at_gate(counter)
    assert Psam.objects.get(pk=row.pk).uses == 0, "it was not even asked"


def test_a_module_that_counts_fewer_answers_than_are_known_is_a_copy(counter, bound):
    row, _ = bound
    Psam.objects.filter(pk=row.pk).update(uses=50)
    with pytest.raises(Refusal, match="psam-behind"):
        at_gate(counter)


def test_a_module_of_another_office_is_not_admitted_here(counter, bound):
    other = Counter(counter.area, make_actor("clerk", area=make_area(430702, name="武陵区")), counter.reader,
                    counter.module, counter.home)
    with pytest.raises(Refusal, match="psam-missing"):
        at_gate(other)


def test_a_card_of_another_unit_than_the_modules_is_no_unreadable_card(counter, room, bound):
    row, _ = bound
    chip, unit = SoftModule(kek=bytes(16), suite=SUITES["SM"]), "430702"
    about = psam.Told(row.number, unit, 100, 0)
    for command in psam.script(about, cards_known.profile(PROFILE), keys.region_keys(unit, "SM", MODULE_KEYS, at=NOON),
                               bytes(16)):
        chip.transmit(command)
    card = room._inside[0].card
    room.empty()
    room.lay(card)
    room.lay(chip, slot=1)
    with pytest.raises(Refusal, match="module-of-another-region"):
        at_gate(counter)
    assert Psam.objects.get(pk=row.pk).uses == 0


def test_a_card_in_the_modules_slot_and_an_empty_one_have_names(room, counter):
    _, chip = make_issued(room, counter)
    room.lay(type(chip).of(chip.memory), slot=1)
    with pytest.raises(Refusal, match="psam-unfit"):
        at_gate(counter)
    with pytest.raises(Refusal, match="psam-unfit"):
        make(counter, issue(counter))


def test_a_card_that_is_no_card_of_ours_costs_the_module_no_answer(room, counter, bound):
    row, chip = bound
    room.empty()
    room.lay(chip, slot=1)
    room.lay(blank(counter))
    with pytest.raises(CardRefused, match="not-our-card"):
        at_gate(counter)
    assert Psam.objects.get(pk=row.pk).uses == 0


def test_a_module_whose_making_was_cut_off_answers_nothing_and_a_repeat_finishes_it(room, counter):
    class Cut(SoftModule):
        """Taken away after its first key."""

        left = 2

        def transmit(self, apdu: bytes) -> bytes:
            self.left -= 1
            return super().transmit(apdu) if self.left >= 0 else b"\x6f\x00"
    chip = Cut(kek=keys.blank_card_key(counter.area.code, "SM", at=NOON), suite=SUITES["SM"])
    room.lay(chip, slot=1)
    row = issue(counter)
    with pytest.raises(Refusal, match="psam-unfit"):
        make(counter, row)
    assert Psam.objects.get(pk=row.pk).state == "issued"
    chip.left = 1000
    assert make(counter, row).state == "initialised"
