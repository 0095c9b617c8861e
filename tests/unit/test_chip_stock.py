"""Blank chips become ours by one command: all four keys or none; what is not blank is refused; a repeat is harmless."""

import pytest

from made_cards import UID, finished_card, make_profile, make_records
from zhengka.formats.apdu import decode_command
from zhengka.formats.chip import PowerCut, SoftCard, asking
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.loading import put_keys, read_keys
from zhengka.formats.chip.scp03 import Host, KeySet
from zhengka.formats.chip.stock import CODES, FACTORY, Stock, StockRefused, Told, initialise
from zhengka.formats.suites import SUITES

MAKERS = Stock(KeySet(FACTORY, b"1" * 16, b"2" * 16, b"3" * 16), b"4" * 16)
OURS = Stock(KeySet(5, b"e" * 16, b"m" * 16, b"d" * 16), b"t" * 16)
suites = pytest.mark.parametrize("suite", sorted(SUITES))


def delivered(suite: str = "SM", **changed) -> SoftCard:
    """A chip as its maker delivers it."""
    told = {"uid": UID, "kek": MAKERS.transport, "suite": SUITES[suite], "channel": MAKERS.channel}
    return SoftCard(**(told | changed))


def refusal(card, *, factory: Stock = MAKERS, suite: str = "SM") -> str:
    with pytest.raises(StockRefused) as refused:
        initialise(card, factory, OURS, suite)
    assert refused.value.code in CODES
    return refused.value.code


@suites
def test_a_blank_chip_gets_the_transport_key_and_channel_keys_of_its_own_identifier(suite: str):
    card = delivered(suite)
    assert initialise(card, MAKERS, OURS, suite) == Told(UID, before=False)
    assert card.memory.kek == OURS.transport and card.state == "blank"
    assert card.memory.channel == OURS.channel.of_chip(SUITES[suite], UID) != OURS.channel
    other = delivered(suite, uid=bytes(range(7)))
    initialise(other, MAKERS, OURS, suite)
    assert other.memory.channel != card.memory.channel


@suites
def test_a_repeat_changes_nothing_and_says_so(suite: str):
    card = delivered(suite)
    initialise(card, MAKERS, OURS, suite)
    memory = card.memory
    assert initialise(card, MAKERS, OURS, suite) == Told(UID, before=True) and card.memory == memory


@suites
def test_a_chip_that_was_ours_before_a_rotation_gets_the_keys_of_today_and_no_other_stock_does(suite: str):
    before = Stock(KeySet(4, b"x" * 16, b"y" * 16, b"z" * 16), b"o" * 16)
    card, wanted = delivered(suite), delivered(suite)
    initialise(card, MAKERS, before, suite)
    initialise(wanted, MAKERS, OURS, suite)
    memory = card.memory
    assert refusal(card, suite=suite) == "another-stock" and card.memory == memory
    assert initialise(card, MAKERS, OURS, suite, earlier=[before.channel]) == Told(UID, before=False)
    assert card.memory == wanted.memory
    copy = delivered(suite, channel=before.channel)  # it says the version, and has not the keys of its identifier
    with pytest.raises(StockRefused, match="not-authentic"):
        initialise(copy, MAKERS, OURS, suite, earlier=[before.channel])


@pytest.mark.parametrize("after", [False, True])
def test_a_chip_taken_away_at_any_command_is_the_makers_or_ours_and_a_repeat_makes_it_ours(after: bool):
    class Failing:
        def __init__(self, card: SoftCard, at: int) -> None:
            self.card, self.at = card, at

        def transmit(self, apdu: bytes) -> bytes:
            self.at -= 1
            if not self.at:
                if after:
                    self.card.transmit(apdu)
                self.card.reset()
                raise PowerCut
            return self.card.transmit(apdu)

    wanted = delivered()
    initialise(wanted, MAKERS, OURS, "SM")
    cuts = 0
    for at in range(1, 20):
        card = delivered()
        before = card.memory
        try:
            initialise(Failing(card, at), MAKERS, OURS, "SM")
        except StockRefused as refused:
            cuts += 1
            assert refused.code == "cut" and card.memory in (before, wanted.memory)
        initialise(card, MAKERS, OURS, "SM")
        assert card.memory == wanted.memory
    assert cuts == 7, "as many as there are commands"


def test_a_chip_that_is_not_blank_is_refused_and_left_as_it_is():
    profile, [record] = make_profile(), make_records(1)
    finished = finished_card(profile, record)
    begun = delivered()
    Host(begun, MAKERS.channel, SUITES["SM"]).open().transmit(asking.create_application(b"\xf0test", b"\xdf\x01"))
    begun.reset()
    for card in (finished, begun):
        memory = card.memory
        assert refusal(card) == "not-blank" and card.memory == memory
    assert refusal(SoftCard(uid=UID, kek=MAKERS.transport, suite=SUITES["SM"])) == "not-blank"


def test_a_chip_of_another_stock_and_one_with_other_keys_than_it_says_lose_no_try():
    other = delivered(channel=KeySet(9, b"1" * 16, b"2" * 16, b"3" * 16))
    odd = delivered(channel=MAKERS.channel.__class__(FACTORY, b"9" * 16, b"9" * 16, b"9" * 16))
    ours = delivered(channel=KeySet(OURS.channel.version, b"9" * 16, b"9" * 16, b"9" * 16))
    for card, code in ((other, "another-stock"), (odd, "not-authentic"), (ours, "not-authentic")):
        memory = card.memory
        assert [refusal(card) for _ in range(12)] == [code] * 12 and card.memory == memory
    assert refusal(delivered("INTL")) == "no-channel", "the channel of the other suite"


def test_a_chip_that_tells_no_identifier_is_refused():
    class Silent:
        def transmit(self, apdu: bytes) -> bytes:
            return b"\x6a\x81" if apdu == GET_UID else delivered().transmit(apdu)
    assert refusal(Silent()) == "no-uid"


@suites
def test_new_keys_come_through_the_channel_alone_and_with_right_check_values(suite: str):
    command = put_keys(SUITES[suite], MAKERS.channel, OURS.channel, OURS.transport)
    data = decode_command(command).data
    assert read_keys(SUITES[suite], MAKERS.channel, data) == (OURS.channel, OURS.transport)
    card = delivered(suite)
    memory = card.memory
    assert card.transmit(command) in (b"\x6d\x00", b"\x6e\x00") and card.memory == memory
    for place in range(1, len(data)):
        with pytest.raises(ValueError):
            read_keys(SUITES[suite], MAKERS.channel, data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
    line = Host(card, MAKERS.channel, SUITES[suite]).open()
    assert line.transmit(command[:-1] + bytes([command[-1] ^ 1])) == b"\x6a\x80" and card.memory == memory
