"""Assessment forms (评定表) as data: what is measured and asked for each category, and what of it gives which grade.

Pure: dated files come in (`data/assessment`), forms go out. `assessment.rules` concludes from a form and its answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table, choose, read
from zhengka.formats.certnumber import CATEGORIES, GRADES

MULTIPLE: Final = 7
"""The category that has no form of its own: it is made of others (多重残疾)."""
KINDS: Final = ("number", "choice", "clauses", "day")
LIMITS: Final = ("below", "at_most", "at_least")
"""How a scale's limits are read: a value gives the first grade whose limit it is below, within, or at."""

Words = tuple[str, str]
"""Words for people: Chinese, English."""


class Option(NamedTuple):
    """One answer to choose: its code (of a criterion: its letter in the standard) and the grade that it stands for."""

    code: str
    words: Words
    grade: int | None = None


@dataclass(frozen=True)
class Field:
    """One thing that is measured or asked. `number` has a range and decimals, `choice` one of its options, `clauses`
    any of the lettered criteria of one grade, `day` a date. Asked of persons from `age_from` to below `age_below`.
    """

    name: str
    words: Words
    kind: str
    unit: Words = ("", "")
    hint: Words = ("", "")
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    places: int = 0
    optional: bool = False
    options: tuple[Option, ...] = ()
    clause: str = ""
    grade: int | None = None
    age_from: int = 0
    age_below: int = 200

    def asked_at(self, age: int) -> bool:
        """True where it is asked of a person of this age in full years."""
        return self.age_from <= age < self.age_below


@dataclass(frozen=True)
class Scale:
    """How values give a grade. Each of `sides` (two ears, two eyes; else one) is the mean of its fields; the better
    side counts. `over`: scale → from which of its values on this one takes its place, where that one gives a grade.
    """

    name: str
    sides: tuple[tuple[str, ...], ...]
    kind: str = ""
    limits: tuple[Decimal, ...] = ()
    over: tuple[tuple[str, Decimal], ...] = ()


class AgeRule(NamedTuple):
    """Below this age, in full years, only these grades can be certified; none: too young to be assessed."""

    below: int
    grades: frozenset[int]
    source: str


class Treated(NamedTuple):
    """The condition must have been treated for so many months since the day in this field."""

    field: str
    months: int
    source: str


@dataclass(frozen=True)
class Form:
    """The form of one category for the areas from `lo` to `hi`, from a day on. `clauses`: of the grades 1 to 4, where
    no letter is chosen; `headed_by`: the choice that heads the lettered criteria of each grade. `years`, `never`,
    `later`: after how many years a person may be assessed again, and the reasons why never, or why then.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    category: int
    source: str
    fields: tuple[Field, ...]
    scales: tuple[Scale, ...]
    clauses: tuple[str, ...]
    headed_by: str
    ages: tuple[AgeRule, ...]
    treated: Treated | None
    years: tuple[int, ...]
    never: Mapping[str, Words]
    later: Mapping[str, Words]

    def field(self, name: str) -> Field:
        """The field of this name."""
        return next(field for field in self.fields if field.name == name)

    def asked_at(self, age: int) -> tuple[Field, ...]:
        """The fields that are asked of a person of this age."""
        return tuple(field for field in self.fields if field.asked_at(age))


def load(folder: Path) -> tuple[Form, ...]:
    """Every form of a folder, checked. Raises `FileRefused`."""
    forms = [form_of(read(path)) for path in sorted(folder.glob("*.toml"))]
    seen: set[tuple[int, int, int, date]] = set()
    for form in forms:
        key = (form.category, form.lo, form.hi, form.valid_from)
        if key in seen:
            raise FileRefused("dates-overlap", form.code)
        seen.add(key)
    if len({form.code for form in forms}) < len(forms):  # an assessment keeps the code of its form
        raise FileRefused("code-twice", str(folder.name))
    return tuple(forms)


def choose_form(forms: Iterable[Form], category: int, area: int, on: date) -> Form | None:
    """The form of a category that holds for an area (12-digit code) on a day; None where there is none."""
    return choose((form for form in forms if form.category == category), area, on)


def form_of(table: Table) -> Form:
    """The form that a file holds, checked. Raises `FileRefused`."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("valid_from", date)
    category = table.take("category", int)
    if category not in CATEGORIES or category == MULTIPLE:
        raise FileRefused("value-unknown", table.place, f"category: {category}")
    source, clauses = _told(table, "source"), tuple(table.take("clauses", list, []))
    fields = tuple(_field(part) for part in table.tables("field"))
    names = {field.name for field in fields}
    if len(names) < len(fields) or not fields:
        raise FileRefused("field-missing", table.place, "field")
    scales = tuple(_scale(part, names) for part in table.tables("scale"))
    headed_by = table.take("headed_by", str, "")
    if headed_by and headed_by not in names:
        raise FileRefused("value-unknown", table.place, f"headed_by: {headed_by}")
    if (scales and len(clauses) != len(GRADES)) or (not scales and not headed_by):
        raise FileRefused("field-missing", table.place, "clauses of the grades 1 to 4, or criteria")
    ages = tuple(_age(part) for part in table.tables("age"))
    treated = _treated(table.table("treated"), fields) if table.has("treated") else None
    years, never, later = _again(table.table("again"))
    table.end()
    return Form(code, lo, hi, since, category, source, fields, scales, clauses, headed_by, ages, treated, years,
                never, later)


