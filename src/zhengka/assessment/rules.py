"""What an assessment (残疾评定) concludes: category, grade, clauses of GB/T 26341-2010, and when to assess again. Pure.

Whoever does not meet the standard, is too young for it or was not treated long enough gets a conclusion too: without a
grade, and with the reason (办法 art. 9(3): 不予办理).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from zhengka.areas.calendars import add_months, age_on
from zhengka.assessment.forms import MULTIPLE, Field, Form, Scale, choose_form
from zhengka.core.errors import Refusal

Answers = Mapping[str, Any]
"""Name of a field → what was measured or chosen: a number or its text, a code, a list of letters, a day or its ISO
text. `again`: "" (nothing is said), "never" or a number of years; `again_reason`: why, a code of the form."""

WHY_NOT: Final = {
    "standard-not-met": ("不符合残疾标准", "The standard is not met"),
    "too-young": ("未达到评定年龄", "Too young to be assessed"),
    "grade-not-at-this-age": ("该年龄段不能评定此等级", "This grade is not certified at this age"),
    "treatment-too-short": ("治疗未满规定期限", "Not treated for long enough"),
}
"""Why a conclusion has no grade → Chinese, English."""
BY_RULE: Final = ("again-by-age", "again-by-treatment")
"""Reasons for another assessment that come from the rules: the age is reached, the treatment was long enough."""
_NO_GRADE: Final = 9


@dataclass(frozen=True)
class Again:
    """When the person may or should be assessed again (重新评定): from a day on, or never (`on` is None), and why."""

    on: date | None
    reason: str


@dataclass(frozen=True)
class Conclusion:
    """What was found (评定结论). `grade` None: no disability is certified, for `reason` (a key of `WHY_NOT`).

    `components`: category and grade of each part of a multiple disability. `forms`: codes of the forms used.
    """

    category: int
    grade: int | None
    clauses: tuple[str, ...] = ()
    reason: str = ""
    components: tuple[tuple[int, int], ...] = ()
    again: Again | None = None
    forms: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The conclusion in JSON's own types."""
        found = asdict(self)
        if self.again and self.again.on:
            found["again"]["on"] = self.again.on.isoformat()
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Conclusion":
        """What `as_json` gave."""
        again = data["again"]
        return cls(
            data["category"], data["grade"], tuple(data["clauses"]), data["reason"],
            tuple((category, grade) for category, grade in data["components"]),
            Again(date.fromisoformat(again["on"]) if again["on"] else None, again["reason"]) if again else None,
            tuple(data["forms"]))


@dataclass(frozen=True)
class Forms:
    """The forms from which those of an area are chosen."""

    every: tuple[Form, ...]
    area: int

    def of(self, category: int, on: date) -> Form:
        """The form of a category on a day; `Refusal("form-missing")`."""
        form = choose_form(self.every, category, self.area, on)
        if form is None:
            raise Refusal("form-missing", category=category)
        return form


def birthday(born: date, age: int) -> date:
    """The first day on which somebody is so old in full years (`areas.calendars.age_on`): after the birthday."""
    return add_months(born, 12 * age) + timedelta(1)


def conclude(category: int, answers: Answers, *, born: date, on: date, forms: Forms) -> Conclusion:
    """What a form's answers come to for a person born on a day, assessed on another.

    Of a multiple disability `answers` holds the answers of each part by its category ("1", "4").
    `Refusal`: `form-missing`, `born-later`, `form-incomplete` (facts: fields), `form-value` (fact: field),
    `form-day` (fact: field), `form-contradicts` (fact: field), `components-missing`.
    """
    if category == MULTIPLE:
        return combine([conclude(int(part), found, born=born, on=on, forms=forms) for part, found in answers.items()])
    form = forms.of(category, on)
    age = age_on(born, on)
    if rule := next((rule for rule in form.ages if age < rule.below and not rule.grades), None):
        return _without(form, "too-young", Again(birthday(born, rule.below), BY_RULE[0]))
    values, again = _values(form, answers, age), _asked_again(form, answers, on)
    for name, value in values.items():
        if isinstance(value, date) and not born <= value <= on:
            raise Refusal("form-day", field=name)
    if form.treated and (long_enough := add_months(values[form.treated.field], form.treated.months)) > on:
        return _without(form, "treatment-too-short", Again(long_enough, BY_RULE[1]))
    grade, clauses = _by_criteria(form, values) if form.headed_by else _by_scales(form, values)
    if grade is None:
        return _without(form, "standard-not-met", again)
    if rule := next((rule for rule in form.ages if age < rule.below and grade not in rule.grades), None):
        return _without(form, "grade-not-at-this-age", Again(birthday(born, rule.below), BY_RULE[0]))
    return Conclusion(category, grade, clauses, again=again, forms=(form.code,))


def combine(parts: Sequence[Conclusion]) -> Conclusion:
    """A multiple disability (多重残疾): of at least two different categories, its grade the most severe of its parts'
    (办法 art. 13). Where only one part has a grade, the disability is that one; where none has, there is none.
    `Refusal("components-missing")` where fewer than two different ones were assessed.
    """
    if len({part.category for part in parts}) < 2 or len({part.category for part in parts}) < len(parts):
        raise Refusal("components-missing")
    graded = sorted((part for part in parts if part.grade is not None), key=lambda part: part.category)
    every = tuple(code for part in parts for code in part.forms)
    if not graded:
        return Conclusion(MULTIPLE, None, reason=parts[0].reason, again=_soonest(parts), forms=every)
    if len(graded) == 1:
        return graded[0]
    components = tuple((part.category, part.grade) for part in graded if part.grade is not None)
    clauses = tuple(clause for part in graded for clause in part.clauses)
    return Conclusion(MULTIPLE, min(grade for _, grade in components), clauses, "", components, _soonest(graded), every)


