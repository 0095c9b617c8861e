"""Identity numbers: what is read, what is repaired, what is refused and why (GB 11643-1999)."""

import json
from datetime import date
from pathlib import Path

import pytest

from zhengka.formats import idnumber
from zhengka.formats.idnumber import BadIdNumber

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "idnumber.json").read_text("utf-8"))


@pytest.mark.parametrize(("text", "id18"), VECTORS["good"])
def test_every_way_of_writing_a_number_gives_the_same_eighteen_characters(text: str, id18: str) -> None:
    assert idnumber.parse(text).id18 == id18


@pytest.mark.parametrize(("text", "code"), VECTORS["bad"])
def test_a_wrong_number_is_refused_with_its_own_reason(text: str, code: str) -> None:
    with pytest.raises(BadIdNumber) as refusal:
        idnumber.parse(text)
    assert refusal.value.code == code


def test_region_birth_and_sex_are_read_from_the_number() -> None:
    number = idnumber.parse("430702190001010018")
    assert (number.region, number.birth, number.male) == ("430702", date(1900, 1, 1), True)
    assert not idnumber.parse("43010419000101000X").male


def test_a_birth_later_than_the_day_asked_about_is_refused_and_that_day_itself_is_not() -> None:
    first17 = "43070220260310001"
    text = first17 + idnumber.check_digit(first17)
    assert idnumber.parse(text, on=date(2026, 3, 10)).birth == date(2026, 3, 10)
    with pytest.raises(BadIdNumber, match="id-birth-future"):
        idnumber.parse(text, on=date(2026, 3, 9))


def test_neither_an_error_nor_a_repr_carries_the_number() -> None:
    with pytest.raises(BadIdNumber) as refusal:
        idnumber.parse("430702190001010019")
    assert "4307" not in repr(refusal.value) + str(refusal.value)
    assert "4307" not in repr(idnumber.parse("430702190001010018"))


def test_every_reason_is_met_by_a_vector_or_a_test() -> None:
    assert {code for _, code in VECTORS["bad"]} | {"id-birth-future"} == set(idnumber.REASONS)


@pytest.mark.parametrize(("first17", "code"), [("1" * 16, "id-length"), ("1" * 16 + "X", "id-character")])
def test_a_check_digit_is_made_of_seventeen_digits_only(first17: str, code: str) -> None:
    with pytest.raises(BadIdNumber, match=code):
        idnumber.check_digit(first17)
