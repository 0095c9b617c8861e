"""Rows checked in columns: what is regular by one expression for all, what is not by the pure functions of `formats`.

Both ways say the same for every text; a property test holds them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from zhengka.formats import certnumber, idnumber, names
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.idnumber import BadIdNumber
from zhengka.formats.names import BadName
from zhengka.registry.imports import values
from zhengka.registry.imports.shape import Header, word
from zhengka.registry.imports.values import BadValue

_ID = r"^[0-9]{6}(?:18|19|20)[0-9]{9}[0-9X]$"
_CERT = r"^[0-9]{6}(?:18|19|20)[0-9]{9}[0-9X][1-7][1-4](?:B[1-9][0-9]{0,5})?$"
_NAME = r"^[\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}〇]{1,16}$"
_DAY = r"^(?:18|19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_PHONE = r"^[0-9]{5,15}$"
_TEXT = r"^[\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}0-9A-Za-z#-]{0,200}$"
_WEIGHTS = np.array(idnumber.WEIGHTS, np.int32)
_CHECKS = np.frombuffer(idnumber.CHECK_CHARACTERS.encode(), np.uint8)
_GUARDED_CELL = r"^'([=+\-@\t\r＝＋－＠])"
EXTRA = "extra"
"""Name of the column that holds what stood in a row behind the header's last column."""


@dataclass(frozen=True)
class Rules:
    """What a check depends on besides the row: words for units → area code, the unit where none is named (None:
    a row must name one), spellings of values, and the day of the import.
    """

    units: Mapping[str, int]
    unit: int | None
    spellings: Mapping[str, Mapping[str, int]]
    today: date


@dataclass(frozen=True)
class Checked:
    """`good`: rows by their meaning (columns of `Checker.good`); `bad`: `place` in the frame and `code`."""

    good: pl.DataFrame
    bad: pl.DataFrame


def check(frame: pl.DataFrame, header: Header, rules: Rules) -> Checked:
    """Check a block of rows: text columns "0", "1", … by position, `extra`, and `row`, the number in the file."""
    return Checker(frame, header, rules).run()


