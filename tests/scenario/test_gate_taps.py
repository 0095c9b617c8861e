"""A card is held to a gate whose page uses the desk agent, over real PC/SC: by the module in the second slot, without a
network, or by the server's key store.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.urls import reverse
from websockets.sync.client import connect

from builders import NOON, make_actor, make_area, make_officer, request_id
from ceremonies import Hall
from made_cards import UID
from reading_desk import ORIGIN, make_counter, make_issued, talk, with_chip_module, with_other_keys
from visits import Visitor
from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.devices import queries, services
from zhengka.devices.models import Psam, Reading
from zhengka.formats.chip import PowerCut, SoftCard, gate, psam
from zhengka.formats.chip.psam import MODULE_KEYS, SoftModule
from zhengka.formats.reading import is_gate
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka_reader.serve import Agent

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]
NONCE = bytes(range(16))
ALONE = """
import json, sys
from pathlib import Path
from zhengka_reader.desk import Desk
desk = Desk(Path(sys.argv[1]), sys.argv[2])
print(json.dumps(desk.answer(json.load(sys.stdin))))
desk.close()
"""


@pytest.fixture
def tapped(db, room, tmp_path):
    """A counter with a card on the first slot and its module, a chip, in the second."""
    counter = make_counter(tmp_path / "reader")
    card, chip = make_issued(room, counter)
    return counter, card, chip, with_chip_module(counter, room)


def plan_of(counter) -> dict:
    """What the gate's page was told while it had a network."""
    return json.loads(json.dumps(cards.gate_plan(counter.area, at=NOON).told()))


def asked(counter, **more) -> dict:
    return {"do": "gate-read", "plan": plan_of(counter), "nonce": NONCE.hex(), **more}


def tap(counter, **more) -> dict:
    page = counter.desk()
    told = page.answer(asked(counter, **more))
    page.close()
    return told


def of_record(card: Card) -> dict:
    card = cards_known.by_serial(card.serial, actor=make_actor("clerk", area=card.area))
    return {"serial": card.serial, "issuer": f"{card.area_id:012d}", "issued": card.issued_on.isoformat(),
            "valid_until": card.valid_until.isoformat(), "activation_until": card.issued_on.isoformat(),
            "category": card.certificate.category, "grade": card.certificate.grade,
            "credential": bytes(card.credential).hex()}


def test_a_gate_on_a_pc_without_any_network_reads_what_it_needs_and_both_are_proven(tapped):
    counter, card, _, module = tapped
    before = module._memory.about.uses
    told = json.loads(subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", ALONE, str(counter.home), ORIGIN],
        input=json.dumps(asked(counter)), capture_output=True, text=True, check=True, timeout=60).stdout)
    assert told.get("no") is None, told
    assert told["fields"] == of_record(card) and told["proven"] is True and told["commands"] == 8
    assert told["module"]["number"] == counter.module.number
    assert told["module"]["uses"] == module._memory.about.uses == before + 2, "it counts its own answers"


def test_a_gate_read_is_signed_by_its_reader_for_this_question_alone(tapped):
    counter, *_ = tapped
    told = tap(counter)
    said = {name: told[name] for name in ("fields", "uid", "module")}
    key, signature = queries.key_of(counter.reader), bytes.fromhex(told["signature"])
    assert is_gate(key, signature, nonce=NONCE, told=said) and told["key"] == key.key_id.hex()
    assert not is_gate(key, signature, nonce=bytes(16), told=said)
    assert not is_gate(key, signature, nonce=NONCE, told=said | {"fields": said["fields"] | {"grade": 9}})


def test_a_page_may_ask_for_less_and_never_for_a_name(tapped):
    counter, card, *_ = tapped
    assert tap(counter, needed=["serial", "valid_until"])["fields"] == {
        "serial": card.serial, "valid_until": of_record(card)["valid_until"]}
    told = tap(counter, needed=list(gate.NEEDED))
    assert told["commands"] == 6 and "credential" not in told["fields"]
    assert tap(counter, needed=["serial", "name"])["no"] == "not-understood"


def test_the_page_of_a_paired_site_taps_by_the_agents_door(tapped):
    counter, card, *_ = tapped
    agent = Agent(counter.home, port=0)
    thread = threading.Thread(target=agent.run, daemon=True)
    thread.start()
    with connect(f"ws://127.0.0.1:{agent.port}", origin=ORIGIN) as page:
        page.send(json.dumps(asked(counter)))
        assert json.loads(page.recv())["fields"]["serial"] == card.serial
    agent.close()
    thread.join(5)


