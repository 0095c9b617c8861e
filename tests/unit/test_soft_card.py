"""The software chip: it does what a chip does, and says no with the right status word."""

import json
import subprocess
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from made_cards import KEK, UID, blank_chip, make_keys, make_profile, make_records, written_card
from zhengka.formats.apdu import Command, decode_response, encode_command
from zhengka.formats.chip import SoftCard, readback, reading_plan, secure
from zhengka.formats.chip.card import ATR, GET_UID
from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.secure import answer, line_mac, protect, published_mac, put_key_many, replace_key
from zhengka.formats.suites import SM, SUITES
from zhengka.formats.tlv import encode, encode_all, find

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "chip.json").read_text())
PROFILE = make_profile()
[RECORD] = make_records(1)
KEYS = {purpose: keys[0] for purpose, keys in make_keys(PROFILE, [RECORD]).items()}
SELECT_APPLICATION = f"00A40400{len(PROFILE.aid):02X}{PROFILE.aid.hex()}00"
READ_HOLDER = ["00A4000C020016", "00B0000060"]
WRITE_ACTIVATION = Command(0x00, 0xD6, 0, 0, bytes.fromhex("20200630"))
READ_ACTIVATION = "00B0000004"


def create(template: list[tuple[int, bytes]]) -> str:
    return encode_command(Command(0x00, 0xE0, 0, 0, encode(0x62, encode_all(template)))).hex()


def create_file(fid: str, size: int, rights: str) -> str:
    named = [(0x83, bytes.fromhex(fid)), (0x80, size.to_bytes(2)), (0x86, bytes.fromhex(rights))]
    return create([(0x82, b"\x01"), *named])


CREATE_APPLICATION = create([(0x82, b"\x38"), (0x83, PROFILE.fid), (0x84, PROFILE.aid)])
CREATE_FILE = create_file("0015", 0x20, "00FF")


def ask(card: SoftCard, text: str) -> tuple[str, int]:
    data, sw = decode_response(card.transmit(bytes.fromhex(text)))
    return data.hex().upper(), sw


def last_status(card: SoftCard, commands: list[str]) -> int:
    return [ask(card, command)[1] for command in commands][-1]


def finished_card() -> SoftCard:
    card = written_card(PROFILE, RECORD)
    readback(card, reading_plan(PROFILE), RECORD["serial"])
    card.reset()
    ask(card, SELECT_APPLICATION)
    return card


def challenge_of(card: SoftCard) -> bytes:
    return bytes.fromhex(ask(card, "0084000008")[0])


def prove(card: SoftCard, purpose: str, *, key: bytes | None = None) -> int:
    proof = answer(SM, key or KEYS[purpose], challenge_of(card))
    return ask(card, f"008200{PROFILE.slot(purpose):02X}08{proof.hex()}")[1]


@pytest.mark.parametrize("vector", VECTORS["external_authentication"])
def test_external_authentication_gives_the_published_answer(vector: dict[str, str]):
    found = answer(SM, bytes.fromhex(vector["key"]), bytes.fromhex(vector["challenge"]))
    assert found.hex().upper() == vector["answer"]


def test_the_answer_to_reset_is_well_formed():
    assert ATR[0] == 0x3B and len(ATR) == 4 + (ATR[1] & 0x0F) + 1
    assert reduce(lambda left, right: left ^ right, ATR[1:]) == 0
    assert blank_chip(PROFILE).reset() == ATR


def test_a_reader_learns_the_identifier_of_the_chip():
    assert blank_chip(PROFILE).transmit(GET_UID) == UID + b"\x90\x00"


def test_selecting_the_application_names_it():
    data, sw = ask(finished_card(), SELECT_APPLICATION)
    assert sw == 0x9000
    assert find(bytes.fromhex(data), 0x6F, 0x84) == PROFILE.aid


def test_anyone_reads_the_serial():
    card = finished_card()
    assert last_status(card, ["00A4000C020015"]) == 0x9000
    assert ask(card, "00B0000008") == (RECORD["serial"], 0x9000)


def test_a_phone_cannot_read_the_holder():
    assert last_status(finished_card(), READ_HOLDER) == 0x6982


def test_a_reader_that_proves_itself_reads_the_holder():
    card = finished_card()
    assert prove(card, "reader") == 0x9000
    assert last_status(card, READ_HOLDER) == 0x9000
    assert "买买提" in bytes.fromhex(ask(card, "00B0001A3C")[0]).decode("gb18030")


def test_a_reader_is_forgotten_after_reset_and_after_leaving_the_application():
    card = finished_card()
    for leave in (card.reset, lambda: ask(card, "00A40000023F00")):
        prove(card, "reader")
        leave()
        ask(card, SELECT_APPLICATION)
        assert last_status(card, READ_HOLDER) == 0x6982


def test_a_wrong_reader_key_counts_down_and_blocks():
    card = finished_card()
    tries = next(key.tries for key in PROFILE.keys if key.purpose == "reader")
    counted = [prove(card, "reader", key=bytes(16)) for _ in range(tries)]
    assert counted == [0x63C0 | left for left in range(tries - 1, -1, -1)]
    assert prove(card, "reader") == 0x6983