class Checker:
    """One block on its way; the first fault found in the order of the calls is the row's reason."""

    def __init__(self, frame: pl.DataFrame, header: Header, rules: Rules) -> None:
        """Keep the block."""
        self._frame, self._header, self._rules = frame, header, rules
        self._faults = [pl.repeat(None, frame.height, dtype=pl.String, eager=True)]

    def run(self) -> Checked:
        """All checks, in their order."""
        self._fault((self._frame[EXTRA] != ""), "row-cells")
        name = self._names()
        number = self._numbers()
        self._compared(number)
        good = number.with_columns(
            self._frame["row"], pl.arange(self._frame.height, eager=True).alias("place"), self._area(), name,
            self._ethnicity(), *self._dates(), *self._contacts())
        faults = pl.DataFrame([fault.alias(str(place)) for place, fault in enumerate(self._faults)])
        code = faults.select(pl.coalesce(pl.all())).to_series().alias("code")
        return Checked(_with_pinyin(good.filter(code.is_null())),
                       pl.DataFrame({"place": pl.arange(len(code), eager=True), "code": code}).drop_nulls())

    def _cells(self, field: str) -> pl.Series:
        """The field's texts without white space at their ends; empty where the file has no such column."""
        place = self._header.columns.get(field)
        if place is None:
            return pl.repeat("", self._frame.height, dtype=pl.String, eager=True)
        cells = self._frame[str(place)].str.strip_chars()
        return cells.str.replace(_GUARDED_CELL, "$1") if cells.str.starts_with("'").any() else cells

    def _fault(self, where: pl.Series, code: str) -> None:
        """Refuse the rows where the condition is true (null is not)."""
        if where.any():
            self._faults.append(pl.select(pl.when(where).then(pl.lit(code))).to_series())

    def _meaning(self, cells: pl.Series, meaning: Callable[[str], Any], dtype: Any) -> pl.Series:
        """Each distinct text through `meaning` once; empty texts mean null, refused ones leave a fault."""
        found, faults = _try(cells.unique(), meaning)
        if faults:
            self._faults.append(cells.replace_strict(faults, default=None, return_dtype=pl.String))
        return cells.replace_strict(found, default=None, return_dtype=dtype)

    def _mended(self, cells: pl.Series, regular: pl.Series, meaning: Callable[[str], str]) -> pl.Series:
        """Regular texts as they are, the others through `meaning`; empty texts mean null."""
        if regular.all():
            return cells
        found, faults = _try(cells.filter(~regular).unique(), meaning)
        if faults:
            self._faults.append(cells.replace_strict(faults, default=None, return_dtype=pl.String))
        known: dict[str, str | None] = {**dict.fromkeys(["", *faults]), **found}
        return cells.replace(list(known), list(known.values()))

    def _days(self, cells: pl.Series, meaning: Callable[[str], date | None]) -> pl.Series:
        """Days; those of the most usual spelling at once, the others through `meaning`."""
        usual = cells.set(~cells.str.contains(_DAY), "").str.to_date("%Y-%m-%d", strict=False)
        if not usual.null_count():
            return usual
        return usual.fill_null(self._meaning(cells.set(usual.is_not_null(), ""), meaning, pl.Date))

    def _names(self) -> pl.Series:
        cells = self._cells("name")
        self._fault(cells == "", "name-empty")
        return self._mended(cells, cells.str.contains(_NAME), names.normalise).alias("name")

    def _numbers(self) -> pl.DataFrame:
        """id18, number, category, grade, replacement, birth_date and sex of the numbers."""
        ids, certs = self._cells("id_number"), self._cells("certificate_number")
        category = self._meaning(self._cells("category"), self._spelt(values.category, "category"), pl.Int16)
        grade = self._meaning(self._cells("grade"), self._spelt(values.grade, "grade"), pl.Int16)
        regular = _regular_id(certs, _CERT)
        same = regular & (ids == certs.str.slice(0, 18))
        id18 = self._mended(ids, same if same.all() else same | _regular_id(ids.set(same, ""), _ID), _id18)
        number = self._mended(certs, regular, _number)
        both = pl.DataFrame({"ids": id18, "number": number, "said_category": category, "said_grade": grade})
        built = pl.concat_str("ids", "said_category", "said_grade")
        table = both.with_columns(number=pl.coalesce("number", built)).with_columns(
            id18=pl.col("number").str.slice(0, 18),
            category=pl.col("number").str.slice(18, 1).cast(pl.Int16),
            grade=pl.col("number").str.slice(19, 1).cast(pl.Int16),
            replacement=pl.col("number").str.slice(21).cast(pl.Int32, strict=False).fill_null(0),
        ).with_columns(
            birth_date=pl.col("id18").str.slice(6, 8).str.to_date("%Y%m%d", strict=False),
            sex=2 - pl.col("id18").str.slice(16, 1).cast(pl.Int16) % 2)
        self._fault((certs == "") & table["number"].is_null(), "cert-empty")
        self._fault(table["ids"] != table["id18"], "id-mismatch")
        self._fault(table["birth_date"] > self._rules.today, "id-birth-future")
        self._fault(table["said_category"] != table["category"], "category-mismatch")
        self._fault(table["said_grade"] != table["grade"], "grade-mismatch")
        return table.drop("ids", "said_category", "said_grade")

    def _compared(self, number: pl.DataFrame) -> None:
        """Sex and birth date are in the identity number: what the row says of them is only compared."""
        sex = self._meaning(self._cells("sex"), self._spelt(values.sex, "sex"), pl.Int16)
        self._fault(sex != number["sex"], "sex-mismatch")
        births = self._cells("birth_date")
        day = self._days(births, _day_or_month)
        self._fault(day != number["birth_date"], "birth-mismatch")
        months = pl.DataFrame({"text": births, "birth": number["birth_date"]}).filter(
            day.is_null() & (births != "") & number["birth_date"].is_not_null()).unique()
        wrong = {text for text, birth in months.rows() if _is_month(text) and not values.birth_fits(text, birth)}
        if wrong:
            self._fault(births.is_in(list(wrong)), "birth-mismatch")

    def _dates(self) -> list[pl.Series]:
        issued, until = (self._days(self._cells(field), values.day) for field in ("issued_on", "valid_until"))
        no_issue, no_end = issued.is_null() & until.is_not_null(), until.is_null() & issued.is_not_null()
        if no_issue.any():
            issued = issued.fill_null(_shifted(until, -values.TERM_YEARS))
        if no_end.any():
            until = until.fill_null(_shifted(issued, values.TERM_YEARS))
        self._fault(issued.is_null(), "date-empty")
        self._fault(issued > self._rules.today, "date-future")
        self._fault(until <= issued, "date-order")
        return [issued.alias("issued_on"), until.alias("valid_until")]

    def _contacts(self) -> list[pl.Series]:
        """components, phone, address, guardian_name, guardian_phone."""
        parts = self._meaning(self._cells("components"), values.components, pl.List(pl.List(pl.Int64)))
        return [parts.alias("components"), *(
            self._mended(cells, cells.str.contains(regular), meaning).alias(field)
            for field, regular, meaning in (
                ("phone", _PHONE, values.phone), ("address", _TEXT, values.clean),
                ("guardian_name", _TEXT, values.clean), ("guardian_phone", _PHONE, values.phone))
            for cells in (self._cells(field),))]

    def _ethnicity(self) -> pl.Series:
        return self._meaning(self._cells("ethnicity"), values.clean, pl.String).fill_null("").alias("ethnicity")

    def _area(self) -> pl.Series:
        rules, cells = self._rules, self._cells("unit")
        found = self._meaning(cells, partial(_unit, units=rules.units), pl.Int64)
        if rules.unit is None:
            self._fault(cells == "", "unit-empty")
            return found.alias("area")
        return found.fill_null(rules.unit).alias("area")

    def _spelt(self, meaning: Callable[[str, Mapping[str, int]], int], kind: str) -> Callable[[str], int]:
        spellings = self._rules.spellings[kind]
        return lambda text: meaning(text, spellings)