@pytest.mark.parametrize("plan", [None, 7, {}, {"profiles": [], "modules": {}}, {"profiles": [{}], "modules": {}},
                                  {"profiles": [[1]], "modules": {}}, {"profiles": "x", "modules": {"1": {}}}])
def test_what_is_no_plan_is_not_understood_and_no_card_is_touched(tapped, plan):
    counter, _, chip, module = tapped
    memories = chip.memory, module._memory
    assert tap(counter, plan=plan)["no"] == "not-understood" and (chip.memory, module._memory) == memories


def test_a_module_that_the_plan_does_not_know_is_asked_for_no_answer(tapped):
    counter, _, chip, module = tapped
    by = make_actor("security", area=counter.area)
    services.recall(Psam.objects.get(pk=counter.module.pk), by=by, request_id=request_id(), at=NOON)
    memories = chip.memory, module._memory
    assert tap(counter)["no"] == "psam-missing" and (chip.memory, module._memory) == memories


def test_a_card_whose_keys_read_no_more_is_named_offline_and_loses_no_try(own_store, tapped):
    counter, _, chip, _ = tapped
    old = Key.objects.get(purpose="card_master", slot="reader", state="active")
    Hall().hold("rotate", old, slot="reader", overlap_until=NOON.date() + timedelta(days=30))
    assert tap(counter)["proven"], "in the overlap both read"
    memory, late = chip.memory, NOON + timedelta(days=31)
    plan = cards.gate_plan(counter.area, at=late).told()
    assert tap(counter, plan=plan)["no"] == "key-not-read" and chip.memory == memory


def test_a_card_of_another_region_is_named_and_nothing_speaks_against_it(tapped, room):
    counter, _, chip, _ = tapped
    module = SoftModule(kek=bytes(16), suite=SUITES["SM"])
    about = psam.Told(counter.module.number, "430702", 100, 0)
    for command in psam.script(about, cards_known.profile("disability-placeholder"),
                               keys.region_keys("430702", "SM", MODULE_KEYS, at=NOON), bytes(16)):
        assert module.transmit(command) == b"\x90\x00"
    lay_both(room, chip, module)
    memory = chip.memory
    assert tap(counter)["no"] == gate.ANOTHER_REGION
    assert chip.memory == memory and module._memory.about.uses == 0


def test_a_card_that_does_not_accept_the_gates_key_is_asked_again_on_purpose_alone(tapped, room):
    counter, _, chip, _ = tapped
    module, region = SoftModule(kek=bytes(16), suite=SUITES["SM"]), f"{counter.area.code // 10**6:06d}"
    false = {name: bytes(16) for name in keys.region_keys(region, "SM", MODULE_KEYS, at=NOON)}
    for command in psam.script(psam.Told(counter.module.number, region, 100, 0),
                               cards_known.profile("disability-placeholder"), false, bytes(16)):
        assert module.transmit(command) == b"\x90\x00"
    lay_both(room, chip, module)
    agent = Agent(counter.home, port=0)
    thread = threading.Thread(target=agent.run, daemon=True)
    thread.start()

    def no(**more) -> str:
        with connect(f"ws://127.0.0.1:{agent.port}", origin=ORIGIN) as page:  # anew for each tap
            page.send(json.dumps(asked(counter, **more)))
            return json.loads(page.recv())["no"]
    assert no() == "gate-refused"
    memory = chip.memory
    assert no() == "tried-before" and chip.memory == memory
    assert no(again=True) == "gate-refused" and chip.memory != memory
    agent.close()
    thread.join(5)


def test_a_copy_and_what_is_no_card_of_ours_have_names(tapped, room):
    class Copy(SoftCard):
        """It takes every gate and has no key."""

        def transmit(self, apdu: bytes) -> bytes:
            return bytes(8) + b"\x90\x00" if apdu[1] == 0x82 else super().transmit(apdu)
    counter, _, chip, module = tapped
    lay_both(room, Copy.of(chip.memory), module)
    assert tap(counter)["no"] == "not-authentic"
    lay_both(room, SoftCard(uid=UID, kek=bytes(16), suite=SUITES["SM"]), module)
    assert tap(counter)["no"] == "not-our-card"


