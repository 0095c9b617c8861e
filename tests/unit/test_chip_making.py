"""Whatever becomes of a chip in the machine has a name, and none of them is "good" but good."""

from typing import Any

import pytest

from made_cards import CHANNEL, KEK, UID, blank_chip, make_keys, make_profile, make_records
from zhengka.formats.apdu import decode_command
from zhengka.formats.chip import PowerCut, Script, SoftCard, compile_many, expected_readback, reading_plan
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.making import CODES, Known, Made, make
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SM

PROFILE = make_profile()
RECORDS = make_records(2)
KEYS = make_keys(PROFILE, RECORDS)
SCRIPTS = compile_many(PROFILE, RECORDS, keys_by_slot=KEYS, kek=KEK)
DIGESTS = expected_readback(PROFILE, RECORDS, KEYS)
SCRIPT, PLAN = SCRIPTS[0], reading_plan(PROFILE)
MASTERS = CHANNEL
ASKED = len(SCRIPT.commands) + len(PLAN.steps) + 2
KNOWN = Known(None, readback=DIGESTS[0])


class Odd:
    """A chip, and what is odd about it: at some command the power goes, or it answers something else."""

    def __init__(
        self, card: SoftCard, *, cut_at: int = 0, after: bool = False, answers: dict[int, bytes] | None = None
    ) -> None:
        self.card, self.cut_at, self.after = card, cut_at, after
        self.answers, self.asked = answers or {}, 0

    def transmit(self, apdu: bytes) -> bytes:
        self.asked += 1
        if self.asked == self.cut_at and not self.after:
            self.card.reset()
            raise PowerCut("away")
        answer = self.card.transmit(apdu)
        if self.asked == self.cut_at:
            self.card.reset()
            raise PowerCut("away")
        return self.answers.get(self.asked, answer)

    def again(self) -> SoftCard:
        self.card.reset()
        return self.card


class Liar:
    """A chip that says another identifier than its own, always or from the second time on."""

    def __init__(self, card: SoftCard, *, first: bytes, then: bytes):
        self.card, self.told = card, iter([first] + [then] * 9)

    def transmit(self, apdu: bytes) -> bytes:
        return next(self.told) + b"\x90\x00" if apdu == GET_UID else self.card.transmit(apdu)


def in_channel(*, uid: bytes = UID, masters: KeySet = MASTERS) -> SoftCard:
    return SoftCard(uid=uid, kek=KEK, suite=SM, channel=masters.of_chip(SM, uid))


def made(card: Any, script: Script = SCRIPT, **known: Any) -> tuple[str, str]:
    found = make(card, script, PLAN, Known(**{"channel": None} | known))
    assert found.code in CODES and bool(found.reason) == (found.outcome != "good")
    return found.outcome, found.code


def test_a_card_that_reads_back_is_good():
    found = make(blank_chip(PROFILE), SCRIPT, PLAN, KNOWN)
    assert found == Made("good", "", uid=UID, readback=DIGESTS[0])


def test_a_card_is_as_good_through_the_channel():
    assert make(in_channel(), SCRIPT, PLAN, KNOWN._replace(channel=MASTERS)).outcome == "good"


@pytest.mark.parametrize("channel", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, ASKED + 1))
def test_a_card_whose_power_went_at_any_command_is_never_good(number: int, after: bool, channel: bool):
    odd = Odd(in_channel() if channel else blank_chip(PROFILE), cut_at=number, after=after)
    found = make(odd, SCRIPT, PLAN, KNOWN._replace(channel=MASTERS if channel else None), again=odd.again)
    written = bool(odd.card.memory.applications)
    assert (found.outcome, found.code) == ("suspect" if written else "blank", "cut")
    assert found.readback is None


def test_a_card_cut_inside_a_command_is_never_good_either():
    for number in range(1, len(SCRIPT.commands) + 1):
        for writes in range(10):
            card = blank_chip(PROFILE)
            for command in SCRIPT.commands[: number - 1]:
                card.transmit(command)
            card.power_cut_after(writes)
            try:
                card.transmit(SCRIPT.commands[number - 1])
            except PowerCut:
                found = make(card, Script(SCRIPT.serial, SCRIPT.commands[number:] or SCRIPT.commands), PLAN, KNOWN)
                assert found.outcome != "good", (number, writes)


def test_without_a_second_look_a_silent_card_is_suspect():
    assert make(Odd(blank_chip(PROFILE), cut_at=1), SCRIPT, PLAN, Known(None)).outcome == "suspect"
    odd = Odd(blank_chip(PROFILE), cut_at=2)

    def gone() -> SoftCard:
        raise PowerCut("for good")

    assert make(odd, SCRIPT, PLAN, Known(None), again=gone).outcome == "suspect"


def test_a_cut_card_that_goes_into_the_machine_again_is_not_overwritten():
    odd = Odd(blank_chip(PROFILE), cut_at=9)
    make(odd, SCRIPT, PLAN, Known(None))
    assert made(odd.again()) == ("suspect", "not-blank")


def test_a_blank_that_was_cut_before_anything_was_written_can_still_be_made():
    odd = Odd(blank_chip(PROFILE), cut_at=2)
    assert make(odd, SCRIPT, PLAN, Known(None), again=odd.again).outcome == "blank"
    assert made(odd.again(), readback=DIGESTS[0]) == ("good", "")


def test_a_script_that_is_replayed_onto_the_same_chip_is_not_taken():
    card = blank_chip(PROFILE)
    assert made(card) == ("good", "")
    assert made(card) == ("suspect", "not-blank")


