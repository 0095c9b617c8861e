"""A card on the desk's reader, over real PC/SC: read, made, activated, blocked; and all that can go wrong."""

import base64
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pypdf
import pytest
from django.db import connection
from django.urls import reverse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import batches
from builders import NOON, make_actor, make_area, make_officer, request_id
from made_cards import finished_card, make_profile, make_records
from reading_desk import (
    ORIGIN,
    blank_chip,
    make_batch,
    make_counter,
    make_issued,
    make_on,
    take_results,
    talk,
    with_other_keys,
)
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.cards.models import Card, ChipOrder
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter
from zhengka.devices import queries, services
from zhengka.devices.models import Device, Psam, Reading
from zhengka.formats.chip import SoftCard
from zhengka.formats.chip.card import GET_UID, PowerCut
from zhengka.formats.chip.making import CODES as MAKING
from zhengka.formats.package import PackageReader
from zhengka.formats.results import ResultReader
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.production.models import Item
from zhengka.registry.models import Holder
from zhengka.web.staff.reader_words import NO_WORDS
from zhengka_reader import home as homes
from zhengka_reader import printing
from zhengka_reader.desk import CODES
from zhengka_reader.ledger import Ledger
from zhengka_reader.printing import Printer
from zhengka_reader.serve import Agent

UNPLUGGED = ("reader-gone", "pcsc-missing", "reader-fails")
"""What the system says of a reader that went: which of them is the driver's choice."""
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]
PROFILE = cards_known.profile(batches.PROFILE)


@pytest.fixture
def counter(db, room, tmp_path):
    return make_counter(tmp_path / "reader")


@pytest.mark.parametrize("action", ["stop", "lose", "retire"])
def test_a_reader_that_is_not_at_work_makes_no_card_any_more(room, counter, action):
    """Remote stop: neither what it signed is taken, nor is anything sealed for it."""
    batch, waiting = make_batch(counter), batches.make_ordered(area=counter.area)
    prepared = batches.prepare(batches.open_batch(counter.area, batch.maker))
    batches.make_ordered(area=counter.area)
    room.lay(blank_chip(counter))
    told = make_on(counter, batch)
    by = make_actor("system", area=counter.area)
    services.recall(Psam.objects.get(pk=counter.module.pk), by=make_actor("security", area=counter.area),
                    request_id=request_id(), at=NOON)
    services.change(counter.reader, action, by=by, request_id=request_id(), at=NOON)
    for act in (lambda: take_results(counter, batch, told), lambda: batches.send(prepared),
                lambda: batches.open_batch(counter.area, batch.maker)):
        with pytest.raises(Refusal, match="device-stopped"):
            act()
    assert Item.objects.get(batch=batch).card.state == "sent" and Card.get(waiting.pk).state == "prepared"
    if action == "stop":
        services.change(Device.objects.get(pk=counter.reader.pk), "start", by=by, request_id=request_id(), at=NOON)
        assert take_results(counter, batch, told).good == 1


class Copy:
    """A chip that tells everything that anybody may read of another one, and its identifier."""

    def __init__(self, card: SoftCard) -> None:
        self._card, self.atr = card, card.atr

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0x82:  # it takes the reader's proof unseen, and answers with what it has
            return bytes(8) + b"\x90\x00"
        return self._card.transmit(apdu)


class Told:
    """A chip that tells another identifier than its own."""

    def __init__(self, card: SoftCard, uid: bytes) -> None:
        self._card, self._uid, self.atr = card, uid, card.atr

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        return self._uid + b"\x90\x00" if apdu == GET_UID else self._card.transmit(apdu)


def ended(counter) -> dict[str, int]:
    return queries.outcomes(counter.reader, since=NOON)


def test_a_card_is_made_at_the_desk_and_is_ready_once_its_signed_results_are_taken_in(room, counter):
    batch, chip = make_batch(counter), blank_chip(counter)
    room.lay(chip)
    told = make_on(counter, batch)
    assert told["outcome"] == "good" and chip.state == "operational"
    batch = take_results(counter, batch, told)
    item = Item.objects.get(batch=batch)
    assert (batch.good, item.outcome, item.card.state, bytes(item.card.uid)) == (1, "good", "ready", chip.uid)


def test_a_card_that_is_laid_down_proves_itself_and_is_found_and_its_module_counts_one_use(room, counter):
    card, _ = make_issued(room, counter)
    before = Psam.objects.get(pk=counter.module.pk).uses
    said = talk(counter)
    assert (said.reading.outcome, said.card) == ("good", card)
    assert said.reading.subject_id == card.pk and said.reading.seed is None
    assert Psam.objects.get(pk=counter.module.pk).uses == before + 1
    seen = Device.objects.get(pk=counter.reader.pk)
    assert (seen.health, seen.seen_at) == ("good", NOON)
    told = json.dumps(said.reading.exchanges)
    assert "田野".encode("gb18030").hex() not in told, "nothing of the person is read at the desk"


