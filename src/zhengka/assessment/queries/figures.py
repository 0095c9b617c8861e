"""How institutions and doctors assess, against what their area does (评定质量): for those who answer for both."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, F, Q

from zhengka.accounts.models import Officer
from zhengka.assessment import funnel
from zhengka.assessment.funnel import SEVERE, Limits
from zhengka.assessment.models import Appointment, Assessment, Institution
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats.verdict import CHINA

BY: Final = {"institution": "institution_id", "assessor": "first_person"}
"""By what figures are told: the institution, or the doctor who signed first."""
NOT_MET: Final = 0
"""Stands for the grade of those to whom none was certified."""


@dataclass(frozen=True)
class Period:
    """Assessments signed from a day up to and including another, of one category or (None) of all."""

    since: date
    until: date
    category: int | None = None


@dataclass(frozen=True)
class Unit:
    """One institution or doctor. `grades`: 0 (none certified) and 1 to 4 → how many; `expected`: how many of each an
    average of the area had found among the same categories. `verdict`: "within", or outside the limits of "95"
    or "99.8". `differed`: how many of its first signatures a second doctor did not share.
    """

    key: str
    label: str
    grades: Mapping[int, int]
    expected: Mapping[int, float]
    differed: int
    limits: Mapping[str, Limits]
    verdict: str

    @property
    def number(self) -> int:
        """How many were assessed, those without a grade too."""
        return sum(self.grades.values())

    @property
    def severe(self) -> int:
        """How many of them in grade 1 or 2."""
        return sum(self.grades.get(grade, 0) for grade in SEVERE)

    @property
    def share(self) -> float:
        """The share of grades 1 and 2."""
        return self.severe / self.number if self.number else 0.0


@dataclass(frozen=True)
class Figures:
    """The area's share of grades 1 and 2, the units from the largest on, and the limits' curves."""

    number: int
    share: float
    grades: Mapping[int, int]
    units: tuple[Unit, ...]
    curves: Mapping[str, list[tuple[int, Limits]]]


def broken(period: Period, *, actor: Actor) -> tuple[int, int]:
    """Of the appointments on the days of a time: how many persons did not come, and how many the office called off. A
    place that was given back is neither. `Refusal("not-permitted")`.
    """
    if not actor.may("assessment.figures"):
        raise Refusal("not-permitted", permission="assessment.figures")
    rows = Appointment.objects.filter(area__code__range=(actor.lo, actor.hi),
                                      session__day__range=(period.since, period.until))
    if period.category:
        rows = rows.filter(category=period.category)
    found = rows.aggregate(missed=Count("pk", filter=Q(state="missed")),
                           called_off=Count("pk", filter=Q(state="called_off")))
    return found["missed"], found["called_off"]


def figures(by: str, period: Period, *, actor: Actor) -> Figures:
    """Figures of the actor's area by "institution" or "assessor". An assessment that a second doctor did not share
    counts in `differed` alone: the case was assessed anew. `Refusal("not-permitted")`.
    """
    if not actor.may("assessment.figures"):
        raise Refusal("not-permitted", permission="assessment.figures")
    counts, differed = _counts(by, period, actor)
    area: dict[int, Counter[int]] = defaultdict(Counter)
    for by_category in counts.values():
        for category, grades in by_category.items():
            area[category].update(grades)
    whole = sum(area.values(), Counter[int]())
    number = whole.total()
    share = sum(whole[grade] for grade in SEVERE) / number if number else 0.0
    labels, shares = _labels(by, counts), funnel.shares_of(area)
    units = [_unit(key, labels.get(key, key), found, shares, share, differed[key]) for key, found in counts.items()]
    units.sort(key=lambda unit: (-unit.number, unit.label))
    return Figures(number, share, whole, tuple(units),
                   funnel.curves(share, max((unit.number for unit in units), default=1)))


def _counts(by: str, period: Period,
            actor: Actor) -> tuple[dict[str, dict[int, Counter[int]]], Counter[str]]:
    """Key of a unit → category → grade → number; and key → signatures that were not shared."""
    first = datetime.combine(period.since, datetime.min.time(), CHINA)
    last = datetime.combine(period.until + timedelta(1), datetime.min.time(), CHINA)
    rows = Assessment.objects.filter(area__code__range=(actor.lo, actor.hi), signed_at__gte=first, signed_at__lt=last)
    if period.category:
        rows = rows.filter(category=period.category)
    found = rows.values_list(F(BY[by]), "category", "grade").annotate(
        kept=Count("pk", filter=~Q(state="differed")), lost=Count("pk", filter=Q(state="differed"))).order_by()
    counts: dict[str, dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    differed: Counter[str] = Counter()
    for key, category, grade, kept, lost in found:
        counts[str(key)][category][grade or NOT_MET] += kept
        differed[str(key)] += lost
    return counts, differed


def _unit(key: str, label: str, found: Mapping[int, Counter[int]],
          shares: Mapping[int, Mapping[int, float]], share: float, differed: int) -> Unit:
    grades = sum(found.values(), Counter[int]())
    number = grades.total()
    expected = funnel.expected({category: by_grade.total() for category, by_grade in found.items()}, shares)
    bands = {name: funnel.limits(share, number, tail) for name, tail in funnel.LEVELS.items()}
    severe = sum(grades[grade] for grade in SEVERE)
    return Unit(key, label, grades, expected, differed, bands,
                funnel.verdict(severe, number, share) if number else "within")


def _labels(by: str, counts: Mapping[str, object]) -> dict[str, str]:
    if by == "institution":
        return {str(one.pk): one.name for one in Institution.objects.filter(pk__in=[int(key) for key in counts])}
    return dict(Officer.objects.filter(person__in=list(counts)).values_list("person", "name"))
