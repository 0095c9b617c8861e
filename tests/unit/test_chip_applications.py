"""A card of several applications: what ships loads, is made, is read back, and each swapped part is found by name."""

import datetime as dt
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from made_cards import (
    KEK,
    PROFILE,
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
from zhengka.formats.apdu import decode_response
from zhengka.formats.chip import (
    PowerCut,
    ProfileBroken,
    SoftCard,
    asking,
    compile_many,
    compile_whole,
    directory,
    lint,
    lint_many,
    load,
    load_file,
    outline,
    readback,
    reading_plan,
)
from zhengka.formats.chip.agreement import Known, Seen, differences
from zhengka.formats.chip.layout import CAPACITIES
from zhengka.formats.chip.making import Known as Expected
from zhengka.formats.chip.making import make
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SM
from zhengka.formats.tlv import find

WHOLE = whole_profile()
RECORDS = make_records(2)
RECORD, OTHER = RECORDS
TRANSIT, SOCIAL = WHOLE.named("transit-t-union"), WHOLE.named("social-security-merge")
SHIPPED = sorted(PROFILE.parent.glob("*.toml"))
FACE = {"serial": RECORD["serial"], "name": RECORD["name"]}
EF15 = bytes.fromhex("01011000FFFFFFFF 02 01 0310" + RECORD["serial"] + "20180701 20190630 0000")


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((PROFILE.parent / "applications" / f"{name}.toml").read_text())


def loaded(**others: Any) -> None:
    names = ["disability-placeholder", "transit-t-union"]
    whole = tomllib.loads(PROFILE.with_name("disability-one-card.toml").read_text()) | {"applications": names}
    known = {names[0]: tomllib.loads(PROFILE.read_text()), names[1]: table(names[1])}
    load(whole, source="whole.toml", others=known | others)


def content(card: SoftCard, aid: bytes, fid: str) -> bytes:
    return card.memory.applications[aid].files[bytes.fromhex(fid)].content


def records(card: SoftCard, aid: bytes, fid: str) -> list[str]:
    return [record.hex().upper() for record in card.memory.applications[aid].files[bytes.fromhex(fid)].records]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_profile_that_ships_makes_cards_that_read_back(path):
    profile = load_file(path)
    assert profile.id == path.stem
    scripts, digests = compile_whole(profile, RECORDS, keys_by_slot=make_keys(profile, RECORDS), kek=KEK)
    assert lint_many(profile, scripts, RECORDS) == [[], []]
    for script, digest in zip(scripts, digests, strict=True):
        card = blank_chip(profile)
        assert {card.transmit(command) for command in script.commands} == {b"\x90\x00"}
        assert profile.capacity - card.free <= profile.used, "the profile counts what the chip takes"
        assert readback(card, reading_plan(profile), script.serial) == digest


def test_the_larger_profile_fits_a_chip_that_makers_offer_in_both_suites():
    assert [whole_profile(suite=suite).suite for suite in ("SM", "INTL")] == ["SM", "INTL"]
    assert WHOLE.capacity in CAPACITIES
    assert WHOLE.placeholder and not TRANSIT.placeholder


def test_the_transit_application_says_what_validators_compare():
    card = finished_card(WHOLE, RECORD)
    assert content(card, TRANSIT.aid, "0015") == EF15 and len(EF15) == 30
    assert content(card, TRANSIT.aid, "0017").hex() == "00000156" "4300" "4301" "0001" "05" + "00" * 49
    assert [record[:12] for record in records(card, TRANSIT.aid, "001A")] == ["27017D000100", "27027D000100"]
    fci, _ = decode_response(card.transmit(asking.select_application(TRANSIT.aid)))
    assert find(fci, 0x6F, 0xA5, 0x9F0C) == EF15
    assert fci.hex().upper().startswith("6F31" "8408A000000632010105" "A525" "9F080102" "9F0C1E"), "as on such cards"


def test_a_city_has_its_own_card_kind():
    [record] = make_records(1, issuer="510702000000")
    assert content(finished_card(WHOLE, record), TRANSIT.aid, "0017")[10] == 0x85


def test_the_transit_holder_file_is_blank_and_stays_so():
    card = finished_card(WHOLE, RECORD)
    card.transmit(asking.select_application(TRANSIT.aid))
    assert card.transmit(asking.read_binary(0x16)) == bytes(55) + b"\x90\x00"
    assert card.transmit(bytes.fromhex("00D6960002FFFF")) == b"\x69\x82"


def test_the_social_security_files_hold_data_objects_and_the_holder_is_for_a_module_only():
    card = finished_card(WHOLE, RECORD)
    assert card.transmit(bytes.fromhex("00A404000F") + SOCIAL.aid + b"\0")[-2:] == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00B2052C00")) == bytes.fromhex("0504201807019000")
    assert card.transmit(bytes.fromhex("00B2013400")) == b"\x69\x82"
    held = records(card, SOCIAL.aid, "EF06")
    assert held[0] == "0812" + b"99000019000101001X".hex().upper()
    assert held[3:] == ["0A0131", "0B0100", "0C03990000", "0D0419000101"]


def test_a_long_name_goes_on_in_the_second_record():
    [record] = make_records(1, name="阿" * 25)
    name, rest = records(finished_card(WHOLE, record), SOCIAL.aid, "EF06")[1:3]
    assert bytes.fromhex(name)[2:] + bytes.fromhex(rest)[2:] == ("阿" * 25).encode("gb18030")


def test_the_directory_tells_of_transit_and_not_of_a_disability():
    card = finished_card(WHOLE, RECORD)
    assert [entry[:2] for entry in directory.applications(card)] == [(TRANSIT.aid, "MOT_T_EP")]


def test_the_banks_room_is_kept_and_seen_to_be_empty():
    slot = WHOLE.named("bank-slot")
    card = finished_card(WHOLE, RECORD)
    assert card.free >= slot.reserve
    assert decode_response(card.transmit(asking.select_application(slot.aid))).sw == 0x6A82
    taken = written_card(WHOLE, RECORD)
    taken.transmit(asking.create_application(slot.aid, slot.fid))
    plan = reading_plan(WHOLE)
    assert readback(taken, plan, RECORD["serial"]) != readback(written_card(WHOLE, RECORD), plan, RECORD["serial"])


@pytest.mark.parametrize("profile", [WHOLE, make_profile()], ids=lambda one: one.id)
def test_a_file_that_anybody_may_read_or_write_against_its_profile_is_seen(profile):
    plan, memory = reading_plan(profile), written_card(profile, RECORD).memory
    right = readback(SoftCard.of(memory), plan, RECORD["serial"])
    for each in profile.ours:
        for file in each.files:
            own = memory.applications[each.aid]
            open_ways = [{"update": 0}] + [{"read": 0}] * (file.read != "free")
            for way in open_ways:
                odd = memory.with_application(own.with_file(replace(own.files[file.fid], **way)))
                assert readback(SoftCard.of(odd), plan, RECORD["serial"]) != right, (each.id, file.title, way)


def test_each_application_has_keys_of_its_own():
    memory = finished_card(WHOLE, RECORD).memory
    keys = [secret.key for each in memory.applications.values() for secret in each.keys.values()]
    assert len(keys) == 4 + 3 + 6 and len(set(keys)) == len(keys)


def test_the_outline_names_every_key_and_value_and_tells_none():
    lines = outline(WHOLE)
    assert ("PUT KEY", "slot 2 ← transit-t-union/maintenance v1") in lines
    assert ("PUT KEY", "slot 9 ← social-security-merge/pin blocked, 3 tries") in lines
    assert ("APPEND RECORD", "EF06 ← social_name") in lines
    assert RECORD["serial"] not in str(lines)


@pytest.mark.parametrize("change", [
    {"files": []}, {"title": 1}, {"colour": "red"}, {"format": 2},
    {"application": {"aid": "F05A48454E474B4101", "fid": "DF09"}},
    {"application": {"aid": "A000000632010105", "fid": "DF01"}},
    {"application": {"aid": "A000000632010105", "fid": "DF02", "extension": "0019"}},
])
def test_a_fault_in_an_application_of_a_profile_is_named(change):
    with pytest.raises(ProfileBroken):
        loaded(**{"transit-t-union": table("transit-t-union") | change})


def test_a_profile_names_only_applications_that_are_there():
    loaded()
    whole = tomllib.loads(PROFILE.with_name("disability-one-card.toml").read_text())
    with pytest.raises(ProfileBroken, match="no-such-application"):
        load(whole, source="whole.toml")


def test_nobody_writes_a_name_into_a_file_that_every_phone_reads():
    transit = table("transit-t-union")
    transit["files"][1] |= {"fields": [{"name": "who", "kind": "name", "size": 20, "source": "name"}]}
    with pytest.raises(ProfileBroken, match="personal-data-free-to-read"):
        loaded(**{"transit-t-union": transit})


# -- the linter --------------------------------------------------------------------------------------------------------

[SCRIPT] = compile_many(WHOLE, [RECORD], keys_by_slot=make_keys(WHOLE, [RECORD]), kek=KEK)


def faults(old: str, new: str) -> set[str]:
    commands = [bytes.fromhex(command.hex().replace(old.lower(), new.lower())) for command in SCRIPT.commands]
    assert commands != SCRIPT.commands
    found = lint(WHOLE, SCRIPT._replace(commands=commands), RECORD)
    assert lint_many(WHOLE, [SCRIPT, SCRIPT._replace(commands=commands)], [RECORD, RECORD]) == [[], found]
    return {finding.code for finding in found}


@pytest.mark.parametrize(("old", "new", "code"), [
    ("2018070120190630", "2018070120280630", "differs-from-record"),
    ("0310" + RECORD["serial"], "0311" + RECORD["serial"], "differs-from-record"),
    ("0000015643004301000105", "0000015643004301000185", "differs-from-record"),
    ("27017D0001", "27017D0101", "differs-from-record"),
    ("0D0419000101", "0D0419000102", "differs-from-record"),
    ("0D0419000101", "0E0419000101", "bad-encoding"),
    ("0A0131", "0A0132", "differs-from-record"),
    ("80020037860200FF", "8002003786020002", "wrong-rights"),
    ("8205022100800483", "8205022100800583", "wrong-size"),
    ("8205022100800483", "8205062100800483", "wrong-structure"),
    ("00E0000011620F82010183020016", "00E000001462128801B082010183020016", "bad-file-template"),
    ("4D4F545F545F4550", "4255535F43415244", "wrong-directory"),
    ("4F08A000000632010105", "4F08F05A48454E474B41", "wrong-directory"),
    ("8408A000000632010105", "8408A000000632010106", "wrong-application"),
])
def test_a_changed_byte_of_any_application_is_found_by_name(old, new, code):
    assert code in faults(old, new)


@pytest.mark.parametrize("place", range(len(SCRIPT.commands)))
def test_a_command_too_few_is_found_in_any_application(place):
    commands = SCRIPT.commands[:place] + SCRIPT.commands[place + 1 :]
    assert lint(WHOLE, SCRIPT._replace(commands=commands), RECORD)


def test_another_cards_directory_among_many_is_found():
    scripts = compile_many(WHOLE, RECORDS, keys_by_slot=make_keys(WHOLE, RECORDS), kek=KEK)
    for ins in (b"\xe0", b"\xe2"):  # contactless, and with contacts
        changed = [command.replace(b"MOT_T_EP", b"BUS_CARD") if command[1:2] == ins else command
                   for command in scripts[1].commands]
        assert changed != scripts[1].commands
        found = lint_many(WHOLE, [scripts[0], scripts[1]._replace(commands=changed)], RECORDS)
        assert found[0] == [] and {finding.code for finding in found[1]} == {"wrong-directory"}


# -- the gate: print = chip = QR = record ------------------------------------------------------------------------------


def unlike(card: SoftCard, profile=WHOLE, **changed: Any) -> set[tuple[str, str]]:
    known = Known(RECORD, FACE, UID)
    seen = Seen(FACE, RECORD["credential"])._replace(**changed)
    return set(differences(card, profile, known, seen, card_keys(profile, RECORD)))


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_a_card_that_is_one_in_print_chip_code_and_record_passes(suite):
    profile = whole_profile(suite=suite)
    assert unlike(finished_card(profile, RECORD), profile) == set()
    assert unlike(finished_card(make_profile(), RECORD), make_profile()) == set()


def test_a_swapped_print_is_found():
    printed = FACE | {"serial": OTHER["serial"]}
    assert unlike(finished_card(WHOLE, RECORD), printed=printed) == {("print-differs", "serial")}


def test_a_swapped_code_is_found():
    assert unlike(finished_card(WHOLE, RECORD), qr=b"another") == {("qr-differs", "credential")}


def test_two_cards_swapped_in_the_feeder_are_found():
    found = unlike(finished_card(WHOLE, OTHER, uid=b"another"))
    assert {code for code, _ in found} == {"uid-differs", "keys-differ"} and len(found) == 4


PARTS = [(each, file) for each in WHOLE.ours for file in each.files
         if not file.blank and any(field.asks for part in file.written for field in part)]


@pytest.mark.parametrize(("application", "file"), PARTS, ids=lambda part: getattr(part, "title", None))
def test_a_file_of_another_card_is_found_in_every_application(application, file):
    other = {"number": "99000019000102002X43", "name": "王", "issuer": "510702000000", "credential": b"x",
             "issued": dt.date(2018, 7, 2), "activation_until": dt.date(2019, 7, 1), "valid_until": dt.date(2028, 7, 1)}
    memory = finished_card(WHOLE, RECORD).memory
    theirs = finished_card(WHOLE, OTHER | other).memory.applications[application.aid].files[file.fid]
    assert theirs != memory.applications[application.aid].files[file.fid]
    swapped = memory.with_application(memory.applications[application.aid].with_file(theirs))
    found = unlike(SoftCard.of(swapped))
    assert found and {code for code, _ in found} == {"file-differs"}
    assert all(where.startswith(f"{application.id}: {file.title}") for _, where in found)


@pytest.mark.parametrize("application", WHOLE.ours, ids=lambda one: one.id)
def test_a_key_of_another_card_is_found_in_every_application(application):
    memory = finished_card(WHOLE, RECORD).memory
    own = memory.applications[application.aid]
    slot = application.slot("internal")
    swapped = memory.with_application(own.with_key(replace(own.keys[slot], key=bytes(16))))
    assert unlike(SoftCard.of(swapped)) == {("keys-differ", application.id)}


def test_a_card_that_stops_or_talks_nonsense_is_not_let_out():
    class Dead:
        def transmit(self, _: bytes) -> bytes:
            raise ConnectionError

    class Odd:
        def transmit(self, _: bytes) -> bytes:
            return b"\x00"

    for card in (Dead(), Odd()):
        known = Known(RECORD, FACE, UID)
        seen = Seen(FACE, RECORD["credential"])
        assert differences(card, WHOLE, known, seen, card_keys(WHOLE, RECORD)) == [("unreadable", "chip")]


# -- made in the machine -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
def test_a_card_of_several_applications_whose_power_went_at_any_command_is_never_good(after: bool):
    [script], [digest] = compile_whole(WHOLE, [RECORD], keys_by_slot=make_keys(WHOLE, [RECORD]), kek=KEK)
    plan = reading_plan(WHOLE)
    for at in range(1, len(script.commands) + len(plan.steps) + 3):
        card, left = blank_chip(WHOLE), [at]

        class Failing:
            def transmit(self, apdu: bytes, card: SoftCard = card, left: list[int] = left) -> bytes:
                left[0] -= 1
                if left[0]:
                    return card.transmit(apdu)
                if after:
                    card.transmit(apdu)
                card.reset()
                raise PowerCut("away")

        made = make(Failing(), script, plan, Expected(None, UID, digest))
        assert (made.outcome, made.code) == ("suspect", "cut")


def test_a_card_of_several_applications_goes_through_the_loading_channel():
    masters = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)
    [script], [digest] = compile_whole(WHOLE, [RECORD], keys_by_slot=make_keys(WHOLE, [RECORD]), kek=KEK)
    card = blank_chip(WHOLE, channel=masters.of_chip(SM, UID))
    made = make(card, script, reading_plan(WHOLE), Expected(masters, UID, digest))
    assert made.outcome == "good", made
