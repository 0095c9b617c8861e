"""Instant issue walks the path of a batch: the reader signs which blank card it used, and the ledger has it."""

import pytest

import stocking
from builders import NOON
from reading_desk import blank_chip, make_batch, make_counter, make_on, take_results
from zhengka.core.actors import SYSTEM
from zhengka.core.models import Event
from zhengka.devices import queries as devices
from zhengka.production import queries, services
from zhengka.production.models import Finding
from zhengka.stock import queries as stock
from zhengka.stock.models import Slip

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


@pytest.fixture
def counter(db, room, tmp_path):
    counter = make_counter(tmp_path / "reader")
    name = queries.desk_maker(counter.reader.name, counter.area.code)
    maker = services.enrol_maker(name, devices.key_of(counter.reader), by=SYSTEM)
    stocking.feed(maker, stocking.loaded(counter.area, 2001, 2010))
    return counter


def test_the_blank_card_of_instant_issue_is_used_up_in_the_desks_machine_and_a_repeat_names_the_same(room, counter):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    assert queries.next_blank(batch) == 2001, "the next one that was loaded is offered"
    made = make_on(counter, batch, blank="2001")
    again = make_on(counter, batch, blank="2005")["results"]
    assert again.splitlines()[:-1] == made["results"].splitlines()[:-1], "what was told first stays so"
    batch = take_results(counter, batch, made)
    assert (batch.good, stock.of_batch(batch.number, NOON), queries.next_blank(batch)) == (1, {"issue": 1}, 2002)
    taken = Event.objects.get(subject="batch", subject_id=batch.pk, action="receive")
    operator = Slip.objects.get(batch=batch.number).operator
    assert operator == taken.actor_name != batch.maker.name, "the officer at the desk, not the reader"


def test_an_instant_card_without_its_blanks_serial_is_suspect(room, counter):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    assert make_on(counter, batch, blank="x1")["no"] == "not-understood"
    batch = take_results(counter, batch, make_on(counter, batch))
    assert (batch.good, batch.suspect, Finding.objects.get().code) == (0, 1, "blank-unnamed")
