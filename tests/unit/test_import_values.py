"""What single cells of a file mean, and what a row of a known person changes."""

import datetime as dt
from pathlib import Path

import pytest

from zhengka.formats import certnumber, idnumber, names
from zhengka.registry.imports import shape, values
from zhengka.registry.imports.deciding import Known, KnownCertificate, meet
from zhengka.registry.imports.reasons import ROW_REASONS
from zhengka.registry.imports.values import BadValue

TABLE = Path(__file__).parents[2] / "data" / "imports" / "second-generation.toml"
DAY = dt.date(2018, 3, 5)


@pytest.mark.parametrize("text", [
    "2018-03-05", "2018-3-5", "2018/3/5", "2018.03.05", "20180305", "20180305.0", "2018年3月5日", "２０１８年３月５日",
    " 2018-03-05 ", "2018-03-05 00:00:00", "2018/3/5 0:00", "2018-03-05T00:00:00.000", "2018 年 3 月 5 日", "43164",
    "43164.0"])
def test_a_day_is_understood_in_every_way_that_offices_write_it(text):
    assert values.day(text) == DAY


@pytest.mark.parametrize(("text", "code"), [
    ("2018-02-30", "date-impossible"), ("20181301", "date-impossible"), ("长期", "date-unreadable"),
    ("2018", "date-unreadable"), ("1960", "date-unreadable"), ("05/03/2018", "date-unreadable"),
    ("٢٠١٨-٠٣-٠٥", "date-unreadable"), ("1.5", "date-unreadable"), ("99999999999999", "date-unreadable")])
def test_a_text_that_is_no_day_is_refused_by_name(text, code):
    with pytest.raises(BadValue, match=code):
        values.day(text)


def test_a_day_before_1927_may_come_as_a_serial_number_of_four_digits():
    assert values.day("9862") == dt.date(1926, 12, 31)


@pytest.mark.parametrize(("text", "fits"), [
    ("1960-01-02", True), ("1960-01", True), ("1960年1月", True), ("196001", True), ("1960-02", False), ("1961", None)])
def test_a_birth_date_may_be_a_month_only(text, fits):
    if fits is None:
        with pytest.raises(BadValue):
            values.birth_fits(text, dt.date(1960, 1, 2))
    else:
        assert values.birth_fits(text, dt.date(1960, 1, 2)) is fits


@pytest.mark.parametrize(("text", "parts"), [
    ("视力二级、肢体三级", [[1, 2], [4, 3]]), ("视力残疾二级；肢体残疾三级", [[1, 2], [4, 3]]),
    ("听力1+言语Ⅱ级", [[2, 1], [3, 2]]), ("智力:壹级, 精神-4", [[5, 1], [6, 4]])])
def test_the_components_of_a_multiple_disability_are_read(text, parts):
    assert values.components(text) == parts


@pytest.mark.parametrize(("text", "phone"), [
    ("154-0000-0001", "15400000001"), ("15400000001.0", "15400000001"), ("（0731）8888 0000", "073188880000"),
    ("+86 15400000001", "+8615400000001"), ("１５４００００００01", "15400000001"), ("不详", "不详"),
    ("15400000001/15400000002", "15400000001/15400000002")])
def test_a_phone_number_loses_its_signs_and_nothing_else(text, phone):
    assert values.phone(text) == phone


def test_a_phone_number_that_lost_digits_is_refused():
    with pytest.raises(BadValue, match="phone-float"):
        values.phone("1.54E+10")


@pytest.mark.parametrize(("text", "kept"), [
    ("云溪镇\u202e1号", "云溪镇1号"), ("云溪镇\n1号", "云溪镇 1号"), ("a\u0000b", "ab"), ("  两  格 ", "两 格"),
    ("零\u200b宽", "零宽"), ("𠮷田", "𠮷田")])
def test_free_text_keeps_its_characters_and_loses_what_cannot_be_seen(text, kept):
    assert values.clean(text) == kept


@pytest.mark.parametrize(("start", "end"), [
    (dt.date(2012, 2, 29), dt.date(2022, 2, 28)), (dt.date(2008, 2, 29), dt.date(2018, 2, 28)),
    (DAY, dt.date(2028, 3, 5))])
def test_ten_years_later_is_the_same_day(start, end):
    assert values.years_later(start, 10) == end


@pytest.mark.parametrize("heading", [
    "姓名", " 姓 名 ", "姓名*", "姓名：", "姓名(必填)", "姓名（必填）*", "残疾人姓名", "姓\n名"])
def test_a_heading_is_known_however_it_is_decorated(heading):
    form = shape.load(TABLE)
    assert form.aliases[shape.word(heading)] == "name"


def test_the_header_is_found_under_title_rows_and_not_in_them():
    form = shape.load(TABLE)
    rows = [("某区残疾人花名册", "", ""), ("姓名", "", ""), ("序号", "姓名", "残疾人证号"), ("1", "张三", "43")]
    place, header = form.find(rows) or (None, None)
    assert (place, header.columns, header.width) == (2, {"name": 1, "certificate_number": 2}, 3)


def test_every_reason_of_the_formats_has_words_for_the_file_of_refused_rows():
    codes = {*idnumber.REASONS, *certnumber.REASONS, *names.REASONS}
    assert codes <= set(ROW_REASONS)
    assert all(reason.zh and reason.en for reason in ROW_REASONS.values())


def known(*certificates: KnownCertificate, filled: set[str] | None = None) -> Known:
    return Known(1, 1, 430104_000000, 43, filled or set(), list(certificates))


def certificate(index: bytes, *, replacement: int = 0, issued: dt.date = DAY, state: str = "valid") -> KnownCertificate:
    return KnownCertificate(7, index, state, 1, replacement, issued)


def came(index: bytes, *, replacement: int = 0, issued: dt.date = DAY, phone: bytes | None = None) -> dict:
    return {"number_index": index, "replacement": replacement, "issued_on": issued, "phone": phone, "address": None,
            "guardian": None}


def test_the_same_number_again_changes_no_certificate():
    person = known(certificate(b"a"))
    meet(person, came(b"a"), own=True)
    assert (person.version, len(person.certificates), person.certificates[0].state) == (2, 1, "valid")


def test_a_higher_suffix_wins_over_a_later_day():
    person = known(certificate(b"a", replacement=2))
    meet(person, came(b"b", replacement=1, issued=DAY + dt.timedelta(days=900)), own=True)
    assert [one.state for one in person.certificates] == ["valid", "replaced"]


def test_a_number_that_comes_after_the_paper_was_returned_is_only_kept():
    person = known(certificate(b"a", state="returned"))
    meet(person, came(b"b", replacement=3), own=True)
    assert [one.state for one in person.certificates] == ["returned", "replaced"]


def test_contact_data_is_filled_once():
    person = known(certificate(b"a"), filled={"address"})
    meet(person, came(b"a", phone=b"first"), own=True)
    meet(person, came(b"a", phone=b"second"), own=True)
    assert person.contacts == {"phone": b"first"}
