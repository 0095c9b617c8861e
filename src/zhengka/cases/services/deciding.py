"""What holds for a decision (审核、批准), whoever takes it, alone or for many."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.disputing import DISPUTED
from zhengka.cases.services.moving import day
from zhengka.cases.services.needed import unproved
from zhengka.core.errors import Refusal
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate
from zhengka.registry.services import Finding

MAY_FIND_NOTHING = frozenset({"cancellation_unmet", "dispute_city", "dispute_province"})
"""Kinds of case that go on, whatever an assessment finds."""


class Known(NamedTuple):
    """What a decision looks at beside the cases themselves, read once for all of them; by the id of the case."""

    unproved: Collection[int]
    """In these an assessment asks for a guardian who was not proved (`needed.unproved`)."""
    barred: Mapping[int, date]
    """In these it found a category that is new to the person and barred, up to and including a day (art. 24)."""


def known(cases: Sequence[Case], action: str, asked: Asked) -> Known:
    """What `check_decision` looks at for these cases, where each takes this step."""
    return Known(unproved(cases), {} if action == "review" else barred(cases, asked))


def check_decision(case: Case, action: str, asked: Asked, about: Known | None = None) -> None:
    """What holds whoever decides, alone or for many: what a review (`action`) looks at, and what an approval does too.
    `about`: what is known of the case, where it was read for many.

    `Refusal`: `guardian-unproved` where an assessment found 智力 or 精神, also as a part of 多重 (art. 9(1)); of an
    approval `standard-not-met` where it found no disability of the standard, unless that ends the case, and
    `category-barred` where it found one whose category was cancelled less than a year ago (art. 24).
    """
    about = about or known([case], action, asked)
    if case.pk in about.unproved:
        raise Refusal("guardian-unproved")
    if action == "review":
        return
    if case.found == {} and case.kind_of_case not in MAY_FIND_NOTHING:
        raise Refusal("standard-not-met")
    if case.found and case.kind_of_case not in DISPUTED:
        refuse_barred_finding(case, about.barred)


def finding_of(case: Case) -> Finding:
    """What the institution found; `Refusal("standard-not-met")` where it found no disability of the standard."""
    found = case.found or {}
    if not found.get("category"):
        raise Refusal("standard-not-met")
    return Finding(found["category"], found["grade"], tuple((part[0], part[1]) for part in found["components"]))


def refuse_barred_finding(case: Case, bars: Mapping[int, date]) -> None:
    """A category that is barred now (`barred`) is found by no assessment (art. 24)."""
    finding_of(case)
    if until := bars.get(case.pk):
        raise Refusal("category-barred", until=until.isoformat())


def barred(cases: Sequence[Case], asked: Asked) -> dict[int, date]:
    """Of those cases in which an assessment found a category that is barred now: up to and including which day, by id.
    In whose category a person is certified already, that one bars nothing.
    """
    met = [case for case in cases if case.found and case.found.get("category")]
    now = registry.in_force(case.holder_id for case in met if case.holder_id)
    new: dict[int, tuple[bytes, set[int]]] = {}
    for case in met:
        had = next(iter(now.get(case.holder_id or 0, ())), None)
        if found := _categories(finding_of(case)) - (_categories(certified(had)) if had else set()):
            new[case.pk] = bytes(case.person_index), found
    before = registry.had_many(person for person, _ in new.values()) if new else {}
    bars = {pk: registry.bar(before.get(person, ()), found, day(asked.at)) for pk, (person, found) in new.items()}
    return {pk: until for pk, until in bars.items() if until}


def _categories(finding: Finding) -> set[int]:
    return {finding.category, *(category for category, _grade in finding.components)}


def certified(certificate: Certificate) -> Finding:
    """What a certificate says, as an assessment would find it."""
    return Finding(certificate.category, certificate.grade,
                   tuple((category, grade) for category, grade in certificate.components))
