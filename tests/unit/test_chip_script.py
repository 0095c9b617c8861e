"""Scripts: what they write is what is read back, and a wrong key, byte or card is seen."""

import datetime as dt
import pickle
from dataclasses import replace
from typing import Any

import pytest

from made_cards import KEK, blank_chip, make_keys, make_profile, make_records, whole_profile, written_card
from zhengka.formats import chip
from zhengka.formats.apdu import decode_response
from zhengka.formats.chip import (
    Profile,
    ReadingPlan,
    RecordBroken,
    SoftCard,
    compile_many,
    expected_readback,
    readback,
    reading_plan,
)

PROFILE = make_profile()


def expected(record: dict[str, Any], profile: Profile = PROFILE) -> bytes:
    return expected_readback(profile, [record], make_keys(profile, [record]))[0]


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_every_card_of_a_batch_reads_back_as_expected(suite: str):
    profile, records = make_profile(suite=suite), make_records(20)
    keys = make_keys(profile, records)
    scripts = compile_many(profile, records, keys_by_slot=keys, kek=KEK)
    digests = expected_readback(profile, records, keys)
    assert len(set(digests)) == 20
    for script, digest in zip(scripts, digests, strict=True):
        card = blank_chip(profile)
        assert {card.transmit(command) for command in script.commands} == {b"\x90\x00"}
        assert readback(card, reading_plan(profile), script.serial) == digest
        assert card.state == "operational"


def test_cards_compiled_together_are_the_cards_compiled_one_by_one():
    records = make_records(12)
    keys = make_keys(PROFILE, records)
    together = compile_many(PROFILE, records, keys_by_slot=keys, kek=KEK)
    for place, record in enumerate(records):
        own = {purpose: [column[place]] for purpose, column in keys.items()}
        assert compile_many(PROFILE, [record], keys_by_slot=own, kek=KEK) == [together[place]]


def test_no_card_at_all_is_no_script():
    none: dict[str, list[bytes]] = {key.purpose: [] for key in PROFILE.keys}
    assert compile_many(PROFILE, [], keys_by_slot=none, kek=KEK) == []
    assert expected_readback(PROFILE, [], none) == []


def test_a_credential_that_fills_its_file_takes_several_commands_and_reads_back():
    [record] = make_records(1, credential=bytes(range(1, 160)) * 2)
    card = written_card(PROFILE, record)
    assert readback(card, reading_plan(PROFILE), record["serial"]) == expected(record)


@pytest.mark.parametrize("purpose", ["control", "maintenance", "reader", "internal"])
def test_a_card_with_one_wrong_key_does_not_read_back(purpose: str):
    [record] = make_records(1)
    keys = make_keys(PROFILE, [record])
    [script] = compile_many(PROFILE, [record], keys_by_slot=keys | {purpose: [bytes(16)]}, kek=KEK)
    card = blank_chip(PROFILE)
    for command in script.commands:
        card.transmit(command)
    assert readback(card, reading_plan(PROFILE), record["serial"]) != expected(record)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "买买提·𠮷㛄"},
        {"grade": 2},
        {"valid_until": dt.date(2028, 6, 29)},
        {"credential": bytes(110)},
        {"issuer": "430104000001"},
    ],
)
def test_a_card_with_another_persons_field_does_not_read_back(change: dict[str, Any]):
    [record] = make_records(1)
    card = written_card(PROFILE, record | change)
    assert readback(card, reading_plan(PROFILE), record["serial"]) != expected(record)


def test_a_card_that_leaves_the_holder_open_does_not_read_back():
    [record] = make_records(1)
    memory = written_card(PROFILE, record).memory
    application = memory.applications[PROFILE.aid]
    left_open = application.with_file(replace(application.files[b"\x00\x16"], read=0))
    card = SoftCard.of(memory.with_application(left_open))
    assert readback(card, reading_plan(PROFILE), record["serial"]) != expected(record)


def test_a_card_read_back_twice_is_closed_the_second_time():
    [record] = make_records(1)
    card = written_card(PROFILE, record)
    plan = reading_plan(PROFILE)
    assert readback(card, plan, record["serial"]) == expected(record)
    assert readback(card, plan, record["serial"]) != expected(record)