def _soonest(parts: Sequence[Conclusion]) -> Again | None:
    """When a whole is assessed again: with the first of its parts; never only where no part ever is."""
    said = [part.again for part in parts if part.again]
    dated = sorted((again for again in said if again.on), key=lambda again: str(again.on))
    if dated:
        return dated[0]
    return said[0] if said and len(said) == len(parts) else None


def _without(form: Form, reason: str, again: Again | None) -> Conclusion:
    return Conclusion(form.category, None, reason=reason, again=again, forms=(form.code,))


def _values(form: Form, answers: Answers, age: int) -> dict[str, Any]:
    """The answers as values of their fields; those that are not asked at this age are left out."""
    missing, values = [], {}
    for field in form.asked_at(age):
        given = answers.get(field.name)
        if given is None or given in ("", []):
            if not field.optional:
                missing.append(field.name)
            continue
        values[field.name] = _value(field, given)
    if missing:
        raise Refusal("form-incomplete", fields=missing)
    return values


def _value(field: Field, given: Any) -> Any:
    """One answer: `Decimal`, code, tuple of letters, or day; `Refusal("form-value")`."""
    known = {option.code for option in field.options}
    try:
        if field.kind == "number":
            return _number(field, given)
        if field.kind == "day":
            return given if isinstance(given, date) else date.fromisoformat(str(given))
    except (ValueError, InvalidOperation):
        raise Refusal("form-value", field=field.name) from None
    if field.kind == "clauses" and isinstance(given, list | tuple) and set(given) <= known:
        return tuple(sorted(set(given)))
    if field.kind == "choice" and given in known:
        return given
    raise Refusal("form-value", field=field.name)


def _number(field: Field, given: Any) -> Decimal:
    number = Decimal(str(given))
    exponent = number.as_tuple().exponent
    if not number.is_finite() or not field.least <= number <= field.most:
        raise ValueError("out of range")
    if not isinstance(exponent, int) or -exponent > field.places:
        raise ValueError("finer than it is measured")
    return number


def _asked_again(form: Form, answers: Answers, on: date) -> Again | None:
    """What the doctor says of another assessment; `Refusal("form-value")` without a reason that belongs to it."""
    said, reason = str(answers.get("again") or ""), str(answers.get("again_reason") or "")
    if not said:
        if reason:
            raise Refusal("form-value", field="again")
        return None
    if said != "never" and said not in {str(year) for year in form.years}:
        raise Refusal("form-value", field="again")
    if reason not in (form.never if said == "never" else form.later):
        raise Refusal("form-value", field="again_reason")
    return Again(None if said == "never" else add_months(on, 12 * int(said)), reason)


def _by_scales(form: Form, values: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
    """The better side's grade; a side's is the most severe that one of its scales gives."""
    sides: dict[int, list[int]] = {}
    replaced = _replaced(form, values)
    for scale in form.scales:
        for number, side in enumerate(scale.sides):
            if scale.name not in replaced and (found := _measured(form, scale, side, values)) is not None:
                sides.setdefault(number, []).append(found[1])
    grade = max((min(grades) for grades in sides.values()), default=_NO_GRADE)
    return (None, ()) if grade == _NO_GRADE else (grade, (form.clauses[grade - 1],))


def _replaced(form: Form, values: Mapping[str, Any]) -> set[str]:
    """The scales that do not count: those over which another decides, and that other one where it does not."""
    scales, without = {scale.name: scale for scale in form.scales}, set()
    for scale in form.scales:
        if not scale.over:
            continue
        decided = [other for other, since in scale.over
                   if (found := _measured(form, scales[other], scales[other].sides[0], values)) is not None
                   and found[0] is not None and found[0] >= since and found[1] != _NO_GRADE]
        without |= set(decided) or {scale.name}
    return without


def _measured(form: Form, scale: Scale, side: Iterable[str],
              values: Mapping[str, Any]) -> tuple[Decimal | None, int] | None:
    """The value of one side and the grade that it gives; None where not all of it was measured."""
    names = list(side)
    if any(name not in values for name in names):
        return None
    fields = [form.field(name) for name in names]
    if fields[0].kind == "choice":
        grade = next(option.grade for option in fields[0].options if option.code == values[names[0]])
        return None, grade or _NO_GRADE
    mean = sum((values[name] for name in names), Decimal(0)) / len(names)
    value = mean.quantize(Decimal(1).scaleb(-fields[0].places), ROUND_HALF_UP)
    reached = {"below": value.__lt__, "at_most": value.__le__, "at_least": value.__ge__}[scale.kind]
    return value, next((grade for grade, limit in enumerate(scale.limits, 1) if reached(limit)), _NO_GRADE)


def _by_criteria(form: Form, values: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
    """The most severe grade of which a lettered criterion was chosen and whose heading holds.

    `Refusal("form-contradicts")` where criteria were chosen, and daily life is too independent for each of them.
    """
    heading = form.field(form.headed_by)
    level = next(option.grade for option in heading.options if option.code == values[heading.name]) or _NO_GRADE
    chosen = [(field.grade or _NO_GRADE, f"{field.clause} {letter}") for field in form.fields
              if field.kind == "clauses" for letter in values.get(field.name, ())]
    counted = sorted(one for one in chosen if level <= one[0])
    if chosen and not counted:
        raise Refusal("form-contradicts", field=form.headed_by)
    return (counted[0][0], tuple(clause for _, clause in counted)) if counted else (None, ())
