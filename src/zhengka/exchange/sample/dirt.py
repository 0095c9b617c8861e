"""The dirt of real files: oddities that must be understood, and faults that must be refused by name.

A row has at most one fault, and then no oddity, so that its reason is certain.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from zhengka.exchange.sample.numbers import with_check_digit
from zhengka.exchange.sample.rows import Cell, Columns, category_text
from zhengka.exchange.sample.styles import CATEGORY_STYLES, DATE_TEXTS, GRADE_SPELLINGS, KINDS, Style

FAULT_SHARE: Final = 0.03
REPEAT_SHARE: Final = 0.002


@dataclass
class Row:
    """One row of a table of columns, written through; `style` is the file's, `rng` the dice."""

    columns: Columns
    at: int
    style: Style
    rng: Generator

    def __contains__(self, field: str) -> bool:
        return field in self.columns

    def __getitem__(self, field: str) -> Cell:
        return self.columns[field][self.at]

    def __setitem__(self, field: str, cell: Cell) -> None:
        if field in self.columns:
            self.columns[field][self.at] = cell

    def text(self, field: str) -> str:
        """The cell as text; nothing where there is no such column."""
        return str(self.columns[field][self.at]) if field in self.columns else ""

    def numbers(self, change: Callable[[str], str]) -> None:
        """Change the identity and the certificate number alike."""
        for field in ("id_number", "certificate_number"):
            self[field] = change(self.text(field))


# ---- faults: the row must be refused -------------------------------------------------------------------------------


def _wrong_check_digit(row: Row) -> None:
    right = row.text("certificate_number")[17]
    wrong = str(row.rng.choice([digit for digit in "123456789" if digit != right]))
    row.numbers(lambda number: number[:17] + wrong + number[18:])


def _float_destroyed(row: Row) -> None:
    def destroy(number: str) -> Cell:
        value = float(number.partition("B")[0].replace("X", "0"))
        return value if row.style.kind == "xlsx" else f"{value:.5E}"

    row["certificate_number"] = destroy(row.text("certificate_number"))
    row["id_number"] = destroy(row.text("id_number") or "0")


def _a_digit_too_many(row: Row) -> None:
    row["certificate_number"] = row.text("certificate_number")[:20] + str(row.rng.integers(10))


def _name_missing(row: Row) -> None:
    row["name"] = "" if row.rng.random() < 0.5 else "  "


def _name_control(row: Row) -> None:
    """A bell in text files; a workbook cannot hold one, but a mark that turns the direction of writing."""
    name = row.text("name")
    row["name"] = name[0] + ("\u202e" if row.style.kind == "xlsx" else "\a") + name[1:]


def _contradiction(row: Row) -> None:
    number = row.text("certificate_number")
    if row.rng.random() < 0.5:
        row["category"] = category_text(row.style, int(number[18]) % 6 + 1)
    else:
        row["grade"] = row.style.grades[int(number[19]) % 4]


def _no_such_birthday(row: Row) -> None:
    number = row.text("certificate_number")
    month_day = row.rng.choice(["0230", "0431", "1131", "1301", "0015"])
    whole = with_check_digit(np.array([int(number[:10] + month_day + number[14:17])]))[0]
    row.numbers(lambda text: whole + text[18:])
    row["birth_date"] = ""


def _no_such_issue_day(row: Row) -> None:
    form = DATE_TEXTS[max(row.style.dates, 0)]
    row["issued_on"] = form.format(int(row.rng.integers(2009, 2018)), 2, 30)


@dataclass(frozen=True)
class Fault:
    """A fault: how it is made, which columns it needs, and the reason codes by which an import may name it."""

    make: Callable[[Row], None]
    codes: frozenset[str]
    needs: str = "name"


FAULTS: Final = {
    "wrong-check-digit": Fault(_wrong_check_digit, frozenset(("id-check-digit",))),
    "float-destroyed": Fault(_float_destroyed, frozenset(("id-float", "cert-float"))),
    "21-digits": Fault(_a_digit_too_many, frozenset(("cert-21-digits",))),
    "name-missing": Fault(_name_missing, frozenset(("name-empty",))),
    "name-control": Fault(_name_control, frozenset(("name-control", "name-direction"))),
    "contradiction": Fault(_contradiction, frozenset(("category-mismatch", "grade-mismatch")), "category"),
    "no-such-birthday": Fault(_no_such_birthday, frozenset(("id-birth-date",))),
    "no-such-issue-day": Fault(_no_such_issue_day, frozenset(("date-impossible",)), "issued_on"),
}
"""Faults by name: the keys of a truth's `refused`."""


