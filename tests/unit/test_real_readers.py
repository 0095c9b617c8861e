"""Real PC/SC: our software card in a virtual reader, read by our client and by programs that we did not write."""

import re
import signal
import threading
import time

import pytest

from made_cards import (
    CHANNEL,
    KEK,
    UID,
    blank_chip,
    finished_card,
    make_keys,
    make_orders,
    make_package,
    make_profile,
    make_records,
    whole_profile,
)
from readers import SLOTS
from zhengka.formats.apdu import OK, decode_response
from zhengka.formats.chip import ATR, SoftCard, asking, compile_whole, making, reading_plan
from zhengka.formats.chip.card import GET_UID, PowerCut
from zhengka.formats.chip.fields import values
from zhengka.formats.chip.making import Known, make
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.results import ResultReader
from zhengka.formats.suites import SM
from zhengka_maker.__main__ import main as maker
from zhengka_reader.__main__ import main as reader
from zhengka_reader.pcsc import PcscFault, Readers, TwoCards, card_on

pytestmark = pytest.mark.xdist_group("pcsc")
PROFILE = make_profile()
[RECORD] = make_records(1)
[SCRIPT], [DIGEST] = compile_whole(PROFILE, [RECORD], keys_by_slot=make_keys(PROFILE, [RECORD]), kek=KEK)
PLAN = reading_plan(PROFILE)
SELECT = asking.select_application(PROFILE.aid)
READ = asking.read_binary(PROFILE.files[0].sfi, size=PROFILE.files[0].size)


class Lying:
    """A chip that answers by `change`, which gets the command, the true answer, and how many came before it."""

    def __init__(self, card: SoftCard, change) -> None:
        self._card, self._change, self._asked = card, change, 0
        self.atr = card.atr

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        self._asked += 1
        return self._change(apdu, self._card.transmit(apdu), self._asked - 1)


def made_on(room, card, **known):
    """What becomes of a chip that is made on the reader."""
    room.lay(card)
    with card_on() as there:
        return make(there, SCRIPT, PLAN, Known(**{"channel": None} | known))


def finished() -> SoftCard:
    card = blank_chip(PROFILE)
    assert make(card, SCRIPT, PLAN, Known(None)).outcome == "good"
    return card


# --- programs that we did not write ---

def test_opensc_reads_the_answer_to_reset_and_the_public_file(room):
    room.lay(finished())
    assert room.program("opensc-tool", "--atr").splitlines()[0].replace(":", "") == ATR.hex()
    words = [word for apdu in (SELECT, READ) for word in ("--send-apdu", apdu.hex(":"))]
    told = room.program("opensc-tool", "--card-driver", "default", *words).split("Received (SW1=0x90, SW2=0x00):")
    assert len(told) == 3, "both commands are carried out"
    content = bytes.fromhex("".join(line[:47] for line in told[2].splitlines() if re.match("[0-9A-F]{2} ", line)))
    assert values(PROFILE.files[0], content)["serial"] == RECORD["serial"]


def test_opensc_reads_every_public_file_of_every_application_and_is_refused_the_others(room):
    whole = whole_profile()
    [record] = make_records(1)
    card = finished_card(whole, record)
    room.lay(card)
    seen, refused = set(), set()
    for application in whole.ours:
        files = card.memory.applications[application.aid].files
        for file in application.files:
            held = files[file.fid]
            parts = _asked_for(file, held)
            told = _opensc(room, [asking.select_application(application.aid), *parts])
            assert told[0][0] == OK
            if file.read == "free":
                assert [data for _, data in told[1:]] == list(parts.values()), (application.id, file.fid.hex())
                seen.add((application.id.split("-")[0], file.fid.hex()))
            else:
                assert {(sw, data) for sw, data in told[1:]} == {(0x6982, b"")}
                refused.add((application.id.split("-")[0], file.fid.hex()))
    assert seen == {*(("disability", fid) for fid in ("0015", "0017", "0018")), ("social", "ef05"),
                    *(("transit", fid) for fid in ("0015", "0016", "0017", "0018", "001a", "001e"))}
    assert refused == {("disability", "0016"), *(("social", fid) for fid in ("ef06", "ef07", "ef08"))}


