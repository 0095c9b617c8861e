"""Card profiles: the placeholder loads, and every fault is named with its place."""

from typing import Any

import pytest

from made_cards import PROFILE, make_profile, profile_table
from zhengka.formats.chip import ProfileBroken, load


def broken(table: dict[str, Any]) -> ProfileBroken:
    with pytest.raises(ProfileBroken) as refused:
        load(table, source="some.toml")
    return refused.value


def test_the_placeholder_says_that_it_is_one():
    profile = make_profile()
    assert profile.placeholder and profile.id == PROFILE.stem
    assert profile.used <= profile.capacity


def test_a_phone_learns_only_serial_issuer_dates_and_credential():
    free = {field.name for file in make_profile().files if file.read == "free" for field in file.fields}
    assert free == {"serial", "issuer", "issued", "valid_until", "activation_until", "credential"}


def test_the_end_of_activation_can_be_written_later_with_the_maintenance_key():
    [file] = [file for file in make_profile().files if file.fields[0].name == "activation_until"]
    assert (file.read, file.update) == ("free", "maintenance")


def test_sight_takes_the_red_card_with_braille_and_all_others_the_blue_one():
    profile = make_profile()
    assert [profile.kind_for(category).code for category in range(1, 8)] == ["red"] + ["blue"] * 6
    assert profile.kind_for(1).braille


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("format", 2, "unknown-format"),
        ("id", "Not An Id", "bad-text"),
        ("version", 0, "bad-number"),
        ("version", True, "bad-number"),
        ("placeholder", "yes", "bad-flag"),
        ("suite", "DES", "bad-text"),
        ("capacity", 300, "too-big-for-the-chip"),
        ("capacity", 10000, "no-such-chip"),
        ("application", [], "not-a-table"),
        ("keys", [], "bad-list"),
        ("files", "0015", "bad-list"),
        ("colour", "red", "unknown-name"),
    ],
)
def test_a_wrong_value_at_the_top_is_named(name: str, value: object, code: str):
    error = broken(profile_table() | {name: value})
    assert error.code == code
    assert error.where.startswith("some.toml")


@pytest.mark.parametrize("name", sorted(profile_table()))
def test_nothing_may_be_left_out(name: str):
    table = profile_table()
    del table[name]
    error = broken(table)
    assert (error.code, error.where) == ("missing", f"some.toml: {name}")


@pytest.mark.parametrize(
    ("part", "place", "change", "code", "where"),
    [
        ("files", 0, {"fid": "3F00"}, "reserved-fid", "files: card"),
        ("files", 1, {"fid": "0015"}, "given-twice", "files: fid 0015"),
        ("files", 1, {"read": "free"}, "personal-data-free-to-read", "files[2]: number"),
        ("files", 1, {"read": "internal"}, "bad-text", "files[2]: read"),
        ("files", 1, {"update": "reader"}, "bad-text", "files[2]: update"),
        ("files", 1, {"size": 40}, "fields-exceed-file", "files[2]"),
        ("files", 0, {"read": "reader"}, "no-free-serial", "files"),
        ("files", 2, {"fields": [{"name": "serial", "kind": "date", "size": 4}]}, "given-twice", "name serial"),
        ("files", 2, {"fields": [{"name": "day", "kind": "date", "size": 3}]}, "bad-size", "files[3]: fields[1]: day"),
        ("files", 2, {"fields": [{"name": "day", "kind": "moon", "size": 4}]}, "bad-text", "fields[1]: kind"),
        ("files", 2, {"fid": "0116"}, "no-short-identifier", "files: holder"),
        ("files", 2, {"fid": "001F"}, "no-short-identifier", "files: activation"),
        ("keys", 1, {"slot": 1}, "given-twice", "keys: slot 1"),
        ("keys", 1, {"purpose": "control"}, "given-twice", "keys: purpose control"),
        ("keys", 1, {"tries": 16}, "bad-number", "keys[2]: tries"),
        ("keys", 1, {"purpose": "pin-unlock"}, "pin-needs-unlock-key", "keys: disability-placeholder"),
        ("keys", 1, {"purpose": "pin"}, "missing", "keys[2]: initial"),
        ("keys", 1, {"purpose": "pin", "initial": "transport"}, "bad-text", "keys[2]: initial"),
        ("keys", 1, {"purpose": "pin", "initial": "blocked"}, "unknown-name", "keys[2]: version"),
        ("kinds", 0, {"categories": ["1"]}, "bad-list", "kinds[1]: categories"),
        ("kinds", 0, {"categories": [2]}, "given-twice", "kinds: categories 2"),
    ],
)
def test_a_fault_names_file_and_field(part: str, place: int, change: dict[str, Any], code: str, where: str):
    table = profile_table()
    table[part][place] |= change
    error = broken(table)
    assert error.code == code
    assert where in str(error)


@pytest.mark.parametrize(("purpose", "code"), [("reader", "no-such-key"), ("internal", "no-internal-key")])
def test_a_key_that_is_needed_must_have_a_slot(purpose: str, code: str):
    table = profile_table()
    table["keys"] = [key for key in table["keys"] if key["purpose"] != purpose]
    assert broken(table).code == code