def test_the_term_goes_to_the_chip_once_and_the_chip_vouches_for_it(room, counter):
    card, chip = make_issued(room, counter)
    said = talk(counter, "write", card)
    assert (said.reading.outcome, said.reading.purpose, said.card) == ("good", "activate", card)
    [file] = [file for file in chip.memory.applications[PROFILE.aid].files.values() if file.fid == b"\x00\x17"]
    assert file.content[:4].hex() == f"{card.active_until:%Y%m%d}"
    [row] = ChipOrder.objects.all()
    assert (row.what, row.state, row.until) == ("activate", "applied", card.active_until)
    memory = chip.memory
    with pytest.raises(Refusal, match="chip-says-all"):
        talk(counter, "write", card)
    ChipOrder.objects.filter(pk=row.pk).update(state="superseded", receipt=None, applied_at=None)
    assert talk(counter, "write", card).reading.outcome == "good" and chip.memory == memory, "a repeat does no harm"


def of_term(chip: SoftCard, term: str) -> SoftCard:
    """The same chip, with another last day of its term in it."""
    own = chip.memory.applications[PROFILE.aid]
    file = own.files[b"\x00\x17"]
    return SoftCard.of(chip.memory.with_application(own.with_file(file.written(0, bytes.fromhex(term)))))


@pytest.mark.parametrize("told, term, outcome", [
    (False, "", "good"), (False, "20991231", "differs"), (False, "20000101", "good"),
    (True, "", "good"), (True, "20991231", "differs"), (True, "20000101", "differs")])
def test_a_chip_tells_the_term_for_which_it_vouched_and_never_one_that_nobody_gave(room, counter, told, term, outcome):
    """Before it was told nobody knows what it took of a write that was cut: an older day, then, and none later."""
    card, chip = make_issued(room, counter)
    if told:
        assert talk(counter, "write", card).reading.outcome == "good"
    room.empty()
    room.lay(of_term(chip, term) if term else chip)
    assert talk(counter).reading.outcome == outcome


def test_new_data_are_written_at_the_desk_and_nothing_of_the_person_stays_in_the_reading(room, counter):
    card, chip = make_issued(room, counter)
    talk(counter, "write", card)
    Holder.objects.filter(pk=card.holder_id).update(name="田小野")
    cards.ask_chip(card, "update", by=counter.clerk, request_id=request_id(), at=NOON)
    said = talk(counter, "write", card)
    assert (said.reading.outcome, said.reading.purpose) == ("good", "update")
    held = b"".join(file.content for file in chip.memory.applications[PROFILE.aid].files.values())
    spelled = "田小野".encode("gb18030")
    assert spelled in held and spelled.hex() not in json.dumps(said.reading.exchanges)
    assert any(command.startswith("~") for command, _ in said.reading.exchanges)


def test_an_order_that_is_overtaken_while_the_card_lies_there_is_not_noted_as_done(room, counter):
    card, _ = make_issued(room, counter)

    def lost(number, told):
        if number == 3:
            cards.report_lost(card, by=counter.clerk, request_id=request_id(), at=NOON)
    said = talk(counter, "write", card, between=lost)
    assert (said.reading.outcome, said.reading.purpose) == ("order-changed", "activate")
    assert talk(counter, "write", card).reading.purpose == "block"
    assert sorted(ChipOrder.objects.values_list("what", "state")) == [("activate", "superseded"), ("block", "applied")]


def test_a_blocked_card_is_locked_in_its_chip_and_unlocked_when_it_is_found(room, counter):
    card, _ = make_issued(room, counter)
    card = cards.report_lost(card, by=counter.clerk, request_id=request_id(), at=NOON)
    said = talk(counter, "write", card)
    assert (said.reading.outcome, said.reading.purpose) == ("good", "block")
    assert talk(counter).reading.outcome == "locked"
    with pytest.raises(Refusal, match="chip-says-all"):
        talk(counter, "write", card)
    with pytest.raises(Refusal, match="step-not-open"):
        talk(counter, "unlock", card)
    card = cards.report_found(card, by=counter.clerk, request_id=request_id(), at=NOON)
    said = talk(counter, "write", card)
    assert (said.reading.outcome, said.reading.purpose) == ("good", "unblock")
    assert talk(counter).card == card


def test_no_key_of_a_card_is_left_in_rows_or_on_the_pc(room, counter):
    card, _ = make_issued(room, counter)
    talk(counter)
    talk(counter, "write", card)
    drawn = keys.card_keys(card.serial[:6], "SM", keys.CARD_SLOTS, [card.serial], at=NOON)
    left = b"".join(path.read_bytes() for path in counter.home.rglob("*") if path.is_file())
    with connection.cursor() as cursor:
        for table in ("devices_device", "devices_psam", "devices_reading", "core_event"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            left += (cursor.fetchone()[0] or "").encode()
    assert card.serial.encode() in left, "it is looked where the card left its traces"
    for [key] in drawn.values.values():
        for shape in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key)):
            assert shape not in left


