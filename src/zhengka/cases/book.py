"""The case policies and calendars of this installation (`data/cases`, `data/calendars`), read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from django.conf import settings

from zhengka.areas import calendars
from zhengka.areas.calendars import Calendar, Layer
from zhengka.cases import policies, rules
from zhengka.cases.rules import WIDTHS, OfficeOf, Policy, Procedure, Rule
from zhengka.cases.workflow import KINDS
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


@cache
def shipped() -> tuple[Policy, ...]:
    """Every case policy, proved. Raises `FileRefused`."""
    return policies.load(settings.DATA / "cases")


def procedure_for(kind: str, area: int, on: date, route: str = "local") -> tuple[str, Procedure]:
    """How a kind of case goes in an area (12-digit code) from a day on, with the code of the policy that says so.

    `Refusal("kind-not-offered")` where no policy lays it down.
    """
    found = rules.policy_of(shipped(), kind, area, on, route)
    if found is None:
        raise Refusal("kind-not-offered", kind=kind)
    return found.code, found.procedures[kind]


def policy(code: str) -> Policy:
    """The policy of this code."""
    return next(policy for policy in shipped() if policy.code == code)


def pinned(code: str, kind: str) -> Procedure:
    """The procedure under which a case began: a policy that comes later does not touch it."""
    return policy(code).procedures[kind]


@cache
def table(code: str, kind: str, *, minor: bool) -> Workflow:
    """The steps of a case of a kind under a policy, for an adult or a minor."""
    return pinned(code, kind).workflow(minor=minor)


@cache
def limits(code: str, kind: str, *, minor: bool) -> Mapping[str, Rule]:
    """State → the rule of the step that leads on, where it has a limit: asked once for each case of a bulk act."""
    return pinned(code, kind).limits(minor=minor)


@cache
def spans() -> Mapping[tuple[str, str, bool, str], str]:
    """Policy, kind, minor or not, and a state within a span of days that steps share → the state in which it begins."""
    found = {}
    for policy, minor in product(shipped(), (False, True)):
        for kind in policy.procedures:
            starts = {step.action: step.source for step in table(policy.code, kind, minor=minor).steps}
            for state, rule in limits(policy.code, kind, minor=minor).items():
                if (first := starts.get(rule.since, state)) != state:
                    found[policy.code, kind, minor, state] = first
    return found


class Line(NamedTuple):
    """Where cases wait that go alike: policy, kind, for a minor or not, received by another office or not, state."""

    policy: str
    kind: str
    minor: bool
    fronted: bool
    state: str

    def __str__(self) -> str:
        """As `queries.LINE_OF` writes it of a row."""
        return f"{self.policy} {self.kind} {self.minor:d} {self.fronted:d} {self.state}"


@dataclass(frozen=True)
class Waiting:
    """The lines on which cases wait for an office: `own`, of which an office of its area decides; and `received`, which
    it received for another one.
    """

    own: frozenset[Line]
    received: frozenset[Line]

    def __or__(self, other: "Waiting") -> "Waiting":
        """Those of either."""
        return Waiting(self.own | other.own, self.received | other.received)


@cache
def waiting(action: str, lo: int, hi: int) -> Waiting:
    """Where cases wait for a step (empty: any) that an office whose area goes from `lo` to `hi` takes itself: by the
    policies that hold there, and by the level that they give it to.

    A case stands for all of its line, one of an issuing unit `below` the office or of the unit itself: the office
    answers for each of them or for none. The street of a `local` case lies in the area of whoever sees the case as
    their own; the front office of any other is in another province.
    """
    office = Actor(0, "", "", frozenset(), lo, hi)
    below = lo + sum(width for width in (UNIT, WIDTHS["city"], WIDTHS["province"]) if width < hi - lo)
    away, unit = lo + WIDTHS["province"], lo // UNIT * UNIT
    elsewhere = away if office.sees(unit) else unit
    own: set[Line] = set()
    received: set[Line] = set()
    for policy, kind, minor in product(shipped(), KINDS, (False, True)):
        abroad = policy.route == "cross-province"
        if kind in policy.procedures and (abroad or (policy.lo <= hi and lo <= policy.hi)):
            places = ((own, below, None), (own, below, away if abroad else below + 1), (received, elsewhere, lo))
            steps = [step for step in table(policy.code, kind, minor=minor).steps if action in ("", step.action)]
            for step, (found, area, front) in product(steps, places):
                if _answers(office, step, SimpleNamespace(area_id=area, front_id=front)):
                    found.add(Line(policy.code, kind, minor, front is not None, step.source))
    return Waiting(frozenset(own), frozenset(received))


UNIT: Final = 10**6
"""How many codes an issuing unit's area spans."""


def _answers(office: Actor, step: Step, case: Any) -> bool:
    """True where an office takes a step of a case: its guard says so."""
    try:
        for guard in step.guards:
            if isinstance(guard, OfficeOf):
                guard(case, {"by": office})
    except Refusal:
        return False
    return True


@cache
def concludes(code: str, kind: str, *, minor: bool) -> bool:
    """True where the county's approval is the last decision, and does what was decided."""
    return all(step.action != "recheck" for step in table(code, kind, minor=minor).steps)


def reminded_before(area: int, on: date) -> int:
    """So many days before is somebody of an area (12-digit code) reminded of another assessment, on a day."""
    return rules.reminds_before(shipped(), area, on)


def longest_reminder() -> int:
    """The most of these days that any policy names."""
    return max((policy.reminds_before or 0 for policy in shipped()), default=0)


@cache
def calendar(area: int) -> Calendar:
    """The working days of an area (12-digit code)."""
    return calendars.calendar_of(_layers(), area)


@cache
def _layers() -> tuple[Layer, ...]:
    return calendars.load(settings.DATA / "calendars")