def _asked_for(file, held) -> dict[bytes, bytes]:
    """Commands that read a file whole, each with what the chip's memory holds there."""
    if file.transparent:
        content = held.content
        return {asking.read_binary(file.sfi, offset=at, size=min(200, len(content) - at)): content[at:at + 200]
                for at in range(0, min(len(content), 400), 200)}
    return {asking.read_record(file.sfi, number): record for number, record in enumerate(held.records, 1)}


def _opensc(room, commands) -> list[tuple[int, bytes]]:
    """Status word and data of each command, as opensc-tool prints them."""
    words = [word for apdu in commands for word in ("--send-apdu", apdu.hex(":"))]
    told = room.program("opensc-tool", "--card-driver", "default", *words)
    blocks = re.findall(r"Received \(SW1=0x(..), SW2=0x(..)\):?((?:\n(?:[0-9A-F]{2} )+.*)*)", told)
    return [(int(one + two, 16), bytes.fromhex("".join(re.findall(r"\n((?:[0-9A-F]{2} ){1,16})", lines))))
            for one, two, lines in blocks]


def test_scriptor_gets_every_file_that_is_free_to_read(room):
    room.lay(finished())
    free = [file for file in PROFILE.files if file.read == "free" and file.size <= 256]
    commands = [SELECT, *[asking.read_binary(file.sfi, size=file.size) for file in free]]
    told = room.program("scriptor", "-r", SLOTS[0], given="\n".join(each.hex(" ") for each in commands) + "\n")
    answers = [bytes.fromhex(block.split(":")[0].replace("\n", " ").strip())
               for block in told.replace("< ", "\n< ").split("\n< ")[1:]]
    assert [decode_response(answer).sw for answer in answers] == [OK] * len(commands)
    read = {name: value for file, answer in zip(free, answers[1:], strict=True)
            for name, value in values(file, answer[:-2]).items()}
    assert read["serial"] == RECORD["serial"] and read["activation_until"] == RECORD["activation_until"]


def test_pcsc_scan_sees_the_card_and_what_its_answer_to_reset_says(room):
    room.lay(finished())
    told = room.program("sh", "-c", "timeout 3 pcsc_scan -n; true")
    assert SLOTS[0] in told and ATR.hex(" ").upper() in told


def test_pyscard_reads_the_serial_and_is_refused_what_only_a_proven_reader_sees(room):
    room.lay(finished())
    holder = next(file for file in PROFILE.files if file.read != "free")
    told = room.program("/usr/bin/python3", "-c", f"""
from smartcard.System import readers
card = readers()[0].createConnection()
card.connect()
for apdu in {[SELECT.hex(), READ.hex(), asking.read_binary(holder.sfi, size=32).hex()]!r}:
    data, sw1, sw2 = card.transmit(list(bytes.fromhex(apdu)))
    print(bytes(data).hex(), format(sw1 << 8 | sw2, "04X"))
""")
    lines = [line.rsplit(" ", 1) for line in told.splitlines()]
    assert [sw for _, sw in lines] == ["9000", "9000", "6982"]
    assert lines[1][0].startswith(RECORD["serial"]) and lines[2][0] == ""


# --- our own client ---

def test_two_cards_an_empty_reader_and_an_unknown_one_have_names(room):
    with pytest.raises(PcscFault, match="no card lies") as none, card_on():
        pass
    assert none.value.code == "no-card"
    with pytest.raises(PcscFault) as gone, card_on("Reader that was unplugged"):
        pass
    assert gone.value.code == "reader-gone"
    room.lay(finished())
    room.lay(blank_chip(PROFILE), slot=1)
    with pytest.raises(TwoCards) as two, card_on():
        pass
    assert two.value.readers == list(SLOTS)
    with card_on(SLOTS[1]) as card:
        assert (card.uid, card.atr) == (UID, ATR)