def page_after(counter, role: str, *, card: Card | None = None) -> str:
    """Where the page's script is sent to once the card that lies there was read for an officer, or how that ended."""
    visitor, desk = Visitor(make_officer(role, area=counter.area)), counter.desk()

    def send(path: str, **told: object) -> dict:
        return json.loads(visitor.post(path, json.dumps(told), content_type="application/json").content)
    said = send(reverse("staff:reader-begin"), key=bytes(counter.reader.key_id).hex(), purpose="identify",
                card=card.pk if card else None)
    while "commands" in said:
        said = send(said["step"], **desk.answer({
            "do": "carry", "nonce": said["nonce"], "number": said["number"], "commands": said["commands"]}))
    desk.close()
    return said.get("to", said["outcome"])


def test_a_card_laid_down_opens_its_holders_page_within_the_officers_walls(room, counter):
    card, _ = make_issued(room, counter)
    its_own, holders = reverse("staff:card", args=[card.pk]), reverse("staff:holder", args=[card.holder_id])
    assert page_after(counter, "clerk") == holders
    assert page_after(counter, "clerk", card=card) == its_own, "who was on the card's page stays there"
    assert page_after(counter, "producer") == its_own, "who sees no holders sees the card"
    Holder.objects.filter(pk=card.holder_id).update(area=make_area(430702, name="武陵区"))
    assert page_after(counter, "clerk") == "unknown-card", "of another office's holder nothing is shown"


# --- what goes wrong has a name, is counted, and leaves nothing half done ---

def test_a_card_taken_away_at_any_step_ends_the_reading_by_name_and_the_next_one_is_good(room, counter):
    card, chip = make_issued(room, counter)
    steps = talk(counter).reading.steps
    for at in range(steps):
        said = talk(counter, between=lambda number, told, at=at: room.empty() if number == at else None)
        if said.reading.outcome == "good":  # it was taken away after the last answer
            assert at == steps - 1
        else:
            assert (said.reading.outcome, said.card) == ("card-removed", None)
        room.empty()
        room.lay(chip)
    assert ended(counter)["card-removed"] == steps - 1
    assert talk(counter).card == card


def test_a_term_that_is_cut_off_leaves_the_old_or_the_new_and_the_next_try_writes_it(room, counter):
    card, chip = make_issued(room, counter)
    before = chip.memory
    chip.power_cut_after(1)
    cut = talk(counter, "write", card).reading
    assert cut.outcome == "card-removed" and chip.memory == before
    room.empty()
    room.lay(chip)
    assert talk(counter, "write", card).reading.outcome == "good" and chip.memory != before


def test_another_card_laid_down_half_way_is_seen(room, counter):
    _, chip = make_issued(room, counter)
    other = SoftCard.of(chip.memory)

    def swap(number, told):
        if number == 1:
            room.empty()
            room.lay(other)
    assert talk(counter, between=swap).reading.outcome == "card-removed"


def test_cards_on_two_readers_no_card_and_no_reader_service_have_names(room, counter):
    assert talk(counter).reading.outcome == "no-card"
    _, chip = make_issued(room, counter)
    room.lay(SoftCard.of(chip.memory), slot=1)
    assert talk(counter).reading.outcome == "two-cards"
    room.empty()
    room.crash()
    assert talk(counter).reading.outcome == "pcsc-missing"
    room.begin()
    assert ended(counter) == {"no-card": 1, "two-cards": 1, "pcsc-missing": 1}


@pytest.mark.parametrize("purpose", ["identify", "write"])
def test_a_reader_unplugged_in_the_middle_of_a_reading_ends_it_by_name_and_leaves_nothing_half_done(
        room, counter, purpose):
    card, chip = make_issued(room, counter)
    before, desk = chip.memory, counter.desk()
    told_card = card if purpose == "write" else None
    said = talk(counter, purpose, told_card, desk=desk,
                between=lambda number, told: room.unplug() if number == 2 else None)
    assert said.reading.outcome in UNPLUGGED and said.card is None and chip.memory == before
    assert NO_WORDS[said.reading.outcome][1], "the page says what to do"
    assert talk(counter, purpose, told_card, desk=desk).reading.outcome == "no-reader"
    room.plug()
    room.lay(SoftCard.of(before))
    assert talk(counter, purpose, told_card, desk=desk).card == card, "the same page reads on once it is plugged in"
    desk.close()
    assert ended(counter) == {said.reading.outcome: 1, "no-reader": 1, "good": 1}


def test_a_reader_unplugged_while_a_card_is_made_makes_a_suspect_one(room, counter):
    batch, chip = make_batch(counter), blank_chip(counter)

    class Unplugs(Told):
        """At its ninth command the reader goes."""

        asked = 0

        def transmit(self, apdu: bytes) -> bytes:
            self.asked += 1
            if self.asked == 9:
                room.kill()
            return super().transmit(apdu)

    room.lay(Unplugs(chip, chip.uid))
    told = make_on(counter, batch)
    room.end()
    room.begin()
    assert told["outcome"] == "suspect" and take_results(counter, batch, told).suspect == 1


def test_a_blank_chip_is_not_our_card(room, counter):
    room.lay(blank_chip(counter))
    assert talk(counter).reading.outcome == "not-our-card"


def test_a_copy_that_knows_everything_but_the_key_is_not_believed(room, counter):
    _, chip = make_issued(room, counter)
    room.empty()
    room.lay(Copy(chip))
    said = talk(counter)
    assert (said.reading.outcome, said.card) == ("not-authentic", None)


