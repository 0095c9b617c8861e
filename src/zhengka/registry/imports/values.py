"""What one cell means: pure functions, one value each, `BadValue` with a code of `reasons.ROW_REASONS` for no."""

import calendar
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta

from zhengka.formats import certnumber, idnumber
from zhengka.formats.certnumber import BadCertNumber
from zhengka.registry.imports.shape import word

LONGEST_TEXT = 200
TERM_YEARS = 10
SERIAL_START = date(1899, 12, 30)  # day 0 of spreadsheets, with their leap day of 1900 that never was
_TIME = re.compile(r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$", re.ASCII)
_PARTS = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_PACKED = re.compile(r"((?:18|19|20|21)\d{2})(\d{2})(\d{2})(?:\.0+)?", re.ASCII)
_SERIAL = re.compile(r"([1-9]\d{4}|[3-9]\d{3})(?:\.0+)?", re.ASCII)  # below 3000 it would be a year
_MONTH = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?|(\d{2}))", re.ASCII)
_COMPONENT = re.compile(r"(视力|听力|言语|语言|肢体|智力|精神)(?:残疾)?[:-]?([1-4一二三四壹贰叁肆ⅠⅡⅢⅣ])级?")
_BETWEEN = re.compile(r"[、,;；，+/|\s]*")


class BadValue(ValueError):
    """A cell that cannot be taken; `code` names why."""

    def __init__(self, code: str) -> None:
        """Keep the code; the cell itself is personal data and is not kept."""
        super().__init__(code)
        self.code = code


def day(text: str) -> date:
    """The day that a cell means: `2018-3-5`, `2018/03/05`, `2018.3.5`, `20180305`, `2018年3月5日`, with a time
    behind it or without, or a spreadsheet's serial number (from 3000, in 1908, on).
    """
    plain = idnumber.plain(_TIME.sub("", unicodedata.normalize("NFKC", text).strip()))
    if serial := _SERIAL.fullmatch(plain):
        return SERIAL_START + timedelta(days=int(serial[1]))
    parts = _PARTS.fullmatch(plain) or _PACKED.fullmatch(plain)
    if parts is None:
        raise BadValue("date-unreadable")
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        raise BadValue("date-impossible") from None


def birth_fits(text: str, birth: date) -> bool:
    """True where a cell with a birth date, or with its year and month only, means the day `birth`."""
    try:
        return day(text) == birth
    except BadValue as bad:
        month = _MONTH.fullmatch(idnumber.plain(unicodedata.normalize("NFKC", text)))
        if bad.code != "date-unreadable" or month is None:
            raise
        return (int(month[1]), int(month[2] or month[3])) == (birth.year, birth.month)


def years_later(start: date, years: int) -> date:
    """The same day some years on (or back); of 29 February the 28th where the year has none (办法 art. 19)."""
    year = start.year + years
    return date(year, start.month, min(start.day, calendar.monthrange(year, start.month)[1]))


def category(text: str, spellings: Mapping[str, int]) -> int:
    """The category digit; what `formats.certnumber` does not know may stand in the table of spellings."""
    try:
        return certnumber.parse_category(text)
    except BadCertNumber as bad:
        if found := spellings.get(word(text)):
            return found
        raise BadValue(bad.code) from None


def grade(text: str, spellings: Mapping[str, int]) -> int:
    """The grade digit, as `category`."""
    try:
        return certnumber.parse_grade(text)
    except BadCertNumber as bad:
        if found := spellings.get(word(text)):
            return found
        raise BadValue(bad.code) from None


def sex(text: str, spellings: Mapping[str, int]) -> int:
    """1 male, 2 female (GB/T 2261.1)."""
    found = spellings.get(word(text).upper().removesuffix(".0"))
    if found is None:
        raise BadValue("sex-unreadable")
    return found


def components(text: str) -> list[list[int]]:
    """The parts of a multiple disability, [[category, grade], …], of `视力二级、肢体残疾三级`."""
    plain = unicodedata.normalize("NFC", text).strip()
    found: list[list[int]] = []
    place = 0
    while place < len(plain):
        part = _COMPONENT.match(plain, place)
        if part is None:
            raise BadValue("components-unreadable")
        found.append([certnumber.parse_category(part[1]), certnumber.parse_grade(part[2])])
        between = _BETWEEN.match(plain, part.end())
        place = between.end() if between else part.end()
    return found


def phone(text: str) -> str:
    """A phone number without the signs that people put between its digits; several stay as they are written."""
    plain = idnumber.plain(text)
    plain = re.sub(r"(?<=\d)\.0+$", "", plain)
    if idnumber.looks_like_float(plain):
        raise BadValue("phone-float")
    bare = re.sub(r"[-()\u2010-\u2015]", "", plain)
    return bare if re.fullmatch(r"\+?\d{1,20}", bare, re.ASCII) else clean(text)


def clean(text: str) -> str:
    """A cell of free text: NFC, no invisible, directing or control characters, one space where there were several."""
    kept = "".join(_kept(character) for character in unicodedata.normalize("NFC", text))
    kept = " ".join(kept.split())
    if len(kept) > LONGEST_TEXT:
        raise BadValue("text-length")
    return kept


def _kept(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] == "Z" or character in "\t\r\n\v\f":
        return " "
    return "" if kind in ("Cc", "Cf", "Cs") else character