def test_a_card_that_we_work_with_is_nobody_elses(room):
    room.lay(finished())
    with card_on() as card:
        assert decode_response(card.transmit(SELECT)).sw == OK
        with pytest.raises(PcscFault) as used, card_on():
            pass
        assert used.value.code == "card-in-use"
        assert decode_response(card.transmit(READ)).data.hex().startswith(RECORD["serial"])


def test_waiting_ends_when_a_card_is_laid_down(room):
    seen = []
    with Readers() as readers:
        watcher = threading.Timer(0.3, lambda: room.lay(finished()))
        watcher.start()
        began = time.monotonic()
        readers.wait(20)
        seen = readers.with_card()
        assert time.monotonic() - began < 10
    watcher.join()
    assert seen == [SLOTS[0]]


def test_a_service_that_dies_is_named_and_one_that_came_back_serves(room):
    room.lay(finished())
    with card_on() as card:
        room.crash()
        with pytest.raises(PcscFault) as dead:
            card.transmit(SELECT)
    assert dead.value.code in ("pcsc-missing", "reader-gone", "reader-fails")
    with pytest.raises(PcscFault) as none, card_on():
        pass
    assert none.value.code == "pcsc-missing"
    room.begin()
    room.lay(finished())
    with card_on() as card:
        assert card.uid == UID


# --- what becomes of a chip that is made there ---

def test_a_card_is_made_over_the_reader_and_reads_back(room):
    card = blank_chip(PROFILE)
    made = made_on(room, card, uid=UID, readback=DIGEST)
    assert (made.outcome, made.code, made.uid, made.readback) == ("good", "", UID, DIGEST)
    assert card.state == "operational"


def test_a_chip_cut_at_any_command_is_suspect_and_never_called_good(room):
    whole = len(SCRIPT.commands) + len(PLAN.steps) + 2  # its identifier is asked before and after
    ends = set()
    for at in range(whole + 1):
        def cut(apdu, answer, asked, at=at):
            if asked == at:
                raise PowerCut("taken away")
            return answer
        chip = blank_chip(PROFILE)
        made = made_on(room, Lying(chip, cut))
        room.empty()
        if at == whole:  # that is after its last answer
            assert made.outcome == "good"
            continue
        assert (made.outcome, made.code) == ("suspect", "cut"), (at, made)
        ends.add(made.at)
    assert len(ends) > len(SCRIPT.commands), "each place has its number"


@pytest.mark.parametrize(("change", "outcome", "code"), [
    (lambda apdu, answer, asked: bytes(7) + b"\x90\x00" if apdu == GET_UID and asked else answer,
     "suspect", "uid-changed"),
    (lambda apdu, answer, asked: b"\x6d\x00" if apdu == GET_UID else answer, "spoiled", "no-uid"),
    (lambda apdu, answer, asked: b"\x69\x85" if apdu[1] == 0xD6 else answer, "spoiled", "refused"),
    (lambda apdu, answer, asked: b"\x90" if asked == 3 else answer, "suspect", "garbled"),
    (lambda apdu, answer, asked: answer[:-3] + b"\xee" + answer[-2:] if apdu[1] == 0xB0 and len(answer) > 3 else answer,
     "suspect", "readback-differs")])
def test_a_chip_that_lies_has_a_name_for_it_and_is_not_good(room, change, outcome, code):
    made = made_on(room, Lying(blank_chip(PROFILE), change), readback=DIGEST)
    assert (made.outcome, made.code) == (outcome, code)
    assert made.code in making.CODES and made.reason