def test_a_chip_that_lies_about_its_identifier_is_another_chip_for_every_purpose(room, counter):
    card, chip = make_issued(room, counter)
    room.empty()
    room.lay(Told(chip, bytes(7)))
    memory = chip.memory
    assert [talk(counter).reading.outcome, talk(counter, "write", card).reading.outcome] == ["another-chip"] * 2
    assert chip.memory == memory


def test_a_card_of_another_area_is_unknown_here(room, counter):
    card, _ = make_issued(room, counter)
    Card.objects.filter(pk=card.pk).update(area_id=make_area(430702, name="武陵区").pk)
    assert talk(counter).reading.outcome == "unknown-card"


def test_a_record_that_says_otherwise_than_the_chip_is_found(room, counter):
    card, _ = make_issued(room, counter)
    for changed in ({"valid_until": card.valid_until.replace(year=2035)}, {"credential": b"another"}):
        Card.objects.filter(pk=card.pk).update(**changed)
        assert talk(counter).reading.outcome == "differs"
        card.save(update_fields=list(changed))
    assert talk(counter).reading.outcome == "good"


def test_the_term_of_one_card_is_not_written_to_another(room, counter):
    first, _ = make_issued(room, counter)
    room.empty()
    batch, chip = make_batch(counter), blank_chip(counter, uid=bytes(range(7)))
    room.lay(chip)
    take_results(counter, batch, make_on(counter, batch))
    memory = chip.memory
    assert talk(counter, "write", first).reading.outcome == "another-chip" and chip.memory == memory


@pytest.mark.parametrize(("change", "outcome"), [
    (lambda told: {**told, "answers": ["9000"]}, "wrong-signature"),
    (lambda told: {**told, "uid": "00" * 7}, "wrong-signature"),
    (lambda told: {**told, "number": told["number"] + 1}, "wrong-signature"),
    (lambda told: {**told, "signature": "00" * 64}, "wrong-signature"),
    (lambda told: {**told, "answers": []}, "garbled"),
    (lambda told: {**told, "answers": ["zz"]}, "garbled"),
    (lambda told: {}, "garbled")])
def test_what_the_reader_did_not_sign_is_not_believed(room, counter, change, outcome):
    make_issued(room, counter)
    said = talk(counter, between=lambda number, told: change(told) if number == 2 else None)
    assert (said.reading.outcome, said.card) == (outcome, None)


def test_a_step_that_was_overheard_is_of_no_use_in_another_reading(room, counter):
    make_issued(room, counter)
    heard = {}
    talk(counter, between=lambda number, told: heard.setdefault(number, told) and None)
    assert talk(counter, between=lambda number, told: heard[number]).reading.outcome == "wrong-signature"


def test_a_reading_that_takes_too_long_and_one_of_a_colleague_are_refused(room, counter):
    make_issued(room, counter)
    said = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-found"):
        cards.carried(said.reading, {}, by=make_actor("clerk", area=counter.area), at=NOON)
    late = NOON.replace(minute=services.MINUTES + 1)
    assert cards.carried(said.reading, {}, by=counter.clerk, at=late).reading.outcome == "overtime"


def test_a_chip_whose_keys_are_not_ours_loses_no_try_however_often_it_is_laid_down(room, counter):
    card, chip = make_issued(room, counter)
    other = with_other_keys(chip, "control", "maintenance", "reader", "internal")
    before = other.memory
    for _ in range(10):
        room.empty()
        room.lay(other)
        assert talk(counter).reading.outcome == "not-authentic"
    assert talk(counter, "write", card).reading.outcome == "another-chip"
    assert other.memory == before


def test_a_card_that_refused_us_is_asked_again_only_on_purpose_and_loses_at_most_one_try(room, counter):
    card, chip = make_issued(room, counter)
    other = with_other_keys(chip, "reader")
    left = lambda: other.memory.applications[PROFILE.aid].keys[PROFILE.slot("reader")].left  # noqa: E731
    before, said = left(), []
    for _ in range(10):
        room.empty()
        room.lay(other)
        said.append(talk(counter).reading.outcome)
    assert said == ["gate-refused"] + ["tried-before"] * 9 and left() == before - 1
    assert talk(counter, "identify-again").reading.outcome == "gate-refused" and left() == before - 2
    assert talk(counter).reading.outcome == "tried-before" and left() == before - 2
    room.empty()
    room.lay(chip)
    assert talk(counter).reading.outcome == "tried-before", "by identifier and number it is the same card"
    assert talk(counter, "identify-again").card == card
    assert talk(counter).card == card, "once it accepted us all is as before"


def test_a_card_that_refused_us_at_one_office_loses_no_try_at_another(room, counter, tmp_path):
    """At a city's office, of whose readings the district's sees none."""
    card, chip = make_issued(room, counter)
    above = make_counter(tmp_path / "city", Area.objects.get(pk=counter.area.parent_id))
    other = with_other_keys(chip, "reader")
    room.empty()
    room.lay(other)
    assert talk(above).reading.outcome == "gate-refused"
    left = other.memory
    assert talk(counter).reading.outcome == "tried-before" and other.memory == left
    enter(connection, counter.clerk.lo, counter.clerk.hi)
    assert not Reading.objects.filter(reader=above.reader).exists()
    assert queries.refused_us(card.pk, chip.uid, cards.LOOKS)
    assert not Reading.objects.filter(reader=above.reader).exists(), "only the one answer came from beyond"


