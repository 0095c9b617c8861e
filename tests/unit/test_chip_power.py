"""Whenever the power goes, the card is the old one or the new one; on disk too; and no wrong try is lost."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from made_cards import (
    KEK,
    UID,
    blank_chip,
    card_keys,
    finished_card,
    make_keys,
    make_profile,
    make_records,
    whole_profile,
    written_card,
)
from zhengka.formats.apdu import Command, decode_command, decode_response, encode_command
from zhengka.formats.chip import PowerCut, SoftCard, asking, compile_many, image, readback, reading_plan
from zhengka.formats.chip.memory import CYCLIC
from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.chip.secure import answer, pin_block, protect, put_key_many, replace_key
from zhengka.formats.suites import SM

PROFILE = make_profile()
[RECORD] = make_records(1)
KEYS = {purpose: keys[0] for purpose, keys in make_keys(PROFILE, [RECORD]).items()}
[SCRIPT] = compile_many(PROFILE, [RECORD], keys_by_slot=make_keys(PROFILE, [RECORD]), kek=KEK)
SHELL = b"s" * 16
SELECT = asking.select_application(PROFILE.aid)
CHALLENGE = bytes.fromhex("0084000008")
RANDOM = bytes(range(8))
Commands = list[bytes]
WHOLE = whole_profile()
SOCIAL = WHOLE.named("social-security-merge")
UNLOCK = "social-security-merge/pin-unlock"


def still(size: int) -> bytes:
    """Randomness that never changes, so that two runs can be compared."""
    return RANDOM[:size]


def finished() -> SoftCard:
    card = written_card(PROFILE, RECORD)
    readback(card, reading_plan(PROFILE), RECORD["serial"])
    return card


def with_pin(*, wrong: int = 0) -> SoftCard:
    card = SoftCard(uid=UID, kek=KEK, suite=SM)
    slots = [(Key(5, "pin", 1, 3), b"123456"), (Key(6, "unblock", 1, 2), b"98765432")]
    made = [asking.create_application(PROFILE.aid, PROFILE.fid)]
    made += [put_key_many(SM, KEK, key, [pin_block(value)])[0] for key, value in slots]
    made += [asking.create_records(b"\x00\x1e", CYCLIC, size=4, most=2, rights=b"\x05\x05"), bytes.fromhex("80EA0000")]
    for apdu in made + [verify(b"000000")] * wrong:
        decode_response(card.transmit(apdu))
    return card


def verify(pin: bytes) -> bytes:
    return encode_command(Command(0x00, 0x20, 0, 5, pin))


def protected(purpose: str, command: Command) -> Commands:
    return [SELECT, CHALLENGE, protect(SM, KEYS[purpose], RANDOM, command)]


ACTIVATE = Command(0x00, 0xD6, 0x97, 0, bytes.fromhex("20200630"))
LINES: dict[str, tuple[Callable[[], SoftCard], Commands]] = {
    "personalisation": (lambda: blank_chip(PROFILE), [*SCRIPT.commands, bytes.fromhex("80EA0000")]),
    "activation": (finished, protected("maintenance", ACTIVATE)),
    "wrong mac": (finished, [SELECT, CHALLENGE, protect(SM, bytes(16), RANDOM, ACTIVATE)]),
    "key replaced": (
        finished, [SELECT, CHALLENGE, replace_key(SM, KEYS["control"], RANDOM, Key(3, "reader", 2, 15), bytes(16))],
    ),
    "file added": (
        finished, protected("control", decode_command(asking.create_transparent(b"\x00\x19", 8, b"\0\2"))),
    ),
    "application locked": (finished, protected("control", Command(0x80, 0x1E, 0, 0))),
    "card locked": (finished, protected("control", Command(0x80, 0x16, 0, 0))),
    "wrong pin": (with_pin, [SELECT, verify(b"000000")]),
    "right pin after a wrong one": (lambda: with_pin(wrong=1), [SELECT, verify(b"123456")]),
    "pin changed": (with_pin, [SELECT, bytes.fromhex("0024000510") + b"123456\xff\xff" + b"654321\xff\xff"]),
    "pin unblocked": (
        lambda: with_pin(wrong=3), [SELECT, bytes.fromhex("002C000510") + b"98765432" + b"654321\xff\xff"],
    ),
    "issued pin unblocked at a desk": (
        lambda: finished_card(WHOLE, RECORD, rng=still),
        [asking.select_application(SOCIAL.aid), CHALLENGE,
         card_keys(WHOLE, RECORD).reset(UNLOCK, 1, RANDOM, SOCIAL.slot("pin"), 7, published=True)],
    ),
    "record appended": (with_pin, [SELECT, verify(b"123456"), asking.append_record(0x1E, b"trip")]),
}


def cuts(card: SoftCard, apdu: bytes) -> Iterator[tuple[SoftCard, bool]]:
    """The card after a cut at each write of one command, and whether it had changed by then."""
    before = card.memory
    for writes in range(100):
        other = SoftCard.of(before, rng=still)
        other._session = copy.deepcopy(card._session)
        other.power_cut_after(writes)
        try:
            other.transmit(apdu)
        except PowerCut:
            yield other, other.memory != before
        else:
            return
    raise AssertionError("a command of a hundred writes")


@pytest.mark.parametrize("name", LINES)
def test_a_cut_at_any_write_of_any_command_leaves_the_old_card_or_the_new_one(name: str):
    make, commands = LINES[name]
    card = SoftCard.of(make().memory, rng=still)
    seen = 0
    for apdu in commands:
        old, after = card.memory, list(cuts(card, apdu))
        card.transmit(apdu)
        assert all(cut.memory in (old, card.memory) for cut, _ in after)
        if card.memory != old:
            assert {changed for _, changed in after} == {False, True}
        seen += len(after)
    assert seen, "nothing was ever written"


def test_a_cut_forgets_who_was_proven_and_what_was_selected():
    card = with_pin()
    card.transmit(SELECT)
    card.transmit(verify(b"123456"))
    card.power_cut_after(0)
    with pytest.raises(PowerCut):
        card.transmit(asking.append_record(0x1E, b"trip"))
    assert card.transmit(asking.append_record(0x1E, b"trip")) == b"\x69\x86"
    card.transmit(SELECT)
    assert card.transmit(asking.append_record(0x1E, b"trip")) == b"\x69\x82"


def test_pulling_the_card_away_wins_no_try_of_the_pin():
    """Whoever learns from the answer whether the PIN was right has paid for it: no answer before the count is kept."""
    card = SoftCard.of(with_pin().memory)
    for _ in range(20):
        card.transmit(SELECT)
        before = card.memory.applications[PROFILE.aid].keys[5].left
        card.power_cut_after(1)
        with pytest.raises(PowerCut):
            card.transmit(verify(b"000000"))
        if not card.memory.applications[PROFILE.aid].keys[5].left:
            break
        assert card.memory.applications[PROFILE.aid].keys[5].left == before - 1
    assert card.memory.applications[PROFILE.aid].keys[5].left == 0


def test_a_card_on_disk_keeps_every_change_and_comes_back(tmp_path: Path):
    path = tmp_path / "card"
    card = blank_chip(PROFILE)
    card.save(path, SHELL)
    for command in SCRIPT.commands:
        assert card.transmit(command) == b"\x90\x00"
        assert SoftCard.load(path, SHELL).memory == card.memory
    back = SoftCard.load(path, SHELL)
    plan = reading_plan(PROFILE)
    assert readback(back, plan, RECORD["serial"]) == readback(card, plan, RECORD["serial"])
    assert SoftCard.load(path, SHELL).state == "operational"


def test_every_kind_of_memory_survives_the_disk(tmp_path: Path):
    in_channel = SoftCard(uid=UID, kek=KEK, suite=SM, channel=KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16))
    for card in (with_pin(wrong=2), in_channel, finished()):
        card.save(tmp_path / "card", SHELL)
        assert SoftCard.load(tmp_path / "card", SHELL).memory == card.memory


def test_a_card_on_disk_is_sealed_and_only_its_owner_may_read_it(tmp_path: Path):
    path = tmp_path / "card"
    finished().save(path, SHELL)
    data = path.read_bytes()
    assert not any(secret in data for secret in (KEYS["reader"], KEK, RECORD["name"].encode("gb18030")))
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(image.ImageBroken):
        SoftCard.load(path, bytes(16))


@pytest.mark.parametrize("place", [0, 20, 40, -1])
def test_a_changed_or_shortened_file_is_no_card(place: int):
    data = image.seal(finished().memory, SHELL)
    changed = bytearray(data)
    changed[place] ^= 1
    for broken in (bytes(changed), data[:place], b""):
        with pytest.raises(image.ImageBroken):
            image.unseal(broken, SHELL)


def test_a_disk_that_is_full_leaves_the_card_as_it_was(tmp_path: Path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    card = blank_chip(PROFILE)
    card.save(folder / "card", SHELL)
    (folder / "card").unlink()
    folder.rmdir()
    assert card.transmit(SCRIPT.commands[0]) == b"\x65\x81"
    assert card.state == "blank"


def test_a_cut_while_the_file_is_written_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "card"
    card = blank_chip(PROFILE)
    card.save(path, SHELL)
    for command in SCRIPT.commands:
        before = SoftCard.load(path, SHELL).memory
        card.power_cut_after(0)
        with pytest.raises(PowerCut):
            while True:
                card.transmit(command)
        assert SoftCard.load(path, SHELL).memory == before
        break


PIN_CASES = [
    ([verify(b"")], [0x63C3]),
    ([verify(b"000000"), verify(b"")], [0x63C2, 0x63C2]),
    ([verify(b"123456"), verify(b"")], [0x9000, 0x9000]),
    ([verify(b"000000"), verify(b"123456"), verify(b"000000")], [0x63C2, 0x9000, 0x63C2]),
    ([verify(b"000000")] * 3 + [verify(b"123456")], [0x63C2, 0x63C1, 0x63C0, 0x6983]),
    ([verify(b"123")], [0x6700]),
    ([encode_command(Command(0x00, 0x20, 1, 5, b"123456"))], [0x6A86]),
    ([encode_command(Command(0x00, 0x20, 0, 6, b"98765432"))], [0x6A88]),
    ([encode_command(Command(0x00, 0x24, 0, 5, b"123456" * 2))], [0x6700]),
    ([encode_command(Command(0x00, 0x82, 0, 5, bytes(8)))], [0x6985]),
    ([encode_command(Command(0x00, 0x2C, 2, 5, b"98765432"))], [0x6A86]),
    ([encode_command(Command(0x00, 0x2C, 1, 6, b"98765432"))], [0x6A88]),
    ([encode_command(Command(0x00, 0x2C, 1, 5, b"00000000"))] * 3, [0x63C1, 0x63C0, 0x6983]),
]


@pytest.mark.parametrize(("commands", "statuses"), PIN_CASES)
def test_a_pin_counts_blocks_and_says_how_many_tries_are_left(commands: Commands, statuses: list[int]):
    card = with_pin()
    card.transmit(SELECT)
    assert [decode_response(card.transmit(apdu)).sw for apdu in commands] == statuses


@pytest.mark.parametrize(("p1", "more", "now"), [(0, b"654321\xff\xff", b"654321"), (1, b"", b"123456")])
def test_the_unblocking_code_frees_a_blocked_pin(p1: int, more: bytes, now: bytes):
    card = with_pin()
    card.transmit(SELECT)
    for _ in range(3):
        card.transmit(verify(b"000000"))
    assert card.transmit(encode_command(Command(0x00, 0x2C, p1, 5, b"98765432" + more))) == b"\x90\x00"
    assert card.transmit(verify(now)) == b"\x90\x00"


def test_a_locked_application_does_nothing_until_it_is_unlocked():
    card = SoftCard.of(finished().memory, rng=still)
    for apdu in protected("control", Command(0x80, 0x1E, 0, 0)):
        card.transmit(apdu)
    assert card.transmit(asking.read_binary(0x15)) == b"\x69\x85"
    assert card.transmit(SELECT) == b"\x62\x83"
    for apdu in protected("control", Command(0x80, 0x18, 0, 0)):
        card.transmit(apdu)
    assert decode_response(card.transmit(asking.read_binary(0x15))).sw == 0x9000


def test_locking_forgets_who_was_proven():
    card = SoftCard.of(finished().memory, rng=still)
    proof = encode_command(Command(0x00, 0x82, 0, PROFILE.slot("reader"), answer(SM, KEYS["reader"], RANDOM)))
    for apdu in (SELECT, CHALLENGE, proof):
        card.transmit(apdu)
    assert decode_response(card.transmit(asking.read_binary(0x16))).sw == 0x9000
    for ins in (0x1E, 0x18):
        for apdu in protected("control", Command(0x80, ins, 0, 0))[1:]:
            assert decode_response(card.transmit(apdu)).sw == 0x9000
    assert card.transmit(asking.read_binary(0x16)) == b"\x69\x82"


def test_a_locked_card_never_answers_again():
    card = SoftCard.of(finished().memory, rng=still)
    for apdu in protected("control", Command(0x80, 0x16, 0, 0)):
        card.transmit(apdu)
    card.reset()
    assert card.transmit(SELECT) == b"\x6a\x81"


@pytest.mark.parametrize("purpose", ["maintenance", "reader"])
def test_only_the_control_key_locks(purpose: str):
    card = SoftCard.of(finished().memory, rng=still)
    answers = [card.transmit(apdu) for apdu in protected(purpose, Command(0x80, 0x16, 0, 0))]
    assert answers[-1] == b"\x69\x88" and card.state == "operational"


def test_a_reader_and_a_card_prove_themselves_in_one_command():
    card = SoftCard.of(finished().memory, rng=still)
    card.transmit(SELECT)
    card.transmit(CHALLENGE)
    proof = answer(SM, KEYS["reader"], RANDOM)
    mutual = encode_command(Command(0x00, 0x82, 0, PROFILE.slot("reader"), proof + b"12345678", 8))
    assert card.transmit(mutual) == answer(SM, KEYS["internal"], b"12345678") + b"\x90\x00"
