"""From people to the cells of a file, in the spelling of one office."""

from dataclasses import replace
from itertools import starmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhengka.exchange.sample import people as making
from zhengka.exchange.sample.numbers import yyyymmdd
from zhengka.exchange.sample.people import People
from zhengka.exchange.sample.places import UnitSize, addresses
from zhengka.exchange.sample.styles import DATE_CELL, DATE_TEXTS, KINDS, SERIAL, Style

Cell = str | int | float
Columns = dict[str, list[Cell]]

VALID_MONTHS: Final = 120
EXCEL_EPOCH: Final = np.datetime64("1899-12-30", "D")


def columns(group: People, unit: UnitSize, style: Style, rng: np.random.Generator) -> Columns:
    """One list of cells per field of the style, one cell per person."""
    whole: Columns = {
        "name": list(group.name),
        "sex": [style.sexes[male] for male in group.male],
        "ethnicity": list(group.ethnicity),
        "birth_date": dates(group.birth, style.dates),
        "id_number": list(group.id_number),
        "certificate_number": [group.number(at) for at in range(len(group))],
        "category": [category_text(style, category) for category in group.category],
        "grade": [_number_or_text(style, style.grades[grade - 1]) for grade in group.grade],
        "components": [components_text(style, parts) for parts in group.components],
        "issued_on": dates(group.issued_on, style.dates),
        "valid_until": dates(valid_until(group.issued_on), style.dates),
        "phone": [_number_or_text(style, phone) for phone in group.phone],
        "address": list(addresses(rng, unit, len(group))),
        "guardian_name": list(group.guardian),
        "guardian_phone": [_number_or_text(style, phone) if phone else "" for phone in group.guardian_phone],
        "unit": [unit_text(style, unit)] * len(group),
        "remark": ["补发" if lost else "" for lost in group.replacement],
    }
    return {name: whole[name] for name in style.columns}


def moved(group: People, rng: np.random.Generator) -> People:
    """The same persons as another unit knows them: a later suffix, another grade, another phone, or only there."""
    size = len(group)
    change = rng.random(size)
    later = [n + 1 if roll < 0.4 else n for n, roll in zip(group.replacement, change.tolist(), strict=True)]
    grade = [
        old % 4 + 1 if 0.4 <= roll < 0.6 and kind != making.MULTIPLE else old
        for old, kind, roll in zip(group.grade, group.category, change.tolist(), strict=True)
    ]
    renewed = making.phones(rng, size)
    keeps = rng.random(size) < 0.5
    phone = [old if keep else new for old, new, keep in zip(group.phone, renewed, keeps.tolist(), strict=True)]
    return replace(group, replacement=later, grade=grade, phone=phone)


def valid_until(issued: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The same day ten years later (办法 art. 19); of 29 February the 28th."""
    month = issued.astype("datetime64[M]")
    offset = issued - month.astype("datetime64[D]")
    later = month + np.timedelta64(VALID_MONTHS, "M")
    length = (later + np.timedelta64(1, "M")).astype("datetime64[D]") - later.astype("datetime64[D]")
    return np.asarray(later.astype("datetime64[D]") + np.minimum(offset, length - np.timedelta64(1, "D")))


def dates(days: NDArray[np.datetime64], form: int) -> list[Cell]:
    """Days as text of a form of `DATE_TEXTS`, or as serial numbers of a spreadsheet."""
    if form in (SERIAL, DATE_CELL):
        return list((days - EXCEL_EPOCH).astype(np.int64).tolist())
    packed = yyyymmdd(days)
    parts = zip((packed // 10_000).tolist(), (packed // 100 % 100).tolist(), (packed % 100).tolist(), strict=True)
    return list(starmap(DATE_TEXTS[form].format, parts))


def category_text(style: Style, category: int) -> Cell:
    """A category as this office writes it."""
    text = style.category.format(kind=KINDS[category - 1], digit=category)
    return _number_or_text(style, text)


def components_text(style: Style, parts: tuple[tuple[int, int], ...]) -> str:
    """The components of a multiple disability, `视力二级、肢体三级`."""
    form, between = style.components
    grades = style.grades if style.grades[0].endswith("级") else ("一级", "二级", "三级", "四级")
    return between.join(form.format(kind=KINDS[kind - 1], grade=grades[grade - 1]) for kind, grade in parts)


def unit_text(style: Style, unit: UnitSize) -> Cell:
    """The unit as this office's heading asks for it: a code under 区划代码, else the name."""
    return _number_or_text(style, unit.code) if "代码" in style.columns.get("unit", "") else unit.name


def _number_or_text(style: Style, text: str) -> Cell:
    """Digits as a number where this office lets its spreadsheet have its way."""
    return float(text) if style.numbers_as_floats and text.isascii() and text.isdigit() else text