def test_what_a_card_of_another_number_refused_is_not_held_against_this_one(room, counter):
    first, chip = make_issued(room, counter)
    room.empty()
    room.lay(with_other_keys(chip, "reader"))
    assert talk(counter).reading.outcome == "gate-refused"
    room.empty()
    second, _ = make_issued(room, counter, active=False, uid=bytes(range(7)))
    assert talk(counter).card == second != first


@pytest.mark.parametrize("action", ["stop", "unpair"])
def test_a_reader_that_is_stopped_while_it_reads_stops_at_once(room, counter, action):
    card, chip = make_issued(room, counter)
    by, before = make_actor("system", area=counter.area), chip.memory

    def stop(number, told):
        if number == 3:
            services.change(Device.objects.get(pk=counter.reader.pk), action, by=by, request_id=request_id(), at=NOON)
            row = Reading.objects.latest("pk")
            assert (row.outcome, row.ended_at, row.seed) == ("reader-stopped", NOON, None), "it does not wait for night"
    said = talk(counter, "write", card, between=stop)
    assert (said.reading.outcome, said.card) == ("reader-stopped", None)
    assert chip.memory == before and not Reading.objects.filter(outcome="").exists()
    assert NO_WORDS[said.reading.outcome][1], "the page says what to do"
    with pytest.raises(Refusal, match="device-stopped"):
        services.begin_reading(Device.objects.get(pk=counter.reader.pk), "identify", by=counter.clerk, at=NOON)


def test_a_reading_that_was_begun_beside_the_stop_ends_with_its_next_step(room, counter):
    make_issued(room, counter)

    def stop(number, told):
        if number == 2:
            Device.objects.filter(pk=counter.reader.pk).update(state="stopped")
    assert talk(counter, between=stop).reading.outcome == "reader-stopped"


@pytest.mark.parametrize("purpose", ["identify", "write"])
@pytest.mark.parametrize("end", [services.recall, services.lose_module, services.unbind])
def test_a_reader_whose_module_is_gone_answers_nothing_for_any_purpose_and_the_reading_ends_by_name(
        room, counter, monkeypatch, purpose, end):
    card, chip = make_issued(room, counter)
    by = make_actor("security", area=counter.area)
    end(Psam.objects.get(pk=counter.module.pk), by=by, request_id=request_id(), at=NOON)
    before, drawn = chip.memory, []
    real = keys.reading_keys
    monkeypatch.setattr(keys, "reading_keys", lambda *a, **k: drawn.append(a) or real(*a, **k))
    said = talk(counter, purpose, card if purpose == "write" else None)
    assert (said.reading.outcome, said.card, drawn) == ("psam-missing", None, [])
    assert said.reading.ended_at == NOON and ended(counter) == {"psam-missing": 1}
    assert chip.memory == before and Psam.objects.get(pk=counter.module.pk).uses == 0


def test_what_is_written_to_a_chip_counts_as_a_use_of_the_module_once(room, counter):
    card, _ = make_issued(room, counter)
    assert talk(counter, "write", card).reading.outcome == "good"
    assert Psam.objects.get(pk=counter.module.pk).uses == 1


def test_a_module_lost_in_the_middle_of_a_write_answers_no_more_for_the_next_one(room, counter):
    card, _ = make_issued(room, counter)
    by = make_actor("security", area=counter.area)

    def lose(number, told):
        if number == 1:
            services.lose_module(Psam.objects.get(pk=counter.module.pk), by=by, request_id=request_id(), at=NOON)
    assert talk(counter, "write", card, between=lose).reading.outcome == "psam-missing"
    assert ChipOrder.objects.get().state == "ordered", "it is told the chip when a module answers again"


@pytest.mark.parametrize(("make", "outcome"), [
    (lambda key: Key.objects.filter(pk=key.pk).update(state="retired"), "key-retired"),
    (lambda key: Key.objects.filter(pk=key.pk).update(not_before=date(2030, 1, 1), works_until=date(2031, 1, 1),
                                                      not_after=date(2040, 1, 1)), "key-not-yet"),
    (lambda key: keys.store().destroy(key.label), "key-missing")])
def test_keys_that_are_retired_missing_or_not_valid_yet_are_named_and_the_card_loses_no_try(
        own_store, room, counter, make, outcome):
    _, chip = make_issued(room, counter)
    before = chip.memory
    for key in Key.objects.filter(purpose="card_master"):
        make(key)
    assert talk(counter).reading.outcome == outcome and chip.memory == before


def test_a_card_that_goes_to_another_office_while_it_is_written_ends_the_reading_by_name(room, counter):
    card, _ = make_issued(room, counter)
    other = make_area(430702, name="武陵区")

    def moved(number, told):
        if number == 3:
            Card.objects.filter(pk=card.pk).update(area=other)
    assert talk(counter, "write", card, between=moved).reading.outcome == "order-changed"
    assert ended(counter) == {"order-changed": 1}