def _told(table: Table, name: str) -> str:
    text = table.take(name, str)
    if not text.strip():
        raise FileRefused("source-missing", table.place, name)
    return text


def _words(table: Table, prefix: str = "") -> Words:
    return table.take(f"{prefix}zh", str, ""), table.take(f"{prefix}en", str, "")


def _number(text: object, place: str) -> Decimal:
    """A figure, which a file writes as text so that no binary fraction comes between."""
    try:
        return Decimal(text) if isinstance(text, str) else Decimal("none")
    except InvalidOperation:
        raise FileRefused("value-out-of-range", place, str(text)) from None


def _field(part: Table) -> Field:
    name, words, kind = part.take("name", str), _words(part), part.take("kind", str)
    if kind not in KINDS:
        raise FileRefused("value-unknown", part.place, f"kind: {kind}")
    grade = _grade(part)
    field = Field(
        name, words, kind, _words(part, "unit_"), _words(part, "hint_"),
        _number(part.take("min", str, "0"), part.place), _number(part.take("max", str, "0"), part.place),
        part.take("places", int, 0), part.take("optional", bool, False),
        tuple(_option(each) for each in part.tables("option")), part.take("number", str, ""), grade,
        part.take("age_from", int, 0), part.take("age_below", int, 200))
    part.end()
    if not all(words) or (kind == "number" and field.least >= field.most):
        raise FileRefused("field-missing", part.place, "zh, en, and of a number min < max")
    if (kind in ("choice", "clauses") and not field.options) or (kind == "clauses" and not (field.clause and grade)):
        raise FileRefused("field-missing", part.place, "option, and of criteria the number and the grade")
    return field


def _grade(part: Table) -> int | None:
    if not part.has("grade"):
        return None
    grade = part.take("grade", int)
    if grade not in GRADES:
        raise FileRefused("value-out-of-range", part.place, f"grade = {grade}")
    return grade


def _option(part: Table) -> Option:
    option = Option(part.take("code", str), _words(part), _grade(part))
    part.end()
    return option


def _scale(part: Table, names: set[str]) -> Scale:
    name, sides = part.take("name", str), tuple(tuple(side) for side in part.take("sides", list))
    if not sides or not {field for side in sides for field in side} <= names:
        raise FileRefused("value-unknown", part.place, "sides")
    kinds = [kind for kind in LIMITS if part.has(kind)]
    if len(kinds) > 1:
        raise FileRefused("value-unknown", part.place, " and ".join(kinds))
    kind = kinds[0] if kinds else ""
    limits = tuple(_number(text, part.place) for text in part.take(kind, list)) if kind else ()
    if len(limits) > len(GRADES) or list(limits) != sorted(limits, reverse=kind == "at_least"):
        raise FileRefused("value-out-of-range", part.place, kind)
    over = tuple((other, _number(since, part.place)) for other, since in part.table("decides_over").rest(str).items())
    part.end()
    return Scale(name, sides, kind, limits, over)


def _age(part: Table) -> AgeRule:
    grades = frozenset(part.take("grades", list))
    if not grades <= set(GRADES):
        raise FileRefused("value-out-of-range", part.place, "grades")
    rule = AgeRule(part.take("below", int), grades, _told(part, "source"))
    part.end()
    return rule


def _treated(part: Table, fields: tuple[Field, ...]) -> Treated:
    rule = Treated(part.take("field", str), part.take("months", int), _told(part, "source"))
    part.end()
    days = {field.name for field in fields if field.kind == "day" and not field.optional}
    if rule.field not in days or rule.months < 1:
        raise FileRefused("value-unknown", part.place, rule.field)
    return rule


def _again(part: Table) -> tuple[tuple[int, ...], dict[str, Words], dict[str, Words]]:
    years = tuple(part.take("years", list))
    if any(type(year) is not int or not 1 <= year <= 10 for year in years):
        raise FileRefused("value-out-of-range", part.place, "years")
    never, later = (_reasons(part.table(name)) for name in ("never", "later"))
    part.end()
    return years, never, later


def _reasons(part: Table) -> dict[str, Words]:
    found = {}
    for code, data in part.rest(dict).items():
        reason = Table(data, f"{part.place}: {code}")
        found[code] = _words(reason)
        reason.end()
    return found