def test_a_right_proof_gives_all_tries_back():
    card = finished_card()
    assert prove(card, "reader", key=bytes(16)) == 0x63CE
    assert prove(card, "reader") == 0x9000
    assert prove(card, "reader", key=bytes(16)) == 0x63CE


def test_a_challenge_serves_once():
    card = finished_card()
    proof = answer(SM, KEYS["reader"], challenge_of(card)).hex()
    assert ask(card, f"0082000308{proof}")[1] == 0x9000
    assert ask(card, f"0082000308{proof}")[1] == 0x6984


def test_a_challenge_of_four_bytes_is_filled_with_zeros_on_both_sides():
    card = finished_card()
    told, sw = ask(card, "0084000004")
    assert (len(told), sw) == (8, 0x9000)
    challenge = bytes.fromhex(told).ljust(8, b"\0")
    assert ask(card, f"0082000308{answer(SM, KEYS['reader'], challenge).hex()}")[1] == 0x9000


def test_the_card_proves_itself_with_its_internal_key_only():
    card = finished_card()
    own = answer(SM, KEYS["internal"], b"12345678").hex().upper()
    assert ask(card, f"0088000408{b'12345678'.hex()}08") == (own, 0x9000)
    assert ask(card, f"0088000308{b'12345678'.hex()}08")[1] == 0x6985


def test_the_internal_key_opens_nothing():
    assert prove(finished_card(), "internal") == 0x6985


def test_the_maintenance_key_moves_the_end_of_activation():
    card = finished_card()
    ask(card, "00A4000C020017")
    moved = protect(SM, KEYS["maintenance"], challenge_of(card), WRITE_ACTIVATION)
    assert card.transmit(moved) == b"\x90\x00"
    assert ask(card, READ_ACTIVATION) == ("20200630", 0x9000)


def test_a_write_without_or_with_a_wrong_mac_changes_nothing():
    card = finished_card()
    ask(card, "00A4000C020017")
    assert decode_response(card.transmit(encode_command(WRITE_ACTIVATION))).sw == 0x6987
    wrong = protect(SM, KEYS["reader"], challenge_of(card), WRITE_ACTIVATION)
    assert card.transmit(wrong) == b"\x69\x88"
    right = protect(SM, KEYS["maintenance"], challenge_of(card), WRITE_ACTIVATION)
    assert card.transmit(right[:-1] + bytes([right[-1] ^ 1])) == b"\x69\x88"
    assert card.transmit(right) == b"\x69\x84"
    assert ask(card, READ_ACTIVATION) == ("20190630", 0x9000)


def test_the_maintenance_key_blocks_after_too_many_wrong_macs():
    card = finished_card()
    ask(card, "00A4000C020017")
    for _ in range(10):
        card.transmit(protect(SM, bytes(16), challenge_of(card), WRITE_ACTIVATION))
    assert card.transmit(protect(SM, KEYS["maintenance"], challenge_of(card), WRITE_ACTIVATION)) == b"\x69\x83"


def test_nobody_changes_the_serial_of_a_finished_card():
    card = finished_card()
    ask(card, "00A4000C020015")
    command = Command(0x00, 0xD6, 0, 0, bytes(8))
    assert decode_response(card.transmit(encode_command(command))).sw == 0x6982
    assert card.transmit(protect(SM, KEYS["maintenance"], challenge_of(card), command)) == b"\x69\x82"


def test_the_control_key_replaces_the_reader_key():
    card, slot = finished_card(), Key(3, "reader", 2, 15)
    new = bytes(range(100, 116))
    assert card.transmit(replace_key(SM, KEYS["control"], challenge_of(card), slot, new)) == b"\x90\x00"
    assert prove(card, "reader") == 0x63CE
    assert prove(card, "reader", key=new) == 0x9000


def test_the_transport_key_is_worth_nothing_on_a_finished_card():
    card, slot = finished_card(), Key(3, "reader", 2, 15)
    [command] = put_key_many(SM, KEK, slot, [bytes(16)])
    challenge_of(card)
    assert card.transmit(command) == b"\x69\x88"


def test_a_finished_card_takes_no_new_file_and_is_not_closed_twice():
    card = finished_card()
    assert ask(card, create_file("0019", 0x10, "00FF"))[1] == 0x6985
    assert ask(card, "80EA0000")[1] == 0x6985


def test_a_blank_chip_blocks_after_three_wrong_transport_macs():
    card = blank_chip(PROFILE)
    ask(card, CREATE_APPLICATION)
    [command] = put_key_many(SM, bytes(16), PROFILE.keys[0], [bytes(16)])
    assert [card.transmit(command).hex() for _ in range(4)] == ["6988", "6988", "6988", "6983"]
    assert card.state == "blocked"


