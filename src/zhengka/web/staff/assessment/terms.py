"""Words of assessments: categories, conclusions, and when to assess again, in the visitor's language."""

from collections.abc import Iterable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.assessment import queries
from zhengka.assessment.rules import BY_RULE, WHY_NOT, Again, Conclusion
from zhengka.assessment.workflow import PLACES, RELATIONS
from zhengka.formats.certnumber import CATEGORIES
from zhengka.web.staff.words import bilingual, disability
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact

STANDARD = "GB/T 26341-2010"
RULE_WORDS = {BY_RULE[0]: _("the age is reached"), BY_RULE[1]: _("treated for long enough")}
"""Reasons for another assessment that come from the rules; a test holds it complete."""


def category(number: int) -> str:
    """A category as offices write it: 视力; Visual."""
    term = CATEGORIES[number]
    return bilingual((term.short, term.en))


def categories(numbers: Iterable[int]) -> str:
    """Several of them."""
    return bilingual(("、", ", ")).join(category(number) for number in numbers)


def category_choices() -> list[tuple[str, str]]:
    """Every category, as choices of a form."""
    return [(str(number), category(number)) for number in CATEGORIES]


def place_kind(kind: str) -> str:
    """Where a day of assessments takes place."""
    return bilingual(PLACES[kind])


def place_choices() -> list[tuple[str, str]]:
    """The kinds of days, as choices of a form."""
    return [(kind, bilingual(pair)) for kind, pair in PLACES.items()]


def relation_choices() -> list[tuple[str, str]]:
    """Why a doctor does not assess a person, as choices of a form."""
    return [("", "—"), *((code, bilingual(pair)) for code, pair in RELATIONS.items())]


def verdict(conclusion: Conclusion) -> Cell:
    """Category and grade, or why none is certified."""
    if conclusion.grade is None:
        why = bilingual(WHY_NOT[conclusion.reason])
        return Cell(gettext("No grade: %(why)s") % {"why": why}, tone=words.WAIT)
    return Cell(disability(conclusion.category, conclusion.grade), tone=words.GOOD)


def conclusion_facts(conclusion: Conclusion, area: int) -> list[Fact]:
    """What was concluded, line by line; `area`: of the forms that were used."""
    facts = [Fact(_("Conclusion"), verdict(conclusion))]
    if conclusion.components:
        parts = [disability(*part) for part in conclusion.components]
        facts.append(Fact(_("Parts"), bilingual(("、", "; ")).join(parts)))
    if conclusion.clauses:
        facts.append(Fact(_("Clauses"), f"{STANDARD} " + ", ".join(dict.fromkeys(conclusion.clauses))))
    if conclusion.again:
        facts.append(Fact(_("Another assessment"), again(conclusion.again, area)))
    return facts


def again(found: Again, area: int) -> str:
    """When and why the person may be assessed again."""
    why = _reason(found.reason, area)
    if found.on is None:
        return gettext("Never again: %(why)s") % {"why": why}
    return gettext("From %(day)s on: %(why)s") % {"day": found.on.isoformat(), "why": why}


def _reason(code: str, area: int) -> str:
    for form in queries.forms(area).every:
        for reasons in (form.never, form.later):
            if code in reasons:
                return bilingual(reasons[code])
    return str(RULE_WORDS.get(code, code))