def test_a_script_for_another_card_does_not_read_back():
    assert made(blank_chip(PROFILE), SCRIPTS[1], readback=DIGESTS[0]) == ("suspect", "readback-differs")
    swapped = Script(SCRIPTS[0].serial, SCRIPTS[1].commands)
    assert made(blank_chip(PROFILE), swapped, readback=DIGESTS[0]) == ("suspect", "readback-differs")


def test_another_chip_than_the_expected_one_is_not_written():
    card = blank_chip(PROFILE)
    assert made(card, uid=b"\x04" * 7) == ("spoiled", "another-chip")
    assert card.state == "blank"


@pytest.mark.parametrize("told", [b"", b"\x04", bytes(11)])
def test_a_chip_without_an_identifier_is_not_written(told: bytes):
    card = blank_chip(PROFILE)
    assert made(Liar(card, first=told, then=told)) == ("spoiled", "no-uid")
    assert card.state == "blank"


def test_a_chip_that_lies_about_its_identifier_gets_no_data_through_the_channel():
    card = in_channel()
    liar = Liar(card, first=b"\x04" * 7, then=b"\x04" * 7)
    assert made(liar, channel=MASTERS) == ("spoiled", "not-authentic")
    assert card.state == "blank"


class Ear:
    """Somebody between reader and chip, who keeps every command."""

    def __init__(self, card: SoftCard) -> None:
        self.card, self.heard = card, list[bytes]()

    def transmit(self, apdu: bytes) -> bytes:
        self.heard.append(apdu)
        return self.card.transmit(apdu)


@pytest.mark.parametrize("uid", [UID, bytes(range(7))])
def test_what_was_heard_while_a_card_was_made_makes_no_second_one(uid: bytes):
    first, second = Ear(in_channel()), in_channel(uid=uid)
    assert made(first, channel=MASTERS, readback=DIGESTS[0]) == ("good", "")
    answers = [second.transmit(apdu) for apdu in first.heard]
    assert b"\x90\x00" not in answers and (second.state, second.memory.applications) == ("blank", {})
    assert not any(command in sent for command in SCRIPT.commands for sent in first.heard), "nothing went in clear"


def test_a_script_that_was_stolen_makes_no_card_without_the_keys_of_the_channel():
    for card in (in_channel(), in_channel(uid=bytes(range(7)))):
        assert made(card)[0] == "spoiled"
        assert (card.state, card.memory.applications) == ("blank", {})


def test_a_finished_card_that_is_laid_down_again_is_not_blank_and_stays_as_it_is():
    card = in_channel()
    assert made(card, channel=MASTERS) == ("good", "")
    memory = card.memory
    assert made(card, channel=MASTERS) == ("suspect", "not-blank") and card.memory == memory


def test_a_chip_that_changes_its_identifier_is_suspect():
    assert made(Liar(blank_chip(PROFILE), first=UID, then=b"\x04" * 7)) == ("suspect", "uid-changed")


def test_another_version_of_the_keys_has_its_own_name():
    newer = KeySet(2, MASTERS.enc, MASTERS.mac, MASTERS.dek)
    assert made(in_channel(masters=newer), channel=MASTERS) == ("spoiled", "wrong-key-version")
    assert made(blank_chip(PROFILE), channel=MASTERS) == ("spoiled", "no-channel")


def test_a_chip_with_another_transport_key_has_its_own_name():
    found = make(blank_chip(PROFILE, kek=bytes(16)), SCRIPT, PLAN, Known(None))
    place = next(n for n, apdu in enumerate(SCRIPT.commands, 1) if decode_command(apdu).ins == 0xD4)
    assert (found.outcome, found.code, found.at) == ("spoiled", "wrong-transport-key", place)


def test_a_chip_that_is_too_small_refuses_and_is_spoiled():
    found = make(blank_chip(PROFILE, capacity=300), SCRIPT, PLAN, Known(None))
    assert (found.outcome, found.code) == ("spoiled", "refused") and "not enough memory" in found.reason


@pytest.mark.parametrize("answer", [b"", b"\x90", bytes(300), b"\x00\x00"])
def test_a_chip_that_answers_nonsense_is_suspect(answer: bytes):
    assert made(Odd(blank_chip(PROFILE), answers={4: answer})) == ("suspect", "garbled")


def test_an_answer_that_was_forged_in_the_channel_is_suspect():
    forged = Odd(in_channel(), answers={6: b"\x90\x00"})
    assert made(forged, channel=MASTERS) == ("suspect", "answer-forged")


@pytest.mark.parametrize("commands", [[], [b"\x00"], [bytes.fromhex("00E00000026200")]])
def test_a_script_that_is_none_has_an_outcome_too(commands: list[bytes]):
    odd = Odd(blank_chip(PROFILE), cut_at=2)
    assert make(odd, Script("1" * 16, commands), PLAN, KNOWN, again=odd.again).outcome == "suspect"
    assert make(blank_chip(PROFILE), Script("1" * 16, commands), PLAN, KNOWN).outcome in ("spoiled", "suspect")


def test_a_card_that_claims_every_command_done_does_not_read_back():
    class Yes:
        def transmit(self, apdu: bytes) -> bytes:
            return UID + b"\x90\x00" if apdu == GET_UID else b"\x90\x00"

    assert made(Yes(), readback=DIGESTS[0]) == ("suspect", "readback-differs")
