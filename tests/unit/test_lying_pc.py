"""A PC between a card and who has its keys (说谎的电脑): what it says of the card gives it no command of its own."""

import datetime as dt

import pytest

from made_cards import card_keys, finished_card, make_profile, make_records, whole_profile
from zhengka.formats.apdu import decode_response
from zhengka.formats.chip import Profile, SoftCard, asking
from zhengka.formats.chip.applying import Applied, apply
from zhengka.formats.chip.orders import Order, activate, block

[RECORD] = make_records(1)
UNTIL = dt.date(2026, 12, 31)
SUITES = pytest.mark.parametrize("suite", ["SM", "INTL"])


class LyingPc:
    """It carries the commands to the card, but for two lies: of each challenge it tells the XOR with `told`, and in
    each protected command it undoes that in the first eight bytes: instruction, parameters, length, three of the data.
    """

    def __init__(self, card: SoftCard, told: str) -> None:
        self.card, self.told, self.answers = card, bytes.fromhex(told), list[int]()

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0x84:
            answer = self.card.transmit(apdu)
            return xor(answer[:8], self.told) + answer[8:]
        if apdu[0] not in (0x04, 0x84):
            return self.card.transmit(apdu)
        answer = self.card.transmit(xor(apdu[:8], self.told) + apdu[8:])
        self.answers.append(decode_response(answer).sw)
        return answer


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(mine ^ its for mine, its in zip(one, other, strict=True))


def term(card: SoftCard, profile: Profile) -> bytes:
    card.transmit(asking.select_application(profile.aid))
    return card.transmit(asking.read_binary(0x17, size=4))[:4]


def carried(pc: LyingPc, profile: Profile, order: Order) -> Applied:
    return apply(pc, profile, order, card_keys(profile, RECORD))


@SUITES
def test_a_pc_that_lies_about_the_challenge_makes_no_term_of_its_own(suite: str):
    """20261231 would become 20991231, the sixth byte of the line by 26 XOR 99."""
    profile = make_profile(suite=suite)
    card = finished_card(profile, RECORD)
    pc, before = LyingPc(card, "000000000000BF00"), term(card, profile)
    assert carried(pc, profile, activate(profile, 7, RECORD, UNTIL)).code == "refused"
    assert pc.answers == [0x6988] and term(card, profile) == before
    assert term(card, profile).hex() != "20991231"


@SUITES
@pytest.mark.parametrize(("other", "told"), [("APPLICATION UNBLOCK", "0006000000000000"),
                                             ("CARD BLOCK", "0008000000000000")])
def test_a_pc_that_lies_about_the_challenge_makes_no_other_command_of_a_block(suite: str, other: str, told: str):
    profile = make_profile(suite=suite)
    card = finished_card(profile, RECORD)
    pc = LyingPc(card, told)
    assert carried(pc, profile, block(profile, 7, RECORD["serial"])).code == "refused"
    assert pc.answers == [0x6988] and card.state == "operational", other


class MisleadingPc(LyingPc):
    """It selects another file than it was told to, and tells every challenge as it is."""

    def __init__(self, card: SoftCard, file: str) -> None:
        super().__init__(card, "00" * 8)
        self.select = bytes.fromhex("00A4000C02" + file)

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0x84:
            self.card.transmit(self.select)
        return super().transmit(apdu)


def test_a_pc_that_selects_another_file_writes_nothing_into_it():
    profile, card = make_profile(), finished_card(make_profile(), RECORD)
    before = card.memory.applications[profile.aid].files[b"\x00\x16"]
    assert carried(MisleadingPc(card, "0016"), profile, activate(profile, 7, RECORD, UNTIL)).code == ""
    assert card.memory.applications[profile.aid].files[b"\x00\x16"] == before


def test_what_a_published_mac_leaves_open_is_said_and_goes_no_further_than_eight_bytes():
    """The transit application keeps the MAC of its standard: a block becomes an unblock there, a term stays a term."""
    profile = whole_profile()
    transit = profile.named("transit-t-union")
    only = lambda order: order._replace(parts=tuple(  # noqa: E731
        part for part in order.parts if part.application == transit))
    bent = LyingPc(finished_card(profile, RECORD), "0006000000000000")
    assert carried(bent, profile, only(block(profile, 7, RECORD["serial"]))).code == "receipt-differs"
    assert bent.answers == [0x9000], "the receipt sees it"
    card = finished_card(profile, RECORD)
    assert carried(LyingPc(card, "00000000000000FF"), profile, only(activate(profile, 8, RECORD, UNTIL))).code != ""
    assert card.memory.applications[transit.aid].files[b"\x00\x15"].content[24:28].hex() == "20261231"
