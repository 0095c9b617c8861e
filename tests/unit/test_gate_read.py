"""A gate reads a card: few commands, both sides proven, and a copy is found out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from made_cards import make_profile, make_records, master_key, written_card
from zhengka.formats import serial
from zhengka.formats.chip import Profile, SoftCard, gate, readback, reading_plan, secure
from zhengka.formats.suites import SUITES

PROFILE = make_profile()
[RECORD] = make_records(1)


def module(profile: Profile, *, wrong: str = "") -> Callable[[str, str, bytes], bytes]:
    """A gate's security module with the tests' master keys, one of them wrong if asked for."""
    suite = SUITES[profile.suite]

    def answer(purpose: str, number: str, challenge: bytes) -> bytes:
        master = bytes(16) if purpose == wrong else master_key(purpose)
        [key] = suite.diversify(master, [serial.factor(number)])
        return secure.answer(suite, key, challenge)

    return answer


def finished(profile: Profile = PROFILE) -> SoftCard:
    card = written_card(profile, RECORD)
    readback(card, reading_plan(profile), RECORD["serial"])
    card.reset()
    return card


def refusal(card: Any, *, wrong: str = "") -> str:
    with pytest.raises(gate.CardRefused) as refused:
        gate.read(card, PROFILE, module(PROFILE, wrong=wrong))
    return refused.value.code


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_a_gate_has_what_it_needs_after_six_commands(suite: str):
    profile = make_profile(suite=suite)
    found = gate.read(finished(profile), profile, module(profile))
    assert found.commands <= 6
    assert found.fields == {name: RECORD[name] for name in gate.NEEDED}
    assert found.fields["valid_until"] == dt.date(2028, 6, 30)


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
    from made_cards import blank_chip

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
