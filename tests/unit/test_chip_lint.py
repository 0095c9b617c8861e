"""The linter: a clean script passes, every planted fault is found by name."""

import datetime as dt
from typing import Any

import pytest

from made_cards import KEK, blank_chip, make_keys, make_profile, make_records, whole_profile
from zhengka.formats.apdu import Command, encode_command
from zhengka.formats.chip import (
    Finding,
    Script,
    compile_many,
    expected_readback,
    lint,
    lint_many,
    readback,
    reading_plan,
)

PROFILE = make_profile()
[RECORD] = make_records(1)
[SCRIPT] = compile_many(PROFILE, [RECORD], keys_by_slot=make_keys(PROFILE, [RECORD]), kek=KEK)


def faults(commands: list[bytes], record: dict[str, Any] = RECORD) -> set[str]:
    script = Script(RECORD["serial"], commands)
    found = lint(PROFILE, script, record)
    assert lint_many(PROFILE, [SCRIPT, script, SCRIPT], [RECORD, record, RECORD]) == [[], found, []]
    return {finding.code for finding in found}


def changed(old: str, new: str) -> list[bytes]:
    commands = [bytes.fromhex(command.hex().replace(old.lower(), new.lower())) for command in SCRIPT.commands]
    assert commands != SCRIPT.commands
    return commands


def test_a_clean_script_has_no_findings():
    assert lint(PROFILE, SCRIPT, RECORD) == []


@pytest.mark.parametrize("field", [field.name for field in PROFILE.fields])
def test_a_field_that_differs_from_the_record_is_found(field: str):
    other = {"category": 1, "grade": 1, "name": "王", "number": "1", "credential": b"\x01"}
    value = other.get(
        field, dt.date(2018, 7, 2) if isinstance(RECORD[field], dt.date) else "0" * len(str(RECORD[field]))
    )
    assert Finding("differs-from-record", field) in lint(PROFILE, SCRIPT, RECORD | {field: value})
    assert "differs-from-record" in faults(SCRIPT.commands, RECORD | {field: value})


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("8002006086020302", "8002005F86020302", "wrong-size"),
        ("8002006086020302", "8002006086020002", "wrong-rights"),
        ("80020140860200FF", "80021F40860200FF", "too-big-for-the-chip"),
        ("83020017", "83020019", "file-missing"),
        ("83020017", "83020019", "unknown-file"),
        ("83020017", "83020016", "file-made-twice"),
        ("84D40003", "84D40004", "key-not-loaded-once"),
        ("84D40003", "84D40009", "key-in-unknown-slot"),
        ("84D40003", "84D40103", "bad-key-command"),
        (PROFILE.aid.hex(), PROFILE.aid.hex()[:-2] + "02", "wrong-application"),
        ("00A4000C020017", "00A4000C020099", "no-such-file"),
        ("20180701", "201807AA", "bad-encoding"),
        ("20180701", "20181301", "bad-encoding"),
        ("20180701", "20180702", "differs-from-record"),
        ("0403", "0303", "differs-from-record"),
        ("820138", "820139", "unknown-file"),
    ],
)
def test_a_changed_byte_is_found_by_name(old: str, new: str, code: str):
    assert code in faults(changed(old, new))


@pytest.mark.parametrize("template", ["6300", "62", "6203820138", "62008300"])
def test_a_file_made_from_no_template_is_found(template: str):
    data = bytes.fromhex(template)
    assert "bad-file-template" in faults([encode_command(Command(0x00, 0xE0, 0, 0, data)), *SCRIPT.commands])


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("80EA0000", "command-not-allowed"),
        ("00B0000001", "command-not-allowed"),
        ("00", "not-a-command"),
        ("00D6013F0211FF", "write-past-the-end"),
        ("00A4040003F00102", "wrong-application"),
    ],
)
def test_a_command_too_many_is_found(extra: str, code: str):
    assert code in faults([*SCRIPT.commands, bytes.fromhex(extra)])


@pytest.mark.parametrize("place", range(len(SCRIPT.commands)))
def test_a_command_too_few_is_found(place: int):
    assert faults(SCRIPT.commands[:place] + SCRIPT.commands[place + 1 :])


def test_bytes_that_belong_to_no_field_are_found():
    stray = encode_command(Command(0x00, 0xD6, 0, 31, b"\x01"))
    select = bytes.fromhex("00A4000C020015")
    assert faults([*SCRIPT.commands, select, stray]) == {"bytes-outside-fields"}


def test_dates_in_the_wrong_order_are_found():
    [record] = make_records(1, activation_until=dt.date(2029, 1, 1))
    [script] = compile_many(PROFILE, [record], keys_by_slot=make_keys(PROFILE, [record]), kek=KEK)
    found = [Finding("dates-out-of-order", "activation_until, valid_until")]
    assert lint(PROFILE, script, record) == found
    assert lint_many(PROFILE, [SCRIPT, script], [RECORD, record]) == [[], found]


def test_cards_of_every_length_of_name_are_looked_at_together():
    records = [
        record | {"name": "王" * (place % 9 + 1), "number": "99000019000101001X43" + "B1" * (place % 3)}
        for place, record in enumerate(make_records(40))
    ]
    scripts = compile_many(PROFILE, records, keys_by_slot=make_keys(PROFILE, records), kek=KEK)
    assert lint_many(PROFILE, scripts, records) == [[]] * 40
    changed = [*records[:7], records[7] | {"name": "李"}, *records[8:]]
    assert lint_many(PROFILE, scripts, changed)[7] == [Finding("differs-from-record", "name")]
    assert sum(map(len, lint_many(PROFILE, scripts, changed))) == 1


def test_a_script_of_another_serial_is_found():
    other = SCRIPT._replace(serial="0" * 16)
    assert Finding("serial-differs", "serial") in lint(PROFILE, other, RECORD)
    assert lint_many(PROFILE, [SCRIPT, other], [RECORD, RECORD]) == [[], lint(PROFILE, other, RECORD)]


def test_an_endless_script_is_not_run_to_its_end():
    assert "too-many-commands" in faults(SCRIPT.commands * 1000)


def test_a_key_before_there_is_an_application_is_found():
    assert "key-outside-application" in faults(SCRIPT.commands[1:])


def test_a_pin_that_is_not_blocked_is_hidden_from_the_linter_and_seen_by_the_read_back():
    """What is loaded into a slot is enciphered, its tries too."""
    profile = whole_profile()
    wrong = profile._replace(applications=tuple(each._replace(keys=tuple(
        key._replace(blocked=False) for key in each.keys)) for each in profile.applications))
    keys = make_keys(profile, [RECORD])
    [expected] = expected_readback(profile, [RECORD], keys)
    for made, well in ((profile, True), (wrong, False)):
        [script] = compile_many(made, [RECORD], keys_by_slot=keys, kek=KEK)
        assert lint(profile, script, RECORD) == []
        card = blank_chip(profile)
        for command in script.commands:
            assert card.transmit(command) == b"\x90\x00"
        assert (readback(card, reading_plan(profile), RECORD["serial"]) == expected) == well