def test_another_chip_a_wrong_transport_key_and_a_card_that_is_one_already_are_refused(room):
    assert made_on(room, blank_chip(PROFILE), uid=bytes(7)).code == "another-chip"
    room.empty()
    assert made_on(room, blank_chip(PROFILE, kek=bytes(16))).code == "wrong-transport-key"
    room.empty()
    assert made_on(room, finished()).code == "not-blank"


LIES = {
    "a byte of its answer is another": lambda answer: bytes([answer[0] ^ 1]) + answer[1:],
    "it refuses": lambda answer: b"\x6a\x80",
    "its answer is no answer": lambda answer: b"\x90",
    "it is done, and tells what nobody asked": lambda answer: b"\x01\x90\x00",
    "it is taken away": None,
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("masters", [None, CHANNEL])
def test_many_commands_at_once_end_as_they_end_one_by_one(room, lie, masters):
    """The same chip on the reader and in this process; it lies when its channel opens, when it is written, or read."""
    known = Known(masters, readback=DIGEST)
    for at in (2, 9, 24):
        one, seen_one = _lying(lie, at, masters)
        in_process = make(one, SCRIPT, PLAN, known)
        other, seen_other = _lying(lie, at, masters)
        assert made_on(room, other, **known._asdict()) == in_process, at
        room.empty()
        if in_process.at:  # while it was written: what comes behind the lie is never sent
            assert seen_other == seen_one, at
        assert in_process.outcome != "good" or "done" in lie, at


def _lying(lie: str, at: int, masters) -> tuple[Lying, list[bytes]]:
    """A blank chip that lies at its command number `at`, and the headers of the commands that it gets."""
    seen = []

    def change(apdu, answer, asked):
        seen.append(apdu[:4])
        if asked == at and LIES[lie] is None:
            raise PowerCut("taken away")
        return LIES[lie](answer) if asked == at else answer
    return Lying(blank_chip(PROFILE, channel=masters and masters.of_chip(SM, UID)), change), seen


# --- the card maker and the reader program ---

def test_the_makers_stand_in_makes_real_cards_one_after_another(room, tmp_path, capsys):
    issuer, home = SM.generate(), tmp_path / "home"
    write_public(tmp_path / "issuer.json", issuer.public)
    assert maker(["init", str(home)]) == 0 and maker(["trust", str(home), str(tmp_path / "issuer.json")]) == 0
    orders, digests = make_orders(PROFILE, make_records(2))
    public = read_public(home / "maker-public.json")
    make_package(tmp_path / "batch.zip", orders, signer=issuer, maker=public, profile=PROFILE)
    words = ["run", str(tmp_path / "batch.zip"), "--home", str(home), "--out", str(tmp_path / "results.jsonl"),
             "--reader", SLOTS[0], "--patience", "3"]
    first = blank_chip(PROFILE, uid=bytes(range(1, 8)), channel=CHANNEL.of_chip(SM, bytes(range(1, 8))))
    room.lay(first)
    assert maker(words) == 1, "nobody takes the first card away: it waits, gives up, and remembers"
    assert "not taken away" in capsys.readouterr().err and first.state == "operational"
    room.empty()
    second = blank_chip(PROFILE, uid=bytes(range(2, 9)), channel=CHANNEL.of_chip(SM, bytes(range(2, 9))))
    room.lay(second)
    done = threading.Thread(target=_taken_once_made, args=(room, second))
    done.start()
    assert maker(words) == 0
    done.join()
    cards = list(ResultReader(tmp_path / "results.jsonl", public).cards())
    assert {card.serial: card.readback for card in cards} == digests
    assert [card.uid for card in cards] == [first.uid, second.uid] and {card.outcome for card in cards} == {"good"}


def _taken_once_made(room, card: SoftCard) -> None:
    end = time.monotonic() + 20
    while card.state != "operational" and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)
    room.empty()


