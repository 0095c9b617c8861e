"""What may be read about cases: what waits for whom, how many, and what may be done with one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from zhengka.areas.models import Area
from zhengka.cases.models import Case
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step
from zhengka.registry.models import Certificate


@dataclass(frozen=True)
class Choice:
    """A step out of a case's state, as seen by one officer: open, or closed for the reason `code`."""

    step: Step
    code: str = ""

    @property
    def is_open(self) -> bool:
        """True where the officer may take the step now."""
        return not self.code


def get(case_id: int, *, actor: Actor) -> Case:
    """A case of the actor's area with holder, certificate, card and office; `Refusal("not-found")`."""
    for case in _whole().filter(pk=case_id, area__code__range=(actor.lo, actor.hi)):
        return case
    raise Refusal("not-found")


def choices(case: Case, *, actor: Actor) -> list[Choice]:
    """Every step out of the case's state, with the reason where it is closed to this officer."""
    return [Choice(step, _closed(case, step, actor)) for step in case.workflow.steps if step.source == case.state]


def worklist(actor: Actor, state: str, *, after: tuple[int, int] = (0, 0), limit: int = 50) -> list[Case]:
    """Cases of one state in the actor's area, by office and id, from the place `after` (office, id) on.

    The next page begins at `(last.area_id, last.pk)`; no page costs more than another.
    """
    return list(_whole().filter(state=state, area__code__range=(actor.lo, actor.hi)).filter(
        Q(area__code__gt=after[0]) | Q(area__code=after[0], pk__gt=after[1])).order_by("area", "pk")[:limit])


def of_holder(holder_id: int) -> QuerySet[Case]:
    """All cases of a holder, the newest first."""
    return Case.objects.filter(holder_id=holder_id).order_by("-opened_at", "-pk")


def counts(actor: Actor) -> dict[str, int]:
    """How many cases of the actor's area are in each state."""
    found = Case.objects.filter(area__code__range=(actor.lo, actor.hi)).values_list("state")
    return dict(found.annotate(n=Count("pk")).order_by("state"))


def counts_by_area(actor: Actor) -> dict[int, dict[str, int]]:
    """The same for each issuing office of the area: 12-digit code → state → number."""
    found = Case.objects.filter(area__code__range=(actor.lo, actor.hi)).values_list("area", "state")
    result: dict[int, dict[str, int]] = {}
    for area, state, number in found.annotate(n=Count("pk")).order_by("area", "state"):
        result.setdefault(area, {})[state] = number
    return result


def candidates(areas: Iterable[Area], *, actor: Actor) -> int:
    """For how many holders of the areas `services.open_exchange` would open a case now."""
    within = reduce(or_, (Q(area__code__range=(area.code, area.last)) for area in areas), Q(pk__in=[]))
    running = Case.objects.filter(holder=OuterRef("holder"), kind_of_case="exchange").exclude(state="closed")
    new = Certificate.objects.filter(holder=OuterRef("holder"), generation=3, state="valid")
    return Certificate.objects.filter(
        within, generation=2, state="valid", holder__state="registered", area__code__range=(actor.lo, actor.hi),
    ).filter(~Exists(running), ~Exists(new)).count()


def _whole() -> QuerySet[Case]:
    return Case.objects.select_related("holder", "certificate", "card", "area")


def _closed(case: Case, step: Step, actor: Actor) -> str:
    if not actor.may(step.permission):
        return "not-permitted"
    try:
        for guard in step.guards:
            guard(case, {"by": actor})
    except Refusal as refused:
        return refused.code
    return ""