def test_a_card_whose_files_need_a_key_that_is_missing_is_not_closed():
    card = blank_chip(PROFILE)
    ask(card, CREATE_APPLICATION)
    ask(card, create_file("0016", 0x10, "0302"))
    assert ask(card, "80EA0000")[1] == 0x6A88


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        (["00C00000"], 0x6D00),
        (["20A4040000"], 0x6E00),
        (["00"], 0x6700),
        (["00A4000002001500"], 0x6986),
        (["00A4040005F000000000"], 0x6A82),
        (["00A404FF05F000000000"], 0x6A86),
        ([CREATE_APPLICATION, "00A4090002001500"], 0x6A86),
        ([CREATE_APPLICATION, "00A400000200FF"], 0x6A82),
        ([CREATE_APPLICATION, CREATE_APPLICATION], 0x6A8A),
        ([CREATE_APPLICATION, create([(0x82, b"\x38"), (0x83, PROFILE.fid), (0x84, b"other")])], 0x6A89),
        ([CREATE_APPLICATION, "00B0000001"], 0x6986),
        ([CREATE_APPLICATION, "00E00000026200"], 0x6A80),
        ([CREATE_APPLICATION, "00E000000162"], 0x6A80),
        ([CREATE_APPLICATION, "00820003080000000000000000"], 0x6A88),
        ([CREATE_APPLICATION, "00840000FF"], 0x6700),
        ([CREATE_APPLICATION, "0084010008"], 0x6A86),
        ([CREATE_APPLICATION, "84D40001020000"], 0x6700),
    ],
)
def test_a_command_out_of_place_has_its_own_status_word(commands: list[str], status: int):
    assert last_status(blank_chip(PROFILE), commands) == status


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        (["00B0000020"], 0x9000),
        (["00B0000021"], 0x6C20),
        (["00B0001000"], 0x9000),
        (["00B00000"], 0x6700),
        (["00B0002001"], 0x6B00),
        (["00B0950001"], 0x9000),
        (["00B0960001"], 0x6A82),
        (["00B0B50001"], 0x6A86),
        (["00D60000021122"], 0x9000),
        (["00D60000"], 0x6700),
        (["00D6001F021122"], 0x6A84),
        (["04D60000051122334455"], 0x6985),
        ([CREATE_FILE], 0x6A89),
        ([create_file("0016", 0x7FFF, "00FF")], 0x6A84),
        ([create_file("0016", 0, "00FF")], 0x6A80),
        ([create_file("0016", 0x20, "00")], 0x6A80),
    ],
)
def test_reading_and_writing_keep_to_the_file(commands: list[str], status: int):
    card = blank_chip(PROFILE)
    assert last_status(card, [CREATE_APPLICATION, CREATE_FILE]) == 0x9000
    assert last_status(card, commands) == status


def test_a_chip_of_the_other_suite_refuses_the_key():
    profile = make_profile(suite="INTL")
    card = blank_chip(profile, suite=SUITES["INTL"])
    ask(card, CREATE_APPLICATION)
    [command] = put_key_many(SM, KEK, PROFILE.keys[0], [bytes(16)])
    assert card.transmit(command) == b"\x69\x88"


def test_a_key_that_does_not_decrypt_to_a_key_is_refused():
    card = blank_chip(PROFILE)
    ask(card, CREATE_APPLICATION)
    [command] = put_key_many(SM, KEK, PROFILE.keys[0], [bytes(16)])
    covered = command[:5] + bytes(32)
    mac = SM.cmac_many(KEK, [covered])[0][:4]
    assert card.transmit(covered + mac) == b"\x6a\x80"


@pytest.mark.parametrize("vector", VECTORS["one_time_pin"])
def test_a_one_time_pin_is_the_one_that_openssl_draws(vector: dict[str, Any]):
    drawn = secure.one_time_pin(SUITES[vector["suite"]], bytes.fromhex(vector["key"]), vector["number"])
    assert drawn == vector["pin"]


@pytest.mark.parametrize("vector", VECTORS["published_line_protection"])
def test_the_mac_of_a_line_in_the_transit_manner_is_the_one_that_openssl_chains(vector: dict[str, str]):
    key, challenge, covered = (bytes.fromhex(vector[name]) for name in ("key", "challenge", "covered"))
    assert published_mac(SUITES[vector["suite"]], key, challenge, covered).hex().upper() == vector["mac"]
    cipher = {"SM": "-sm4-cbc", "INTL": "-aes-128-cbc"}[vector["suite"]]
    padded = covered + b"\x80" + bytes(15 - len(covered) % 16)
    chained = subprocess.run(["openssl", "enc", cipher, "-nopad", "-K", vector["key"], "-iv",
                              vector["challenge"] + "00" * 8], input=padded, capture_output=True, check=True).stdout
    assert chained[-16:-12].hex().upper() == vector["mac"]


def test_the_mac_of_a_protected_line_covers_its_header():
    one = line_mac(SM, bytes(16), bytes(8), bytes.fromhex("04D60000042020"))
    assert one != line_mac(SM, bytes(16), bytes(8), bytes.fromhex("04D60001042020"))


def test_a_card_never_shows_a_key():
    card = finished_card()
    assert KEYS["reader"].hex() not in repr(card) + repr(card.memory) and UID.hex() in repr(card)