def test_a_script_holds_no_key_in_clear():
    [record] = make_records(1)
    keys = make_keys(PROFILE, [record])
    whole = b"".join(compile_many(PROFILE, [record], keys_by_slot=keys, kek=KEK)[0].commands)
    assert KEK not in whole
    assert not [purpose for purpose, [key] in keys.items() if key in whole]


def test_a_chip_with_another_transport_key_takes_no_key():
    [record] = make_records(1)
    [script] = compile_many(PROFILE, [record], keys_by_slot=make_keys(PROFILE, [record]), kek=bytes(16))
    statuses = [decode_response(blank_chip(PROFILE).transmit(command)).sw for command in script.commands]
    assert 0x9000 in statuses
    card = blank_chip(PROFILE)
    assert 0x6988 in [decode_response(card.transmit(command)).sw for command in script.commands]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("serial", "12345678", "wrong-length"),
        ("serial", "123456789012345A", "bad-value"),
        ("serial", "１２３４５６７８９０１２３４５６", "bad-value"),
        ("issuer", None, "bad-value"),
        ("issued", "2018-07-01", "bad-value"),
        ("number", "9" * 27, "wrong-length"),
        ("number", "99000019000101001Ｘ43", "bad-value"),
        ("name", "长" * 31, "wrong-length"),
        ("name", "a\0b", "bad-value"),
        ("name", "\ud800", "bad-value"),
        ("category", 256, "bad-value"),
        ("grade", -1, "bad-value"),
        ("credential", bytes(319), "wrong-length"),
        ("credential", "text", "bad-value"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_record_and_field(field: str, value: object, code: str):
    records = make_records(3)
    keys = make_keys(PROFILE, records)
    records[1][field] = value
    with pytest.raises(RecordBroken) as refused:
        compile_many(PROFILE, records, keys_by_slot=keys, kek=KEK)
    assert (refused.value.code, refused.value.field, refused.value.place) == (code, field, 1)
    assert str(pickle.loads(pickle.dumps(refused.value))) == f"record 1, {field}: {code}"


def test_a_field_that_is_missing_is_named():
    [record] = make_records(1)
    del record["grade"]
    with pytest.raises(RecordBroken, match="record 0, grade: missing"):
        compile_many(PROFILE, [record], keys_by_slot=make_keys(PROFILE, [record]), kek=KEK)


@pytest.mark.parametrize("column", [[], [bytes(15)], [bytes(16)] * 2])
def test_every_card_needs_a_whole_key_in_every_slot(column: list[bytes]):
    [record] = make_records(1)
    keys = make_keys(PROFILE, [record]) | {"reader": column}
    with pytest.raises(ValueError, match="reader"):
        compile_many(PROFILE, [record], keys_by_slot=keys, kek=KEK)


def test_a_plan_survives_its_travel():
    plan = reading_plan(PROFILE)
    assert ReadingPlan.from_steps(plan.suite, list(plan.steps)) == plan


@pytest.mark.parametrize("steps", [None, [], ["00B0*00*"], ["zz"], ["00B"], [1], ["00B00000"] * 1001])
def test_what_is_no_plan_is_refused(steps: object):
    with pytest.raises(ValueError, match="not a reading plan"):
        ReadingPlan.from_steps("SM", steps)


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_a_draft_whose_credential_is_filled_in_is_the_script_and_proof_that_were_compiled_anew(suite):
    profile = whole_profile(suite=suite)
    unsigned = make_records(3, credential=b"\x01" * 40 + b"\xff" * 64)
    keys = make_keys(profile, unsigned)
    scripts, draft = chip.draft_many(profile, unsigned, keys_by_slot=keys, kek=KEK)
    assert scripts == chip.compile_many(profile, unsigned, keys_by_slot=keys, kek=KEK)
    signed = [record | {"credential": b"\x01" * 40 + bytes([place]) * 64} for place, record in enumerate(unsigned)]
    assert chip.complete(profile, signed, draft, changed="credential") == chip.compile_whole(
        profile, signed, keys_by_slot=keys, kek=KEK)
    assert chip.complete(profile, signed, draft, changed="credential")[0] != scripts