def test_a_reading_whose_page_was_closed_is_ended_and_counted_at_night_and_one_at_work_is_not(counter):
    def left(at):
        return services.begin_reading(counter.reader, "identify", by=counter.clerk, at=at)
    long, now = left(NOON), left(NOON + timedelta(hours=15))
    night = NOON + timedelta(hours=15, minutes=1)
    assert [services.end_left_readings(at=night), services.end_left_readings(at=night)] == [1, 0]
    long, now = Reading.objects.get(pk=long.pk), Reading.objects.get(pk=now.pk)
    assert (long.outcome, long.ended_at, long.seed, now.outcome) == ("overtime", night, None, "")
    assert ended(counter) == {"overtime": 1}


def test_a_card_of_another_suite_laid_down_again_and_again_loses_no_try(room, counter):
    card, _ = make_issued(room, counter)
    room.empty()
    profile = make_profile(suite="INTL")
    [record] = make_records(1)
    for change, outcome in (({}, "unknown-card"), ({"serial": card.serial}, "another-suite")):
        chip = finished_card(profile, record | change)
        before = chip.memory
        room.lay(chip)
        assert [talk(counter).reading.outcome for _ in range(16)] == [outcome] * 16
        assert chip.memory == before and ended(counter)[outcome] == 16
        room.empty()


def test_an_office_that_changes_the_suite_reads_the_cards_that_it_made_before(room, counter, monkeypatch):
    card, _ = make_issued(room, counter)
    named = cards_known.policy(counter.area.code, NOON.date())
    monkeypatch.setattr(cards_known, "policy", lambda *_: named._replace(profile="disability-one-card-intl"))
    assert talk(counter).card == card
    Card.objects.filter(pk=card.pk).update(profile="disability-one-card-intl")
    assert talk(counter).reading.outcome == "another-suite", "what the record says is held against the chip"


class Hanging:
    """A chip that answers so many commands, then none: it hangs until it is let go, or answers no byte."""

    def __init__(self, card: SoftCard, answers: int, *, hangs: bool) -> None:
        self._card, self._left, self._hangs = card, answers, hangs
        self.atr, self.let_go = card.atr, threading.Event()

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        self._left -= 1
        if self._left >= 0:
            return self._card.transmit(apdu)
        if self._hangs:
            self.let_go.wait(20)
            raise PowerCut("taken away")
        return b""


@pytest.mark.parametrize("hangs", [True, False])
@pytest.mark.parametrize("purpose", ["identify", "write"])
def test_a_card_that_says_nothing_any_more_ends_the_reading_by_name_in_time_and_nothing_is_half_done(
        room, counter, hangs, purpose):
    card, chip = make_issued(room, counter)
    room.empty()
    silent, memory = Hanging(chip, 3, hangs=hangs), chip.memory
    room.lay(silent)
    began, desk = time.monotonic(), counter.desk(patience=0.5)
    try:
        said = talk(counter, purpose, card if purpose == "write" else None, desk=desk)
        assert (said.reading.outcome, said.card) == ("card-mute", None) and chip.memory == memory
        assert time.monotonic() - began < 8, "nobody waits for it"
    finally:
        silent.let_go.set()
    room.empty()
    room.lay(chip)
    assert talk(counter, desk=desk).card == card, "the same desk serves the next card"
    desk.close()
    assert ended(counter) == {"card-mute": 1, "good": 1}


def test_a_chip_that_hangs_while_it_is_made_is_suspect_and_the_desk_answers_in_time(room, counter):
    batch, chip = make_batch(counter), blank_chip(counter)
    silent = Hanging(chip, 9, hangs=True)
    room.lay(silent)
    desk, began = counter.desk(patience=0.5), time.monotonic()
    package = base64.b64encode(batches.package_path(batch).read_bytes()).decode()
    try:
        told = desk.answer({"do": "make", "package": package})
    finally:
        silent.let_go.set()
    desk.close()
    assert told["outcome"] == "suspect" and time.monotonic() - began < 8
    assert take_results(counter, batch, told).suspect == 1


# --- making at the desk ---

def test_a_card_cut_off_while_it_is_made_is_suspect_and_a_repeat_tells_the_same(room, counter):
    batch, chip = make_batch(counter), blank_chip(counter)
    chip.power_cut_after(7)
    room.lay(chip)
    told = make_on(counter, batch)
    assert told["outcome"] == "suspect"
    room.empty()
    other = blank_chip(counter, uid=bytes(range(7)))
    room.lay(other)
    again = make_on(counter, batch)
    assert again["results"].splitlines()[:-1] == told["results"].splitlines()[:-1], "all but the signature's own chance"
    assert other.state == "blank", "no second card is made of one order"
    batch = take_results(counter, batch, told)
    assert (batch.suspect, Item.objects.get(batch=batch).card.state) == (1, "suspect")