def test_a_card_taken_away_or_missing_and_a_missing_module_have_names(tapped, room):
    class Cut(SoftCard):
        """It leaves before it answers the gate's proof."""

        def transmit(self, apdu: bytes) -> bytes:
            if apdu[1] == 0x82:
                raise PowerCut
            return super().transmit(apdu)
    counter, _, chip, module = tapped
    lay_both(room, Cut.of(chip.memory), module)
    assert tap(counter)["no"] in ("card-removed", "card-mute", "reader-fails")
    room.empty()
    room.lay(module, slot=1)
    assert tap(counter)["no"] == "no-card"
    room.empty()
    room.lay(chip)
    assert tap(counter)["no"] == "no-module", "the page asks the server then"


def lay_both(room, card, module) -> None:
    room.empty()
    room.lay(card)
    room.lay(module, slot=1)


# --- the gate's keys are in the server's key store, or the server asks the chip ---

@pytest.fixture
def online(db, room, tmp_path) -> Iterator:
    counter = make_counter(tmp_path / "reader")
    return counter, *make_issued(room, counter)


def test_where_the_module_is_software_the_server_reads_and_keeps_nothing_of_the_person(online):
    counter, card, chip = online
    seen = []
    said = talk(counter, cards.GATE, between=lambda *_: seen.append(Reading.objects.get().exchanges))
    assert said.reading.outcome == "good" and said.reading.subject_id == card.pk
    assert said.read["serial"] == card.serial and said.read["category"] == of_record(card)["category"]
    assert "name" not in said.read and Psam.objects.get(pk=counter.module.pk).uses == 1
    row = Reading.objects.get(pk=said.reading.pk)
    assert row.seed is None and all(answer.startswith("~") for _, answer in row.exchanges)
    kept = json.dumps([row.exchanges, seen])
    name = card.holder.name.encode("gb18030")
    assert any(name in file.content for each in chip.memory.applications.values() for file in each.files.values())
    assert name.hex() not in kept and card.serial not in kept


def test_the_server_asks_the_chip_in_the_second_slot_where_one_is_bound(tapped):
    counter, card, _, module = tapped
    said = talk(counter, cards.GATE)
    assert said.read["serial"] == card.serial and module._memory.about.uses == 3


def test_a_gate_reads_the_card_of_another_office_and_sees_nothing_else_of_it(online):
    counter, card, _ = online
    Card.objects.filter(pk=card.pk).update(area=make_area(430702, name="武陵区"))
    said = talk(counter, cards.GATE)
    assert said.read["serial"] == card.serial and said.card is None


def test_a_card_that_no_office_knows_and_a_chip_that_is_another_pass_no_gate(online):
    counter, card, _ = online
    Card.objects.filter(pk=card.pk).update(uid=bytes(7))
    assert talk(counter, cards.GATE).reading.outcome == "another-chip"
    Card.objects.filter(pk=card.pk).update(serial="4301040000009999")
    assert talk(counter, cards.GATE).reading.outcome == "unknown-card"


def test_a_card_that_refused_us_at_a_gate_or_at_a_desk_loses_no_try_at_the_other(online, room):
    counter, _, chip = online
    room.empty()
    other = with_other_keys(chip, "reader")
    room.lay(other)
    assert talk(counter, cards.GATE).reading.outcome == "gate-refused"
    memory = other.memory
    for purpose in (cards.GATE, "identify"):
        assert talk(counter, purpose).reading.outcome == "tried-before"
    assert other.memory == memory


def test_a_page_of_the_site_taps_by_the_server_and_is_told_the_fields_alone(online):
    counter, card, _ = online
    clerk, page = Visitor(make_officer("clerk", area=counter.area)), counter.desk()

    def sent(path: str, **told) -> dict:
        return json.loads(clerk.post(path, json.dumps(told), content_type="application/json").content)
    said = sent(reverse("staff:reader-begin"), key=bytes(counter.reader.key_id).hex(), purpose="gate")
    while "commands" in said:
        told = page.answer({"do": "carry", "nonce": said["nonce"], "number": said["number"],
                            "commands": said["commands"], "slot": said["slot"]})
        said = sent(said["step"], **told)
    page.close()
    assert said["fields"] == of_record(card) and said["proven"] is True and "to" not in said
