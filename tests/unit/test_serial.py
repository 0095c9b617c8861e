"""Serial numbers of cards: made, checked, and turned into the factor of key diversification."""

import pytest

from zhengka.formats import serial
from zhengka.formats.serial import BadSerial, Serial


@pytest.mark.parametrize(
    ("body", "digit"),
    [("7992739871", "3"), ("400000000000000", "2"), ("411111111111111", "1"), ("000000000000000", "0")],
)
def test_the_check_digit_is_that_of_the_luhn_formula(body: str, digit: str) -> None:
    assert serial.luhn(body) == digit


def test_a_serial_is_unit_running_number_and_check_digit() -> None:
    text = serial.make("430104", 12)
    assert text == "4301040000000129"
    assert serial.parse(text) == Serial("430104", 12)
    assert str(serial.parse(" ４３０１ 0400 0000 0129 ")) == text


def test_the_factor_is_the_serial_in_packed_decimal() -> None:
    assert serial.factor("4301040000000129").hex() == "4301040000000129"


@pytest.mark.parametrize("start", [0, 7, 999_999_990])
def test_serials_made_in_bulk_are_those_made_one_by_one(start: int) -> None:
    assert serial.make_many("430104", start, 10) == [serial.make("430104", start + k) for k in range(10)]


def test_no_serials_in_bulk_is_an_empty_list() -> None:
    assert serial.make_many("430104", 0, 0) == []


def test_every_single_wrong_digit_and_every_swap_of_neighbours_but_0_and_9_is_noticed() -> None:
    good = serial.make("430104", 120345678)
    for place in range(16):
        for digit in "0123456789":
            changed = good[:place] + digit + good[place + 1 :]
            if changed != good:
                with pytest.raises(BadSerial, match="serial-check-digit"):
                    serial.parse(changed)
    for place in range(15):
        pair = good[place : place + 2]
        if pair[0] != pair[1] and set(pair) != {"0", "9"}:
            with pytest.raises(BadSerial, match="serial-check-digit"):
                serial.parse(good[:place] + pair[::-1] + good[place + 2 :])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "serial-length"),
        ("430104000000012", "serial-length"),
        ("4" * 10_000, "serial-length"),
        ("430104000000012X", "serial-character"),
        ("4301040000000120", "serial-check-digit"),
    ],
)
def test_a_wrong_serial_is_refused_with_its_own_reason(text: str, code: str) -> None:
    with pytest.raises(BadSerial, match=code):
        serial.parse(text)


@pytest.mark.parametrize(
    ("unit", "number", "code"),
    [
        ("43010", 1, "serial-unit"),
        ("43010A", 1, "serial-unit"),
        ("430104", -1, "serial-number"),
        ("430104", 10**9, "serial-number"),
    ],
)
def test_parts_that_make_no_serial_are_refused(unit: str, number: int, code: str) -> None:
    with pytest.raises(BadSerial, match=code):
        serial.make(unit, number)
    with pytest.raises(BadSerial, match=code):
        serial.make_many(unit, number, 2)


def test_a_run_of_serials_may_not_go_beyond_the_last_running_number() -> None:
    assert len(serial.make_many("430104", 10**9 - 2, 2)) == 2
    with pytest.raises(BadSerial, match="serial-number"):
        serial.make_many("430104", 10**9 - 1, 2)


@pytest.mark.parametrize("text", ["", "43010400000001", "430104000000012X"])
def test_only_a_whole_serial_gives_a_factor(text: str) -> None:
    with pytest.raises(BadSerial):
        serial.factor(text)