def _try(texts: pl.Series, meaning: Callable[[str], Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What each text means, and the code of each that means nothing."""
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for text in texts.to_list():
        if text:
            try:
                found[text] = meaning(text)
            except (BadValue, BadName, BadIdNumber, BadCertNumber) as bad:
                faults[text] = bad.code
    return found, faults


def _id18(text: str) -> str:
    return idnumber.parse(text).id18


def _number(text: str) -> str:
    return str(certnumber.parse(text))


def _unit(text: str, units: Mapping[str, int]) -> int:
    try:
        return units[word(text).removesuffix(".0")]
    except KeyError:
        raise BadValue("unit-unknown") from None


def _is_month(text: str) -> bool:
    try:
        values.birth_fits(text, date.min)
    except BadValue:
        return False
    return True


def _day_or_month(text: str) -> date | None:
    """A birth date; null for a year and month, which are compared by themselves."""
    try:
        return values.day(text)
    except BadValue:
        if _is_month(text):
            return None
        raise


def _regular_id(cells: pl.Series, pattern: str) -> pl.Series:
    """True where a text fits the pattern and the identity number at its head has a real birthday and its check
    character: then it is its own meaning.
    """
    regular = cells.str.contains(pattern)
    heads = cells.filter(regular).str.slice(0, 18)
    if not len(heads):
        return regular
    digits = np.frombuffer(heads.str.join("").item().encode(), np.uint8).reshape(-1, 18)
    right = _CHECKS[(digits[:, :17].astype(np.int32) - ord("0")) @ _WEIGHTS % 11] == digits[:, 17]
    dated = heads.str.slice(6, 8).str.to_date("%Y%m%d", strict=False).is_not_null().to_numpy()
    whole = regular.to_numpy().copy()
    whole[np.flatnonzero(whole)] = right & dated
    return pl.Series(whole)


def _shifted(days: pl.Series, years: int) -> pl.Series:
    distinct = days.drop_nulls().unique().to_list()
    return days.replace_strict(distinct, [values.years_later(day, years) for day in distinct], default=None,
                               return_dtype=pl.Date)


def _with_pinyin(good: pl.DataFrame) -> pl.DataFrame:
    readings = names.pinyin_many(good["name"].to_list())
    return good.with_columns(pl.Series("pinyin", [full for full, _ in readings], pl.String),
                             pl.Series("initials", [first for _, first in readings], pl.String))