def test_a_blank_chip_laid_down_in_place_of_a_half_written_one_does_not_vouch_for_it(room, counter):
    batch, chip, other = make_batch(counter), blank_chip(counter), blank_chip(counter, uid=bytes(range(7)))

    class Swapped(Told):
        """Half written, it goes, and another one answers from the next power on."""

        def transmit(self, apdu: bytes) -> bytes:
            if self._card is chip and chip.state == "personalising" and apdu[1] == 0xD4:
                self._card, self._uid = other, other.uid
                return bytes(400)  # more than any answer: the reader gives up
            return super().transmit(apdu)

    room.lay(Swapped(chip, chip.uid))
    assert make_on(counter, batch)["outcome"] == "suspect"
    assert other.state == "blank" and chip.state == "personalising"


def test_a_chip_that_is_none_of_ours_or_holds_a_card_makes_nothing_and_another_may_be_taken(room, counter):
    batch = make_batch(counter)
    told = make_on(counter, batch)
    assert told["no"] == "no-card"
    make_issued(room, counter)
    assert make_on(counter, batch)["no"] == "not-blank"
    room.empty()
    room.lay(blank_chip(counter, uid=bytes(range(7))))
    assert make_on(counter, batch)["outcome"] == "good"


@pytest.mark.parametrize("chip_keys, told_uid, reason", [
    (True, bytes.fromhex("04DEADBEEF0001"), "not-authentic"), (False, None, "no-channel")])
def test_a_chip_that_lies_about_its_identifier_or_has_no_channel_becomes_no_card_and_is_counted(
        room, counter, chip_keys, told_uid, reason):
    batch, chip = make_batch(counter), blank_chip(counter)
    if not chip_keys:
        chip = SoftCard.of(replace(chip.memory, channel=None))
    room.lay(Told(chip, told_uid or chip.uid))
    told = make_on(counter, batch)
    assert (told["outcome"], told["reason"]) == ("spoiled", MAKING[reason])
    assert chip.state == "blank" and not chip.memory.applications
    batch = take_results(counter, batch, told)
    assert (batch.good, batch.spoiled, Item.objects.get(batch=batch).card.state) == (0, 1, "spoiled")


def test_what_was_overheard_while_a_card_was_made_at_the_desk_makes_no_second_one(room, counter):
    batch, chip, heard = make_batch(counter), blank_chip(counter), []

    class Ear(Told):
        def transmit(self, apdu: bytes) -> bytes:
            heard.append(apdu)
            return super().transmit(apdu)

    room.lay(Ear(chip, chip.uid))
    told = make_on(counter, batch)
    assert take_results(counter, batch, told).good == 1
    for uid in (chip.uid, bytes(range(7))):
        other = blank_chip(counter, uid=uid)
        for apdu in heard:
            other.transmit(apdu)
        assert (other.state, other.memory.applications) == ("blank", {})
    package = PackageReader(batches.package_path(batch), homes.private_key(counter.home),
                            homes.issuer_key(counter.home, ORIGIN))
    with package:
        [order] = [order for member in package.members if member.cards and member.name.startswith("cards")
                   for order in package.orders(member)]
    assert not any(command in apdu for command in order.commands for apdu in heard), "nothing went in clear"


def test_the_agent_that_died_in_the_middle_of_a_card_says_that_nobody_knows_what_it_holds(room, counter):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    told = make_on(counter, batch)
    [ledger] = (counter.home / "made").iterdir()
    begun, _end = ledger.read_text().splitlines()
    ledger.write_text(begun + "\n" + '{"serial": "43')  # the power went while the end was written
    again = make_on(counter, batch)
    assert told["outcome"] == "good" and again["outcome"] == "suspect"


def test_a_package_for_another_maker_of_more_cards_or_damaged_is_refused_before_any_chip_is_touched(
        room, counter, tmp_path):
    batch, chip, area = make_batch(counter), blank_chip(counter), counter.area
    room.lay(chip)
    other = batches.make_maker(tmp_path / "other", area)
    batches.make_ordered(area=area)
    elsewhere = batches.send(batches.prepare(batches.open_batch(area, other)))
    assert make_on(counter, elsewhere)["no"] == "package-broken"
    assert counter.desk().answer({"do": "make", "package": "AAAA"})["no"] == "package-broken"
    (counter.home / "issuer-cards.example.cn.json").unlink()
    assert make_on(counter, batch)["no"] == "not-trusted"
    assert chip.state == "blank"


PRINTER = """import sys
import threading
from dataclasses import replace
from pathlib import Path
words = sys.argv[1:]
folder = Path(words[words.index("-d") + 1])
if not folder.is_dir():
    sys.exit("lp: The printer or class does not exist.")
(folder / (words[words.index("-t") + 1] + ".pdf")).write_bytes(sys.stdin.buffer.read())
print("request id is 1")
"""


@pytest.fixture
def queue(tmp_path):
    """A print queue that is a folder, and the program that puts jobs into it."""
    program = tmp_path / "lp"
    program.write_text(f"#!{sys.executable}\n{PRINTER}")
    program.chmod(0o755)
    (tmp_path / "queue").mkdir()
    return Printer(str(tmp_path / "queue"), str(program))


