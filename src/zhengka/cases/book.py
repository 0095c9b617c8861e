"""The case policies and calendars of this installation (`data/cases`, `data/calendars`), read once."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import product

from django.conf import settings

from zhengka.areas import calendars
from zhengka.areas.calendars import Calendar, Layer
from zhengka.cases import policies, rules
from zhengka.cases.rules import AT_THE_FRONT, OfficeOf, Policy, Procedure, Rule
from zhengka.core.actors import WHOLE_NATION
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


@cache
def sources(action: str, lo: int = WHOLE_NATION[0], hi: int = WHOLE_NATION[1]) -> frozenset[str]:
    """Every state from which a policy that holds anywhere from `lo` to `hi` lets this step be taken."""
    return frozenset(step.source for step in _steps(lo, hi) if step.action == action)


@cache
def fronted(action: str, lo: int, hi: int) -> frozenset[str]:
    """Those from which it lets a front office take this step, or (empty) any step."""
    return frozenset(step.source for step in _steps(lo, hi) if action in ("", step.action) and any(
        isinstance(guard, OfficeOf) and AT_THE_FRONT.intersection(guard.levels) for guard in step.guards))


def _steps(lo: int, hi: int) -> Iterator[Step]:
    for policy in shipped():
        if policy.lo <= hi and lo <= policy.hi:
            for kind, minor in product(policy.procedures, (False, True)):
                yield from table(policy.code, kind, minor=minor).steps


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
