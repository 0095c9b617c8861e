"""The serial number of a card (卡片序列号): sixteen decimal digits, printed, on the chip and in the register.

Six digits of the issuing unit's code, nine running digits, one check digit by the Luhn formula
(ISO/IEC 7812-1, annex B). As eight bytes of packed BCD it is the factor from which the keys of the card
are diversified (分散因子; PBOC, GM/T 0107), so a serial is never given twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhengka.formats.idnumber import is_digits, plain

LENGTH: Final = 16
MOST_NUMBERS: Final = 10**9
"""Running numbers of one unit go from 0 up to, not including, this."""

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice the digit

REASONS: Final = {
    "serial-length": "not sixteen characters",
    "serial-character": "a character that is no digit",
    "serial-check-digit": "the last digit does not match the others (Luhn)",
    "serial-unit": "the code of an issuing unit has six digits",
    "serial-number": "the running number does not fit in nine digits",
}


class BadSerial(ValueError):
    """No serial number, or parts that make none. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial taken apart: `unit` six digits, `number` the running number of that unit."""

    unit: str
    number: int

    def __str__(self) -> str:
        return make(self.unit, self.number)


def make(unit: str, number: int) -> str:
    """The serial of running number `number` of the issuing unit `unit` (six digits)."""
    _check_parts(unit, number, number)
    body = f"{unit}{number:09}"
    return body + luhn(body)


def make_many(unit: str, start: int, count: int) -> list[str]:
    """The serials of `count` running numbers from `start`: what `make` gives, in bulk."""
    return make_each([unit] * count, np.arange(start, start + count, dtype=np.int64)) if count > 0 else []


def make_each(units: Sequence[str], numbers: NDArray[np.int64]) -> list[str]:
    """The serials of units and running numbers, one of each for every card: what `make` gives, in bulk."""
    for unit in set(units):
        _check_parts(unit, int(numbers.min()), int(numbers.max()))
    digits = np.empty((len(units), LENGTH), dtype=np.uint8)
    digits[:, :6] = np.frombuffer("".join(units).encode("ascii"), dtype=np.uint8).reshape(-1, 6) - 48
    rest = numbers
    for column in range(14, 5, -1):
        rest, digits[:, column] = np.divmod(rest, 10)
    digits[:, 15] = _luhn_column(digits[:, :15])
    return [str(serial, "ascii") for serial in (digits + 48).view(f"S{LENGTH}").ravel().tolist()]


def parse(text: str) -> Serial:
    """The serial that `text` means; spaces and full-width digits are forgiven. Raises `BadSerial`."""
    serial = plain(text[: 4 * LENGTH + 1])
    if len(serial) != LENGTH:
        raise BadSerial("serial-length")
    if not is_digits(serial):
        raise BadSerial("serial-character")
    if luhn(serial[:15]) != serial[15]:
        raise BadSerial("serial-check-digit")
    return Serial(serial[:6], int(serial[6:15]))


def factor(serial: str) -> bytes:
    """The eight bytes of packed BCD that diversify the keys of the card with this serial."""
    if len(serial) != LENGTH or not is_digits(serial):
        raise BadSerial("serial-length" if len(serial) != LENGTH else "serial-character")
    return bytes.fromhex(serial)


def luhn(body: str) -> str:
    """The check digit that follows `body` (ISO/IEC 7812-1, annex B)."""
    values = [ord(digit) - 48 for digit in reversed(body)]
    total = sum(_DOUBLED[value] for value in values[::2]) + sum(values[1::2])
    return str(-total % 10)


def _check_parts(unit: str, first: int, last: int) -> None:
    if len(unit) != 6 or not is_digits(unit):
        raise BadSerial("serial-unit")
    if first < 0 or last >= MOST_NUMBERS:
        raise BadSerial("serial-number")


def _luhn_column(digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Check digits of rows of digits; the last column counts double."""
    doubled = np.array(_DOUBLED, dtype=np.uint8)[digits[:, ::-1][:, ::2]]
    single = digits[:, ::-1][:, 1::2]
    total: NDArray[np.int64] = doubled.sum(axis=1, dtype=np.int64) + single.sum(axis=1, dtype=np.int64)
    return (-total % 10).astype(np.uint8)
