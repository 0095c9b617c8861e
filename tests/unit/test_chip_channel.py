"""The loading channel: SCP03 as a real chip speaks it, and what either end makes of lies, replays and wrong keys."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_cards import KEK, UID, make_keys, make_profile, make_records
from zhengka.formats.apdu import ApduBroken, Command, decode_command, decode_response, encode_command
from zhengka.formats.chip import SoftCard, asking, compile_many, expected_readback, readback, reading_plan
from zhengka.formats.chip.scp03 import C_ENC, C_MAC, LEVELS, Channel, ChannelRefused, Host, KeySet
from zhengka.formats.suites import INTL, SUITES, Suite

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "scp03.json").read_text())
PUBLISHED = KeySet(48, *[bytes.fromhex(VECTORS["keys"][name]) for name in ("enc", "mac", "dek")])
MASTERS = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)
SUITE_NAMES = pytest.mark.parametrize("suite", [SUITES["INTL"], SUITES["SM"]], ids=["aes", "sm4"])
SESSIONS = pytest.mark.parametrize("session", VECTORS["sessions"], ids=["11", "03", "33"])
CREATE = asking.create_application(b"A0000", b"\xdf\x01")


class Told:
    """A chip that was listened to: it answers what the recording says, and only to what the recording asks."""

    def __init__(self, exchanges: list[tuple[str, str]]) -> None:
        self.left = [(bytes.fromhex(asked), bytes.fromhex(told)) for asked, told in exchanges]

    def transmit(self, apdu: bytes) -> bytes:
        asked, told = self.left.pop(0)
        assert apdu == asked
        return told


class Between:
    """Somebody between host and chip, who may change what passes either way."""

    def __init__(self, card: SoftCard) -> None:
        self.card, self.passed = card, list[bytes]()
        self.there: Callable[[bytes], bytes] = lambda apdu: apdu
        self.back: Callable[[bytes], bytes] = lambda answer: answer

    def transmit(self, apdu: bytes) -> bytes:
        self.passed.append(self.there(apdu))
        return self.back(self.card.transmit(self.passed[-1]))


def chip(suite: Suite = INTL, *, uid: bytes = UID, masters: KeySet = MASTERS) -> SoftCard:
    return SoftCard(uid=uid, kek=KEK, suite=suite, channel=masters.of_chip(suite, uid))


def opened(card: Any, suite: Suite = INTL, *, level: int = 0x33, uid: bytes = UID) -> Host:
    return Host(card, MASTERS.of_chip(suite, uid), suite, level=level).open()


def refused(*what: Any, **more: Any) -> str:
    with pytest.raises(ChannelRefused) as found:
        opened(*what, **more)
    return found.value.code


def recorded(session: dict[str, Any]) -> tuple[Host, Channel]:
    """The host of a recorded session, opened, and its channel."""
    challenge = bytes.fromhex(session["initialize"])[5:13]
    told = Told([(session["initialize"], session["told"] + "9000"), (session["authenticate"], "9000")])
    level = bytes.fromhex(session["authenticate"])[2]
    host = Host(told, PUBLISHED, INTL, level=level, random=lambda size: challenge).open()
    assert host._channel is not None
    return host, host._channel


@SESSIONS
def test_the_host_says_what_the_published_session_says(session: dict[str, Any]):
    _, channel = recorded(session)
    for number, (clear, wrapped) in enumerate(zip(VECTORS["clear"]["commands"], session["commands"], strict=True)):
        assert channel.wrap(decode_command(bytes.fromhex(clear))).hex().upper() == wrapped
        if number == 0:
            answer = channel.unwrap_answer(bytes.fromhex(session["answer"] + "9000"))
            assert answer.hex().upper() == VECTORS["clear"]["answer"] + "9000"


@SESSIONS
def test_the_card_understands_and_answers_as_the_published_chip_does(session: dict[str, Any]):
    _, card = recorded(session)
    for number, (clear, wrapped) in enumerate(zip(VECTORS["clear"]["commands"], session["commands"], strict=True)):
        command = card.unwrap(decode_command(bytes.fromhex(wrapped)))
        assert command == decode_command(bytes.fromhex(clear))
        if number == 0:
            answer = card.wrap_answer(bytes.fromhex(VECTORS["clear"]["answer"]), 0x9000)
            assert answer.hex().upper() == session["answer"] + "9000"


def test_a_host_that_somebody_else_wrote_makes_a_file_on_our_chip():
    """What that host said was written down once; with the same challenge our chip answers the same, and understands."""
    uid = bytes.fromhex("31323334353637")
    keys = MASTERS.of_chip(INTL, uid)
    card = SoftCard(uid=uid, kek=KEK, suite=INTL, channel=keys, rng=lambda size: bytes(range(0x80, 0x80 + size)))
    for asked, told in VECTORS["independent_host"]["exchanges"]:
        assert card.transmit(bytes.fromhex(asked)).hex().upper() == told
    assert card.memory.applications[b"A0000"].files[b"\x00\x15"].content.rstrip(b"\0") == b"hello"


@SUITE_NAMES
@pytest.mark.parametrize("level", LEVELS)
def test_a_whole_card_is_made_and_read_back_through_the_channel(suite: Suite, level: int):
    profile, records = make_profile(suite=suite.name), make_records(1)
    keys = make_keys(profile, records)
    [script] = compile_many(profile, records, keys_by_slot=keys, kek=KEK)
    card = chip(suite)
    line = Between(card)
    host = opened(line, suite, level=level)
    assert {host.transmit(command) for command in script.commands} == {b"\x90\x00"}
    assert readback(host, reading_plan(profile), script.serial) == expected_readback(profile, records, keys)[0]
    assert card.state == "operational" and card.memory.channel is None
    name = records[0]["name"].encode("gb18030")
    assert any(name in apdu for apdu in line.passed) == (not level & C_ENC)


def test_a_chip_with_channel_keys_takes_nothing_outside_the_channel():
    card = chip()
    assert card.transmit(CREATE) == b"\x69\x82"
    host = opened(card)
    assert host.transmit(CREATE) == b"\x90\x00"
    for apdu in (asking.create_transparent(b"\0\1", 8, b"\0\0"), asking.select_application(b"A0000")):
        assert card.transmit(apdu) == b"\x69\x82"
    assert host.transmit(asking.create_transparent(b"\0\1", 8, b"\0\0")) == b"\x90\x00"


def test_a_half_made_card_with_channel_keys_tells_nothing_outside_the_channel():
    profile, records = make_profile(suite="INTL"), make_records(1)
    [script] = compile_many(profile, records, keys_by_slot=make_keys(profile, records), kek=KEK)
    card = chip()
    host = opened(card)
    for command in script.commands:
        host.transmit(command)
    card.reset()
    told = [card.transmit(bytes.fromhex(step.replace("*", "00" * 8))) for step in reading_plan(profile).steps]
    assert set(told) == {b"\x90\x00", b"\x69\x82"}


def test_a_chip_without_channel_keys_opens_no_channel():
    assert refused(SoftCard(uid=UID, kek=KEK, suite=INTL)) == "no-channel"


def test_another_version_of_the_keys_is_refused_by_name():
    other = KeySet(2, MASTERS.enc, MASTERS.mac, MASTERS.dek)
    assert refused(chip(masters=other)) == "wrong-key-version"


def test_a_chip_that_lies_about_its_identifier_is_found_out():
    liar = chip(uid=b"\x04" * 7)
    assert refused(liar, uid=UID) == "not-authentic"


def test_the_channel_of_sm4_is_not_taken_for_the_standards():
    assert refused(chip(SUITES["SM"]), INTL) == "no-channel"


def test_a_chip_with_other_keys_is_not_authentic_and_a_host_with_other_keys_is_refused():
    card = chip(masters=KeySet(1, bytes(16), bytes(16), bytes(16)))
    assert refused(card) == "not-authentic"
    line = Between(chip())
    line.there = lambda apdu: apdu[:-1] + bytes([apdu[-1] ^ 1]) if apdu[1] == 0x82 else apdu
    assert refused(line) == "host-refused"


def test_ten_false_hosts_in_a_row_close_the_channel_for_good():
    card = chip()
    line = Between(card)
    line.there = lambda apdu: apdu[:-1] + bytes([apdu[-1] ^ 1]) if apdu[1] == 0x82 else apdu
    assert [refused(line) for _ in range(10)] == ["host-refused"] * 10
    assert refused(card) == "no-channel"


def test_a_right_host_gives_the_tries_back():
    card = chip()
    line = Between(card)
    line.there = lambda apdu: apdu[:-1] + bytes([apdu[-1] ^ 1]) if apdu[1] == 0x82 else apdu
    refused(line)
    assert card.memory.channel_left == 9
    opened(card)
    assert card.memory.channel_left == 10


@SUITE_NAMES
@pytest.mark.parametrize("level", LEVELS)
def test_no_bit_of_a_command_can_be_changed_on_the_way(suite: Suite, level: int):
    whole = opened(chip(suite), suite, level=level)._channel.wrap(decode_command(CREATE))  # type: ignore[union-attr]
    for place in range(1, len(whole)):
        if place == 4:  # the length: then it is no command at all
            continue
        card = chip(suite)
        line = Between(card)
        host = opened(line, suite, level=level)
        line.there = lambda apdu, at=place: apdu[:at] + bytes([apdu[at] ^ 0x01]) + apdu[at + 1 :]
        assert host.transmit(CREATE) == b"\x69\x88"
        assert card.state == "blank" and card._session.channel is None


@pytest.mark.parametrize("level", [0x11, 0x13, 0x33])
def test_no_bit_of_an_answer_can_be_changed_on_the_way(level: int):
    line = Between(chip())
    host = opened(line, level=level)
    host.transmit(CREATE)
    line.back = lambda answer: bytes([answer[0] ^ 0x80]) + answer[1:]
    with pytest.raises(ChannelRefused, match="answer-forged"):
        host.transmit(asking.select_application(b"A0000"))


def test_a_refusal_cannot_carry_data_into_the_host():
    line = Between(chip())
    host = opened(line)
    line.back = lambda answer: b"false" + b"\x6a\x82"
    with pytest.raises(ChannelRefused, match="answer-forged"):
        host.transmit(asking.select_application(b"A0000"))


def test_a_replayed_session_is_refused_by_the_same_chip_and_by_another():
    card = chip()
    line = Between(card)
    opened(line).transmit(CREATE)
    replayed = list(line.passed)
    for target in (card, chip(uid=b"\x04" * 7), chip()):
        target.reset()
        before = target.state
        answers = [decode_response(target.transmit(apdu)).sw for apdu in replayed]
        assert answers == [0x9000, 0x6300, 0x6E00]
        assert target.state == before


def test_the_same_command_twice_is_a_forgery_the_second_time():
    card = chip()
    line = Between(card)
    opened(line).transmit(CREATE)
    assert card.transmit(line.passed[-1]) == b"\x69\x88"


def test_a_power_cut_ends_the_channel():
    card = chip()
    host = opened(card)
    card.reset()
    assert decode_response(host.transmit(CREATE)).sw == 0x6E00


def test_a_command_that_gets_too_long_by_the_channel_is_not_sent():
    host = opened(chip())
    with pytest.raises(ApduBroken, match="too-long"):
        host.transmit(encode_command(Command(0x00, 0xD6, 0, 0, bytes(240))))
    assert opened(chip(), level=C_MAC).transmit(encode_command(Command(0x00, 0xD6, 0, 0, bytes(240)))) == b"\x69\x86"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("8050010008000000000000000000", 0x9000),
        ("8050000008000000000000000000", 0x9000),
        ("8050020008000000000000000000", 0x6A88),
        ("8050010108000000000000000000", 0x6A88),
        ("80500100070000000000000000", 0x6700),
        ("848233001000000000000000000000000000000000", 0x6985),
    ],
)
def test_a_handshake_out_of_order_has_its_own_status_word(apdu: str, status: int):
    assert decode_response(chip().transmit(bytes.fromhex(apdu))).sw == status


def test_a_level_that_the_standard_does_not_know_is_refused_on_both_ends():
    with pytest.raises(ValueError, match="level"):
        Host(chip(), MASTERS, INTL, level=0x02)
    card = chip()
    line = Between(card)
    line.there = lambda apdu: apdu[:2] + b"\x02" + apdu[3:] if apdu[1] == 0x82 else apdu
    assert refused(line) == "host-refused"


def test_keys_of_the_channel_are_never_shown():
    card = chip()
    opened(card)
    shown = repr(card.memory) + repr(card._session) + repr(MASTERS)
    keys = MASTERS.of_chip(INTL, UID)
    assert not any(repr(key) in shown for key in (keys.enc, keys.mac, keys.dek, MASTERS.enc))