def test_the_reader_program_lists_readers_and_shows_the_card(room, capsys):
    room.lay(finished(), slot=1)
    assert reader(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{SLOTS[0]}: empty", f"{SLOTS[1]}: card"]
    assert reader(["show"]) == 0
    told = capsys.readouterr().out
    assert UID.hex().upper() in told and ATR.hex().upper() in told


# --- a card that hangs, or says nothing ---

class Hanging:
    """A chip that takes the command number `at`, and never answers it until `let_go`."""

    def __init__(self, card: SoftCard, at: int) -> None:
        self._card, self._at, self._asked = card, at, 0
        self.atr, self.let_go = card.atr, threading.Event()

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        self._asked += 1
        if self._asked > self._at:
            self.let_go.wait()
            raise PowerCut("taken away")
        return self._card.transmit(apdu)


def test_a_card_that_hangs_is_named_in_time_and_a_new_context_serves_the_next_one(room):
    hanging = Hanging(finished(), 1)
    room.lay(hanging)
    began = time.monotonic()
    try:
        with pytest.raises(PcscFault) as mute, Readers(0.5) as readers, readers.only() as card:
            assert decode_response(card.transmit(SELECT)).sw == OK
            card.transmit(READ)
        assert mute.value.code == "card-mute" and readers.lost
        assert time.monotonic() - began < 5, "nobody waits for it, not to close either"
        with pytest.raises(PcscFault, match="does not answer"):
            readers.names()
    finally:
        hanging.let_go.set()
    room.empty()
    room.lay(finished())
    with card_on() as card:
        assert card.uid == UID


class Slow:
    """A chip that takes its time for each command, and remembers how many it got."""

    def __init__(self, card: SoftCard, seconds: float, *, first_for: float = 0.0) -> None:
        self._card, self._seconds, self._first, self.asked = card, seconds, first_for, 0
        self.atr = card.atr

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        self.asked += 1
        time.sleep(self._seconds if self.asked > 1 else self._first or self._seconds)
        return self._card.transmit(apdu)


def test_a_slow_card_has_its_time_for_each_command_and_not_for_all_of_them(room):
    room.lay(Slow(blank_chip(PROFILE), 0.05))
    with Readers(0.6) as readers, readers.only() as there:
        assert make(there, SCRIPT, PLAN, Known(None, readback=DIGEST)).outcome == "good"


def test_a_card_that_is_forgotten_gets_no_command_more_when_it_answers_at_last(room):
    late = Slow(finished(), 0, first_for=1.5)
    room.lay(late)
    with pytest.raises(PcscFault) as mute, Readers(0.4) as readers, readers.only() as there:
        list(there.transmit_each([(SELECT, None), (READ, None), (READ, None)]))
    assert mute.value.code == "card-mute"
    time.sleep(2)
    assert late.asked == 1


def test_who_is_interrupted_sends_a_card_no_command_more(room):
    slow = Slow(finished(), 0.2)
    room.lay(slow)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), Readers() as readers, readers.only() as there:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            list(there.transmit_each([(READ, None)] * 20))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert readers.lost
    asked = slow.asked
    time.sleep(1)
    assert slow.asked <= asked + 1 < 20


def test_a_card_that_answers_no_byte_is_mute_while_it_lies_there(room):
    room.lay(Lying(finished(), lambda apdu, answer, asked: b"" if apdu == READ else answer))
    with pytest.raises(PcscFault) as mute, card_on() as card:
        assert decode_response(card.transmit(SELECT)).sw == OK
        card.transmit(READ)
    assert mute.value.code == "card-mute"


def test_a_chip_that_hangs_while_it_is_made_is_suspect_and_never_called_good(room):
    hanging = Hanging(blank_chip(PROFILE), 5)
    room.lay(hanging)
    try:
        with Readers(0.5) as readers, readers.only() as there:
            made = make(there, SCRIPT, PLAN, Known(None), again=lambda: there)
        assert (made.outcome, made.code, made.at) == ("suspect", "cut", 5)
    finally:
        hanging.let_go.set()
    room.empty()
