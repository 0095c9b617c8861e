"""A card in words: everything is named with its clause, wrong bytes are shown as such, and nothing makes it fall."""

from dataclasses import replace

import pytest

from made_cards import card_keys, finished_card, make_profile, make_records, whole_profile
from zhengka.formats.chip import SoftCard
from zhengka.formats.chip.applying import apply
from zhengka.formats.chip.orders import block, pin
from zhengka.formats.chip.showing import Line, show
from zhengka.formats.chip.wording import FIELDS

WHOLE = whole_profile()
[RECORD] = make_records(1)


def lines(card: SoftCard, *, inside: bool = False) -> list[Line]:
    return show(card, [WHOLE], held=card.memory if inside else None)


def told(found: list[Line]) -> dict[str, str]:
    return {line.en: line.value for line in found}


def test_a_reader_shows_what_everybody_may_read_and_says_what_is_guarded():
    found = lines(finished_card(WHOLE, RECORD))
    values = told(found)
    assert values["activated until"] == "2019-06-30" == values["last day"]
    assert values["card serial"] == RECORD["serial"]
    assert values["card kind"] == "5 残疾卡 disability"
    assert values["application serial"] == "0310" + RECORD["serial"]
    assert [line.value for line in found if line.en == "guarded"] == ["security status not satisfied"] * 4
    assert RECORD["name"] not in str(found) and RECORD["number"] not in str(found)


def test_its_maker_sees_what_is_guarded_too():
    values = told(lines(finished_card(WHOLE, RECORD), inside=True))
    assert values["name"] == RECORD["name"] and values["category"] == "4 肢体残疾 Physical"
    assert values["social-security number"] == "99000019000101001X" and values["sex"] == "1 男 male"
    assert values["life cycle"] == "operational"


def test_every_field_has_words_and_every_data_object_its_clause():
    for profile in (WHOLE, make_profile()):
        for each in profile.ours:
            for file in each.files:
                for field in (*file.fields, *[one for part in file.records for one in part]):
                    assert field.name in FIELDS or field.kind in ("hex", "blank"), field.name
                assert not each.placeholder or file.title_zh
    shown = [line for inside in (False, True) for line in lines(finished_card(WHOLE, RECORD), inside=inside)]
    assert [line.en for line in shown if not line.clause] == []
    assert {line.clause for line in shown if line.en == "category"} == {"ours, placeholder"}
    clauses = {line.clause for line in lines(finished_card(WHOLE, RECORD), inside=True)}
    assert {"JT/T 978, EF15", "LD/T 32, SSSE EF06", "08 社会保障号", "JR/T 0025", "ISO/IEC 7816-4, 7.4.1"} <= clauses


def test_a_pin_is_shown_with_whose_it_is_and_how_many_tries_are_left():
    card = finished_card(WHOLE, RECORD)
    [line] = [line for line in lines(card) if line.en == "PIN"]
    assert (line.zh, line.clause) == ("口令(PIN)", "ISO/IEC 7816-4, 11.5")
    assert line.value == "slot 9, 未设置 not set yet, 已锁定 blocked"
    assert apply(card, WHOLE, pin(WHOLE, 1, RECORD["serial"]), card_keys(WHOLE, RECORD)).code == ""
    for _ in range(2):  # asking costs no try
        assert told(lines(card))["PIN"] == "slot 9, 一次性,须更改 one-time, to be changed, 3 tries left"
    assert "key pin-unlock" in told(lines(card))


def test_a_blocked_application_says_so():
    card = finished_card(WHOLE, RECORD)
    apply(card, WHOLE, block(WHOLE, 1, RECORD["serial"]), card_keys(WHOLE, RECORD))
    assert [line.value for line in lines(card) if line.en == "state"] == ["已锁定 blocked"] * 3


@pytest.mark.parametrize(("fid", "at", "data", "field"), [
    (b"\x00\x17", 0, b"\x20\x19\x13\x01", "activated until"),
    (b"\x00\x15", 0, b"\xff", "card serial"),
    (b"\x00\x18", 0, b"\xff\xff", "signed credential"),
])
def test_wrong_bytes_are_shown_as_such(fid: bytes, at: int, data: bytes, field: str):
    memory = finished_card(WHOLE, RECORD).memory
    own = memory.applications[WHOLE.aid]
    card = SoftCard.of(memory.with_application(own.with_file(own.files[fid].written(at, data))))
    assert told(lines(card))[field].startswith(f"字节有误 wrong bytes {data.hex().upper()}")


def test_a_record_with_a_wrong_tag_and_a_file_of_no_layout_are_shown():
    memory = finished_card(WHOLE, RECORD).memory
    social = memory.applications[WHOLE.named("social-security-merge").aid]
    file = replace(social.files[b"\xef\x05"], records=(b"\x09\x01x",))
    odd = replace(file, fid=b"\x00\x02", records=(b"\x84\x02\x0a\x0b", b"\xff\xff"))
    card = SoftCard.of(memory.with_application(social.with_file(file).with_file(odd)))
    found = lines(card, inside=True)
    assert told(found)["identification mark"] == "字节有误 wrong bytes 090178"
    assert ("name of the application", "84 0A0B") in [(line.en, line.value) for line in found]
    assert ("bytes", "FFFF") in [(line.en, line.value) for line in found]


def test_text_that_would_move_a_terminal_is_shown_by_its_codes():
    [record] = make_records(1, name="王\x1b[2J\u202e")
    assert told(lines(finished_card(WHOLE, record), inside=True))["name"] == "王\\u001b[2J\\u202e"


@pytest.mark.parametrize("answer", [b"", b"\x90\x00", b"\xff" * 100 + b"\x90\x00", b"\x69\x82", bytes(400)])
def test_a_card_that_talks_nonsense_is_shown_to_the_end(answer: bytes):
    class Odd:
        def transmit(self, _: bytes) -> bytes:
            return answer

    assert show(Odd(), [WHOLE, make_profile()])


def test_a_card_that_stops_is_said_to_have_stopped():
    class Dead:
        def transmit(self, _: bytes) -> bytes:
            raise ConnectionError

    assert [line.en for line in show(Dead(), [WHOLE])] == ["the card stopped answering"]
