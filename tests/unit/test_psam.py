"""A security module of chip kind: it answers for cards of its region alone, counts before it answers, and ends."""

import pytest

from made_cards import KEK, make_profile, make_records, master_key, written_card
from zhengka.formats import serial
from zhengka.formats.apdu import Command, decode_response, encode_command
from zhengka.formats.chip import gate, psam, readback, reading_plan, secure
from zhengka.formats.chip.psam import Module, ModuleFault, SoftModule, Told
from zhengka.formats.suites import SUITES

ABOUT = Told("4301040000000001", "430104", 100, 0)
[RECORD] = make_records(1)
SUITE_NAMES = pytest.mark.parametrize("suite", ["SM", "INTL"])


def made(suite: str = "SM", **changed: object) -> SoftModule:
    """A finished module with the tests' masters as the keys of its region."""
    profile, module = make_profile(suite=suite), SoftModule(kek=KEK, suite=SUITES[suite])
    keys = {(purpose, 1): master_key(purpose) for purpose in ("reader", "internal")}
    for command in psam.script(ABOUT._replace(**changed), profile, keys, KEK):
        assert module.transmit(command) == b"\x90\x00"
    module.reset()
    return module


def finished(suite: str = "SM"):
    profile = make_profile(suite=suite)
    card = written_card(profile, RECORD)
    readback(card, reading_plan(profile), RECORD["serial"])
    card.reset()
    return card


@SUITE_NAMES
def test_a_gate_reads_a_card_by_what_the_module_answers_and_each_answer_is_counted(suite: str):
    profile, chip = make_profile(suite=suite), made(suite)
    module = Module(chip, profile)
    found = gate.read(finished(suite), profile, module)
    assert found.fields["category"] == RECORD["category"] and found.commands <= 6
    assert module.told() == ABOUT._replace(uses=2)
    chip.reset()
    assert Module(chip, profile).told().uses == 2, "what it counted stays when the power goes"


def test_a_card_of_another_region_gets_no_answer_and_costs_none():
    module = Module(made(region="430102"), make_profile())
    with pytest.raises(gate.CardRefused, match="module-of-another-region"):
        gate.read(finished(), make_profile(), module)
    assert module.told().uses == 0


def test_a_card_whose_keys_are_of_a_version_that_the_module_does_not_have_is_named_and_costs_no_try():
    profile, chip = make_profile(), SoftModule(kek=KEK, suite=SUITES["SM"])
    keys = {(purpose, 2): master_key(purpose) for purpose in ("reader", "internal")}
    for command in psam.script(ABOUT, profile, keys, KEK):
        chip.transmit(command)
    with pytest.raises(gate.CardRefused, match="key-not-read"):
        gate.read(finished(), profile, Module(chip, profile))
    assert Module(chip, profile).told().uses == 0


def test_a_module_that_is_used_up_answers_no_more():
    module = Module(made(allowed=1), make_profile())
    with pytest.raises(ModuleFault) as spent:
        gate.read(finished(), make_profile(), module)
    assert spent.value.sw == 0x6983 and module.told().uses == 1


def test_a_module_with_another_key_is_refused_by_the_card():
    profile, chip = make_profile(), SoftModule(kek=KEK, suite=SUITES["SM"])
    for command in psam.script(ABOUT, profile, {("reader", 1): bytes(16), ("internal", 1): bytes(16)}, KEK):
        chip.transmit(command)
    with pytest.raises(gate.CardRefused, match="gate-refused"):
        gate.read(finished(), profile, Module(chip, profile))


def test_keys_are_loaded_under_the_transport_key_alone_and_never_once_it_is_finished():
    profile, suite = make_profile(), SUITES["SM"]
    [_, put, _] = psam.script(ABOUT, profile, {("reader", 1): bytes(16)}, KEK)
    [_, other, _] = psam.script(ABOUT, profile, {("reader", 1): bytes(16)}, bytes(16))
    blank = SoftModule(kek=KEK, suite=suite)
    blank.transmit(psam.SELECT)
    assert decode_response(blank.transmit(other)).sw == 0x6988
    assert decode_response(blank.transmit(put)).sw == 0x9000
    chip = made()
    chip.transmit(psam.SELECT)
    assert decode_response(chip.transmit(put)).sw == 0x6985


def test_one_draw_serves_one_answer_and_nothing_is_answered_unselected():
    profile, chip = make_profile(), made()
    draw = encode_command(Command(0x80, 0x1A, 1, profile.slot("reader"), serial.factor(RECORD["serial"])))
    ask = encode_command(Command(0x80, 0xFA, 0, 0, bytes(8), secure.CHALLENGE))
    assert decode_response(chip.transmit(ask)).sw == 0x6985
    chip.transmit(psam.SELECT)
    chip.transmit(draw)
    [key] = SUITES["SM"].diversify(master_key("reader"), [serial.factor(RECORD["serial"])])
    assert decode_response(chip.transmit(ask)) == (secure.answer(SUITES["SM"], key, bytes(8)), 0x9000)
    assert decode_response(chip.transmit(ask)).sw == 0x6985


@pytest.mark.parametrize("apdu", [b"", b"\x00", b"\xff\xca\x00\x00\x00", bytes(300), b"\x00\xa4\x04\x00\x01\x00",
                                  b"\x80\x1a\x00\x03\x02\x00\x00", b"\x00\xca\x00\x00\x00", b"\x00\xb0\x00\x00\x00"])
def test_whatever_comes_in_a_status_word_comes_out(apdu: bytes):
    chip = made()
    chip.transmit(psam.SELECT)
    assert decode_response(chip.transmit(apdu)).sw != 0x9000