def spoil(table: Columns, rows: list[int], style: Style, rng: Generator) -> Counter[str]:
    """Make each of these rows wrong in one way; returns how many in which."""
    possible = [name for name, fault in FAULTS.items() if fault.needs in table]
    made: Counter[str] = Counter()
    for at in rows:
        name = possible[rng.integers(len(possible))]
        FAULTS[name].make(Row(table, at, style, rng))
        made[name] += 1
    return made


# ---- oddities: the row must be understood --------------------------------------------------------------------------

_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_DOTS: Final = "•・．‧●"
_NUMBERS: Final = ("id_number", "certificate_number")


def _full_width(row: Row) -> bool:
    row.numbers(lambda number: number.translate(_FULL_WIDTH))
    return True


def _lower_case(row: Row) -> bool:
    if not re.search("[XB]", row.text("certificate_number")):
        return False
    row.numbers(str.lower)
    return True


def _spaces(row: Row) -> bool:
    space = str(row.rng.choice([" ", "\u00a0", "\u3000"]))
    inside = row.rng.random() < 0.5
    row.numbers(lambda n: f"{n[:6]}{space}{n[6:14]}{space}{n[14:]}" if inside and n else f"{n}{space}")
    return True


def _apostrophe(row: Row) -> bool:
    row.numbers(lambda number: "'" + number if number else number)
    return True


def _bare_suffix(row: Row) -> bool:
    """The rules of 2008 wrote the first replacement without a figure."""
    number = row.text("certificate_number")
    if not number.endswith("B1"):
        return False
    row["certificate_number"] = number[:-1]
    return True


def _other_category(row: Row) -> bool:
    number = row.text("certificate_number")
    if "category" not in row:
        return False
    digit = int(number[18])
    row["category"] = str(row.rng.choice(CATEGORY_STYLES)).format(kind=KINDS[digit - 1], digit=digit)
    return True


def _other_grade(row: Row) -> bool:
    if "grade" not in row:
        return False
    spelling = GRADE_SPELLINGS[row.rng.integers(len(GRADE_SPELLINGS))]
    row["grade"] = spelling[int(row.text("certificate_number")[19]) - 1]
    return True


def _spread_name(row: Row) -> bool:
    name = row.text("name")
    if len(name) != 2:
        return False
    row["name"] = f"{name[0]}\u3000{name[1]}"
    return True


def _other_dot(row: Row) -> bool:
    name = row.text("name")
    if "·" not in name:
        return False
    row["name"] = name.replace("·", _DOTS[row.rng.integers(len(_DOTS))])
    return True


def _no_phone(row: Row) -> bool:
    row["phone"] = ""
    return "phone" in row


def _dashed_phone(row: Row) -> bool:
    phone = row.text("phone").removesuffix(".0")
    if len(phone) != 11:
        return False
    row["phone"] = f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"
    return True


# Those that read the certificate number come before those that change its look.
_ODDITIES: Final[tuple[tuple[str, float, Callable[[Row], bool]], ...]] = (
    ("other-category", 0.02, _other_category),
    ("other-grade", 0.02, _other_grade),
    ("bare-suffix", 0.4, _bare_suffix),
    ("spread-name", 0.05, _spread_name),
    ("other-dot", 0.3, _other_dot),
    ("no-phone", 0.02, _no_phone),
    ("dashed-phone", 0.01, _dashed_phone),
    ("lower-case", 0.2, _lower_case),
    ("full-width", 0.015, _full_width),
    ("spaces", 0.02, _spaces),
    ("apostrophe", 0.005, _apostrophe),
)


def soil(table: Columns, rows: list[int], style: Style, rng: Generator) -> Counter[str]:
    """Give these rows oddities, each with its own chance; returns how many of which."""
    made: Counter[str] = Counter()
    for name, share, make in _ODDITIES:
        for at in np.asarray(rows, dtype=np.int64)[rng.random(len(rows)) < share].tolist():
            made[name] += make(Row(table, at, style, rng))
    return +made