def test_the_face_of_a_good_card_is_printed_both_sides_and_no_other(room, counter, queue):
    batch, bad = make_batch(counter), blank_chip(counter)
    bad.power_cut_after(7)
    room.lay(bad)
    assert make_on(counter, batch, printer=queue)["outcome"] == "suspect"
    assert not list(Path(queue.queue).iterdir())
    room.empty()
    batch = make_batch(counter)
    room.lay(blank_chip(counter, uid=bytes(range(7))))
    assert make_on(counter, batch, printer=queue)["outcome"] == "good"
    [job] = Path(queue.queue).iterdir()
    serial = Item.objects.get(batch=batch).card.serial
    assert job.name == f"{serial}.pdf" and len(pypdf.PdfReader(job).pages) == 2


def test_a_printer_that_takes_no_job_makes_a_spoiled_card_and_says_why(room, counter, queue):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    told = make_on(counter, batch, printer=queue._replace(queue="/nowhere"))
    assert told["outcome"] == "spoiled" and "does not exist" in told["reason"]
    assert take_results(counter, batch, told).spoiled == 1


class Killed(BaseException):
    """The program is ended in the middle."""


def test_a_program_killed_between_chip_and_print_prints_when_it_is_asked_again_and_once(
        room, counter, queue, monkeypatch):
    batch, chip = make_batch(counter), blank_chip(counter)
    room.lay(chip)
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "face_sent", killed)
        with pytest.raises(Killed):
            make_on(counter, batch, printer=queue)
    assert chip.state == "operational" and not list(Path(queue.queue).iterdir())
    assert make_on(counter, batch)["no"] == "no-printer", "a good card without its face is not handed out"
    told = make_on(counter, batch, printer=queue)
    [job] = Path(queue.queue).iterdir()
    assert told["outcome"] == "good" and len(pypdf.PdfReader(job).pages) == 2
    job.unlink()
    assert make_on(counter, batch, printer=queue)["outcome"] == "good" and not job.exists(), "it is printed once"
    assert take_results(counter, batch, told).good == 1


def test_a_program_killed_while_the_printer_takes_the_face_makes_a_suspect_card_and_no_second_job(
        room, counter, queue, monkeypatch):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    with monkeypatch.context() as patched:
        patched.setattr(printing, "put", killed)
        with pytest.raises(Killed):
            make_on(counter, batch, printer=queue)
    told = make_on(counter, batch, printer=queue)
    assert (told["outcome"], list(Path(queue.queue).iterdir())) == ("suspect", [])
    assert "nobody knows" in told["reason"] and take_results(counter, batch, told).suspect == 1


def killed(*_told, **_more):
    raise Killed


def test_the_reader_knows_every_no_of_its_own_and_understands_no_nonsense(counter):
    desk = counter.desk()
    for asked in ({}, {"do": "fly"}, {"do": "carry"}, {"do": "carry", "nonce": "00", "number": 0, "commands": []},
                  {"do": "carry", "nonce": "00" * 16, "number": 0, "commands": ["00"]}, {"do": ["list"]},
                  {"do": "carry", "nonce": "00" * 16, "number": 1e999, "commands": []},
                  {"do": "make", "package": 7}):
        assert desk.answer(asked)["no"] in CODES


def test_results_of_the_desk_are_signed_by_the_readers_key(room, counter, tmp_path):
    batch = make_batch(counter)
    room.lay(blank_chip(counter))
    path = tmp_path / "results.jsonl"
    path.write_text(make_on(counter, batch)["results"])
    reader = ResultReader(path, queries.key_of(counter.reader))
    assert reader.counts.good == 1 and reader.info.batch == batch.number


# --- the agent's door ---

@pytest.fixture
def agent(counter):
    served = Agent(counter.home, port=0)
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    yield served
    served.close()
    thread.join(5)


def test_only_pages_of_paired_sites_on_loopback_get_in(agent):
    address = f"ws://127.0.0.1:{agent.port}"
    with connect(address, origin=ORIGIN) as page:
        page.send('{"do": "hello"}')
        assert json.loads(page.recv())["paired"] is True
        page.send("no json")
        assert json.loads(page.recv())["no"] == "not-understood"
    for wrong in ({}, {"origin": "https://evil.example"}, {"origin": ORIGIN + ".evil.example"}):
        with pytest.raises(InvalidStatus, match="403"), connect(address, **wrong):
            pass
    for host in (f"rebound.example:{agent.port}", "127.0.0.1.evil.example", ""):
        page = HTTPConnection("127.0.0.1", agent.port)
        page.request("GET", "/", headers={
            "Host": host, "Origin": ORIGIN, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(), "Sec-WebSocket-Version": "13"})
        assert page.getresponse().status == 403, "a name that was turned to loopback is none of ours"
        page.close()


def test_the_agent_listens_on_loopback_alone(agent):
    assert agent._server.socket.getsockname()[0] == "127.0.0.1"


def test_the_agent_shares_nothing_with_the_platform_but_the_formats():
    code = "import sys, zhengka_reader.__main__; print(*sorted(n for n in sys.modules if n.startswith('zhengka.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.split(".")[1] for name in done.stdout.split()} == {"formats"}
    assert "django" not in done.stdout

