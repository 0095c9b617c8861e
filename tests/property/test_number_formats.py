"""Numbers and names under random input: round trips hold and nothing but the named errors escapes."""

from contextlib import suppress
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from zhengka.formats import certnumber, idnumber, names, serial
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.idnumber import BadIdNumber
from zhengka.formats.names import BadName
from zhengka.formats.serial import BadSerial

ANYTHING = st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Lo", "Nd", "Zs", "Cf"]))
NUMBER_LIKE = st.text("0123456789xXbB.eE+- ０９Ｘ'\u3000", max_size=30)
REGIONS = st.integers(100000, 999999).map(str)
BIRTHS = st.dates(date(1900, 1, 1), date(1999, 12, 31))
SEQUENCES = st.integers(0, 999).map(lambda number: f"{number:03}")


@given(REGIONS, BIRTHS, SEQUENCES)
def test_fifteen_and_eighteen_digits_of_one_person_agree(region: str, birth: date, sequence: str) -> None:
    first17 = region + birth.strftime("%Y%m%d") + sequence
    long = idnumber.parse(first17 + idnumber.check_digit(first17))
    assert idnumber.parse(region + birth.strftime("%y%m%d") + sequence) == long
    assert long.birth == birth and long.male == (int(sequence) % 2 == 1)


@given(REGIONS, BIRTHS, SEQUENCES, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_noticed(
    region: str, birth: date, sequence: str, place: int, character: str
) -> None:
    first17 = region + birth.strftime("%Y%m%d") + sequence
    good = first17 + idnumber.check_digit(first17)
    changed = good[:place] + character + good[place + 1 :]
    try:
        assert idnumber.parse(changed).id18 == good == changed
    except BadIdNumber:
        assert changed != good


@given(REGIONS, BIRTHS, st.integers(1, 7), st.integers(1, 4), st.integers(0, 999_999))
def test_a_certificate_number_survives_being_written_and_read(
    region: str, birth: date, category: int, grade: int, replacement: int
) -> None:
    first17 = region + birth.strftime("%Y%m%d") + "021"
    number = certnumber.CertNumber(first17 + idnumber.check_digit(first17), category, grade, replacement)
    assert certnumber.parse(str(number)) == number
    assert certnumber.parse(f" {number} ".lower()) == number


@given(st.integers(0, 999_999), st.integers(0, 10**9 - 1))
def test_a_serial_survives_being_written_and_read(unit: int, number: int) -> None:
    assert serial.parse(serial.make(f"{unit:06}", number)) == serial.Serial(f"{unit:06}", number)


@given(ANYTHING | NUMBER_LIKE)
def test_no_text_makes_a_number_parser_fail_in_another_way_than_its_own(text: str) -> None:
    readers = [
        (idnumber.parse, BadIdNumber),
        (certnumber.parse, BadCertNumber),
        (certnumber.parse_category, BadCertNumber),
        (certnumber.parse_grade, BadCertNumber),
        (serial.parse, BadSerial),
        (serial.factor, BadSerial),
    ]
    for read, its_error in readers:
        with suppress(its_error):
            read(text)


@given(ANYTHING)
def test_a_name_is_refused_or_normal_for_good(text: str) -> None:
    try:
        kept = names.normalise(text)
    except BadName as bad:
        assert bad.code in names.REASONS
    else:
        assert names.normalise(kept) == kept
        full, initials = names.pinyin(kept)
        assert " " not in full and len(initials) <= len(kept)
