"""A gate reads a card: few commands, both sides proven, and a copy is found out."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from made_cards import (
    KEK,
    blank_chip,
    make_keys,
    make_profile,
    make_records,
    master_key,
    whole_profile,
    written_card,
)
from zhengka.formats import serial
from zhengka.formats.chip import Profile, SoftCard, compile_many, gate, readback, reading_plan, secure
from zhengka.formats.chip.plan import GatePlan, PlanBroken, plan_of
from zhengka.formats.suites import SUITES
from zhengka.formats.tlv import encode

PROFILE = make_profile()
[RECORD] = make_records(1)


def module(profile: Profile, *, wrong: str = "", versions: tuple[int, ...] = (1,)) -> gate.Answer:
    """A gate's security module with the tests' master keys of these versions, one of them wrong if asked for."""
    suite = SUITES[profile.suite]
    read = {version: version for version in versions}

    def answer(purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        master = bytes(16) if purpose == wrong else master_key(purpose, read[version])
        [key] = suite.diversify(master, [serial.factor(number)])
        return secure.answer(suite, key, challenge)

    return answer


def finished(profile: Profile = PROFILE) -> SoftCard:
    card = written_card(profile, RECORD)
    readback(card, reading_plan(profile), RECORD["serial"])
    card.reset()
    return card


def of_version(version: int) -> SoftCard:
    """A card that was made when the masters had this number."""
    profile = PROFILE.with_versions({key.purpose: version for key in PROFILE.keys})
    [script] = compile_many(profile, [RECORD], keys_by_slot=make_keys(profile, [RECORD], version=version), kek=KEK)
    card = blank_chip(profile)
    for command in script.commands:
        assert card.transmit(command) == b"\x90\x00"
    readback(card, reading_plan(profile), RECORD["serial"])
    card.reset()
    return card


def refusal(card: Any, *, wrong: str = "", versions: tuple[int, ...] = (1,)) -> str:
    with pytest.raises(gate.CardRefused) as refused:
        gate.read(card, PROFILE, module(PROFILE, wrong=wrong, versions=versions))
    return refused.value.code


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_a_gate_has_what_it_needs_after_six_commands(suite: str):
    profile = make_profile(suite=suite)
    found = gate.read(finished(profile), profile, module(profile))
    assert found.commands <= 6
    assert found.fields == {name: RECORD[name] for name in gate.NEEDED}
    assert found.fields["valid_until"] == dt.date(2028, 6, 30)


def test_a_gate_reads_cards_of_every_version_that_its_module_has_and_spends_no_try_of_another():
    for version in (1, 2, 255):
        found = gate.read(of_version(version), PROFILE, module(PROFILE, versions=(1, 2, 255)))
        assert found.commands <= 6 and found.fields["serial"] == RECORD["serial"]
    old = of_version(1)
    before = old.memory
    assert refusal(old, versions=(2,)) == "key-not-read" and old.memory == before


def test_a_card_that_tells_no_versions_when_it_is_selected_is_asked_for_them():
    class Plain:
        card = of_version(2)

        def transmit(self, apdu: bytes) -> bytes:
            answer = self.card.transmit(apdu)
            return answer.replace(encode(0x85, bytes.fromhex("010204020204030204040204")), b"")

    found = gate.read(Plain(), PROFILE, module(PROFILE, versions=(2,)))
    assert found.commands == 7 and found.fields == {name: RECORD[name] for name in gate.NEEDED}


def test_a_card_that_lies_about_its_version_proves_nothing():
    memory = of_version(2).memory
    held = memory.applications[PROFILE.aid]
    for secret in held.keys.values():
        held = held.with_key(replace(secret, entry=secret.entry._replace(version=1)))
    assert refusal(SoftCard.of(memory.with_application(held)), versions=(1, 2)) == "gate-refused"


def test_a_card_of_the_other_suite_is_named_and_loses_no_try_however_often_it_is_laid_down():
    card = finished(make_profile(suite="INTL"))
    before = card.memory
    assert {refusal(card) for _ in range(20)} == {"another-suite"}
    assert card.memory == before


def test_the_version_of_a_key_on_a_chip_is_one_byte():
    with pytest.raises(ValueError, match="one byte"):
        PROFILE.with_versions({"reader": 256})
    assert {key.version for key in PROFILE.with_versions({"reader": 9}).keys if key.purpose == "reader"} == {9}


def test_a_gate_does_not_ask_for_the_name():
    assert "name" not in gate.read(finished(), PROFILE, module(PROFILE)).fields
    assert gate.read(finished(), PROFILE, module(PROFILE), needed=("name",)).fields == {"name": RECORD["name"]}


def test_a_copy_that_has_the_data_but_not_the_keys_is_found_out():
    memory = finished().memory
    application = memory.applications[PROFILE.aid]
    slot = PROFILE.slot("internal")
    copied = application.with_key(replace(application.keys[slot], key=bytes(16)))
    assert refusal(SoftCard.of(memory.with_application(copied))) == "not-authentic"


def test_a_card_that_says_another_serial_is_found_out():
    memory = finished().memory
    application = memory.applications[PROFILE.aid]
    [other] = make_records(1, start=1)
    file = application.files[b"\x00\x15"].written(0, bytes.fromhex(other["serial"]))
    assert refusal(SoftCard.of(memory.with_application(application.with_file(file)))) == "gate-refused"


def test_a_card_refuses_a_gate_with_another_key():
    assert refusal(finished(), wrong="reader") == "gate-refused"


def test_a_card_that_false_gates_have_blocked_says_so():
    card = finished()
    for _ in range(15):
        refusal(card, wrong="reader")
    assert refusal(card) == "gate-blocked"


def test_a_card_of_another_kind_is_not_ours():
    assert refusal(blank_chip(PROFILE)) == "not-our-card"


def test_a_locked_card_says_so():
    memory = finished().memory
    locked = replace(memory.applications[PROFILE.aid], locked=True)
    assert refusal(SoftCard.of(memory.with_application(locked))) == "locked"


@pytest.mark.parametrize("answer", [b"", b"\x90\x00", b"\xff" * 32 + b"\x90\x00", b"\x6f\x00", bytes(300)])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_card_that_answers_nonsense_anywhere_is_refused_by_name(at: int, answer: bytes):
    class Odd:
        card, asked = finished(), 0

        def transmit(self, apdu: bytes) -> bytes:
            self.asked += 1
            return answer if self.asked == at else self.card.transmit(apdu)

    if at == 1 and answer[-2:] == b"\x90\x00":
        return  # a reader does not need the FCI
    assert refusal(Odd()) in ("unreadable", "gate-refused", "not-authentic")


def test_a_card_is_read_by_the_first_layout_of_its_application_and_suite():
    profiles = [make_profile(), whole_profile(suite="INTL")]
    for profile in (make_profile(), make_profile(suite="INTL")):
        card = finished(profile)
        shown, found = gate.look_among(card, profiles)
        assert (found.suite, found.aid) == (profile.suite, profile.aid) and shown.fields["serial"] == RECORD["serial"]
        assert gate.go_on(shown, found, module(profile)).commands <= 6
    with pytest.raises(gate.CardRefused, match="another-suite"):
        gate.look_among(finished(), profiles[1:])
    other = PROFILE.main._replace(aid=b"another")
    another = PROFILE._replace(applications=(other,))
    with pytest.raises(gate.CardRefused, match="not-our-card"):
        gate.look_among(finished(), [another])
    assert gate.look_among(finished(), [another, *profiles])[1] == profiles[0], "names that it has not are passed over"


def test_a_plan_comes_through_json_as_it_was_told():
    plan = GatePlan((make_profile(), whole_profile(suite="INTL")), {
        "4301040000000001": ("SM", frozenset({("reader", 1), ("reader", 2), ("internal", 1)}))})
    assert plan_of(json.loads(json.dumps(plan.told()))) == plan


@pytest.mark.parametrize("data", [
    None, [], {"profiles": []}, {"profiles": [], "modules": {}}, {"profiles": [{}], "modules": {}},
    {"profiles": [[PROFILE.title]], "modules": {}}, {"profiles": [json.loads(PROFILE.canonical)] * 101, "modules": {}},
    {"profiles": [json.loads(PROFILE.canonical)], "modules": {"1": {"suite": "SM"}}},
    {"profiles": [json.loads(PROFILE.canonical)], "modules": {"1": {"suite": "SM", "reads": {"reader": "x"}}}},
    {"profiles": [json.loads(PROFILE.canonical)], "modules": {"1": {"suite": "SM", "reads": {"reader": [1e999]}}}},
    {"profiles": [json.loads(PROFILE.canonical) | {"applications": ["x"]}], "modules": {}}])
def test_what_is_no_plan_is_refused(data):
    with pytest.raises(PlanBroken):
        plan_of(data)
