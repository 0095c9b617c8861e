"""The citizen identity number (公民身份号码): reading, checking, repairing what is safe to repair.

Standard: GB 11643-1999. Eighteen characters: six of region, eight of birth date, three of sequence
(odd = male), one check character by ISO/IEC 7064 MOD 11-2. Older numbers have fifteen digits: no
century and no check character; they are brought to eighteen with the century 19.
The region is not looked up: people keep the codes of divisions long abolished.
No error of this module carries the number itself: it is personal data.
"""

from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Final

WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS: Final = "10X98765432"
LONGEST_TEXT: Final = 64  # more than this is no number, however many spaces it holds

_ZEROS: Final = sum(WEIGHTS) * ord("0")
_DIGITS: Final = frozenset("0123456789")
_TO_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}

REASONS: Final = {
    "id-empty": "no identity number given",
    "id-float": "a spreadsheet turned the number into a floating-point value and digits were lost",
    "id-character": "a character that no identity number has",
    "id-length": "neither 18 nor 15 characters",
    "id-birth-date": "the birth date inside the number is no day of the calendar",
    "id-birth-future": "the birth date inside the number is later than the day asked about",
    "id-check-digit": "the last character does not match the others (ISO/IEC 7064 MOD 11-2)",
}


class BadIdNumber(ValueError):
    """Text that is no identity number. `code` is a key of `REASONS`; the text itself is not kept."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class IdNumber:
    """An identity number in its full form: `id18` upper-case, `region` its first six digits."""

    id18: str
    region: str
    birth: date
    male: bool

    def __str__(self) -> str:
        return self.id18

    def __repr__(self) -> str:
        return "IdNumber(***)"


def plain(text: str) -> str:
    """Full-width characters made half-width, all white space dropped, letters made upper-case.

    A leading apostrophe, with which spreadsheets mark a number kept as text, is dropped too.
    """
    if not text.isascii():
        text = text.translate(_TO_HALF_WIDTH)
    return "".join(text.split()).removeprefix("'").upper()


def check_digit(first17: str) -> str:
    """The check character of seventeen digits (GB 11643-1999, ISO/IEC 7064 MOD 11-2)."""
    if len(first17) != 17:
        raise BadIdNumber("id-length")
    if not is_digits(first17):
        raise BadIdNumber("id-character")
    return CHECK_CHARACTERS[(sum(map(mul, WEIGHTS, first17.encode("ascii"))) - _ZEROS) % 11]


def is_digits(text: str) -> bool:
    """True for one or more of 0 to 9 (`str.isdigit` would let in digits of every script)."""
    return bool(text) and _DIGITS.issuperset(text)


def parse(text: str, *, on: date | None = None) -> IdNumber:
    """The identity number that `text` means. `on`: refuse a birth later than this day.

    Raises `BadIdNumber` with a code of `REASONS`.
    """
    if len(text) > LONGEST_TEXT:
        raise BadIdNumber("id-length")
    number = _whole(plain(text))
    if len(number) == 15:
        first17 = number[:6] + "19" + number[6:]
        number = first17 + check_digit(first17)
    return _checked(number, on)


def looks_like_float(text: str) -> bool:
    """True when plain `text` is a number in floating-point or scientific notation (4.3E+17, 4301.0)."""
    if "." not in text and "E" not in text:
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole(text: str) -> str:
    """The characters of the number, or the reason why they cannot be known."""
    if not text:
        raise BadIdNumber("id-empty")
    whole, _, fraction = text.partition(".")
    if len(whole) == 15 and is_digits(whole) and fraction.strip("0") == "" and fraction:
        return whole  # fifteen digits are exact in a double: nothing was lost
    if looks_like_float(text):
        raise BadIdNumber("id-float")
    if len(text) not in (15, 18):
        raise BadIdNumber("id-length" if is_digits(text.removesuffix("X")) else "id-character")
    if not is_digits(text[:17]) or text[17:] not in CHECK_CHARACTERS:
        raise BadIdNumber("id-character")
    return text


def _checked(id18: str, on: date | None) -> IdNumber:
    try:
        birth = date(int(id18[6:10]), int(id18[10:12]), int(id18[12:14]))
    except ValueError:
        raise BadIdNumber("id-birth-date") from None
    if check_digit(id18[:17]) != id18[17]:
        # A spreadsheet keeps fifteen digits and writes zeros for the rest.
        raise BadIdNumber("id-float" if id18.endswith("000") else "id-check-digit")
    if on is not None and birth > on:
        raise BadIdNumber("id-birth-future")
    return IdNumber(id18, id18[:6], birth, male=int(id18[16]) % 2 == 1)
