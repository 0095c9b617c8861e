"""Certificate numbers with every suffix in use, and the words for categories and grades."""

import json
from pathlib import Path

import pytest

from zhengka.formats import certnumber
from zhengka.formats.certnumber import BadCertNumber

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "certnumber.json").read_text("utf-8"))


@pytest.mark.parametrize(("text", "kept", "replacement"), VECTORS["good"])
def test_every_variant_in_use_is_read_and_kept_in_one_form(text: str, kept: str, replacement: int) -> None:
    number = certnumber.parse(text)
    assert (str(number), number.replacement, number.first_issue) == (kept, replacement, kept[:20])


@pytest.mark.parametrize(("text", "code"), VECTORS["bad"])
def test_a_wrong_number_is_refused_with_its_own_reason(text: str, code: str) -> None:
    with pytest.raises(BadCertNumber) as refusal:
        certnumber.parse(text)
    assert refusal.value.code == code


def test_a_loss_adds_one_to_the_suffix_without_limit() -> None:
    number = certnumber.parse("43070219000101001843")
    for losses in range(1, 12):
        number = number.replaced()
        assert str(number) == f"43070219000101001843B{losses}"


def test_a_change_of_grade_keeps_the_suffix() -> None:
    assert str(certnumber.parse("43070219000101001843B2").regraded(7, 1)) == "43070219000101001871B2"


@pytest.mark.parametrize(("category", "grade", "code"), [(8, 1, "cert-category"), (1, 5, "cert-grade")])
def test_a_change_to_no_category_or_grade_is_refused(category: int, grade: int, code: str) -> None:
    with pytest.raises(BadCertNumber, match=code):
        certnumber.parse("43070219000101001843").regraded(category, grade)


@pytest.mark.parametrize("text", ["肢体", "肢体残疾", "肢体残疾人", " 肢 体 ", "4", "４", "4.0", "04", "肢残"])
def test_the_words_of_offices_for_a_category_are_understood(text: str) -> None:
    assert certnumber.parse_category(text) == 4


@pytest.mark.parametrize("text", ["一级", "1", "壹", "Ⅰ", "I", "i", "１级", "1.0", "01", " 一 级 ", "壹级", "Ⅰ级"])
def test_the_words_of_offices_for_a_grade_are_understood(text: str) -> None:
    assert certnumber.parse_grade(text) == 1


@pytest.mark.parametrize("digit", certnumber.CATEGORIES)
def test_every_category_is_known_by_its_digit_its_short_and_its_official_name(digit: int) -> None:
    term = certnumber.CATEGORIES[digit]
    assert {certnumber.parse_category(word) for word in (str(digit), term.short, term.zh)} == {digit}


@pytest.mark.parametrize("digit", certnumber.GRADES)
def test_every_grade_is_known_by_its_digit_its_short_and_its_official_name(digit: int) -> None:
    term = certnumber.GRADES[digit]
    assert {certnumber.parse_grade(word) for word in (str(digit), term.short, term.zh)} == {digit}


@pytest.mark.parametrize("text", ["", "0", "8", "残疾", "聋哑", "44", "4肢体", "nan", "4.5", "四" * 1000])
def test_a_word_for_no_category_is_refused(text: str) -> None:
    with pytest.raises(BadCertNumber, match="cert-category"):
        certnumber.parse_category(text)


@pytest.mark.parametrize("text", ["", "0", "5", "级", "五级", "1.5", "11", "轻度", "一" * 1000])
def test_a_word_for_no_grade_is_refused(text: str) -> None:
    with pytest.raises(BadCertNumber, match="cert-grade"):
        certnumber.parse_grade(text)


def test_neither_an_error_nor_a_repr_carries_the_number() -> None:
    assert "4307" not in repr(certnumber.parse("43070219000101001843B2"))
    with pytest.raises(BadCertNumber) as refusal:
        certnumber.parse("43070219000101001943")
    assert "4307" not in str(refusal.value)
