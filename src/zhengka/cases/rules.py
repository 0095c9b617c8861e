"""Policies of cases (办理规则): who decides what, and by when, by area and day. Pure: files come in, tables go out.

A policy names for each kind of case who takes each step, within how many working days, by which clause, and which steps
it leaves out and why. `cases.policies` reads them from files and proves what they let happen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, NamedTuple

from zhengka.areas.calendars import Calendar, Due, add_months
from zhengka.cases.workflow import ENDS, LINE, PAIRS, Kind, rows
from zhengka.core.actors import Actor
from zhengka.core.dated import choose
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow

LEVELS: Final = {
    "street": "街道（乡镇）残联", "residence-county": "居住地县级残联", "hukou-county": "户籍地县级残联",
    "issuing-county": "原批准县级残联", "city": "市级残联", "province": "省级残联",
    "institution": "残疾评定机构", "county-panel": "县级评残小组", "expert-committee": "省残疾评定专家委员会",
    "platform": "平台"}
"""Who may take a step → the Chinese term."""

WIDTHS: Final = {"city": 10**8, "province": 10**10, "expert-committee": 10**10}
"""Level → how many codes its area spans; the others answer for the issuing unit itself."""

ROUTES: Final = {"local": "属地办理", "cross-province": "跨省通办"}
"""How a case comes in: at the place of the household register, or where the holder lives."""

AT_THE_FRONT: Final = frozenset({"street", "residence-county"})
"""Levels that stand for the front office (受理机构) of a case: the one that received it, where another one decides."""


RANKS: Final = {"street": 0, "residence-county": 1, "hukou-county": 1, "issuing-county": 1, "city": 2, "province": 3}
"""Level → how high it stands; the others are no federation's office."""


@dataclass(frozen=True)
class OfficeOf:
    """The step is taken by an office of one of these `levels`: who answers for less may not (属地、分级).

    An office above stands in for it where the procedure gives no level `above` a step of its own. Where it does, who
    answers for that level takes those and passes over none below: what two levels look at, two offices look at.
    """

    levels: tuple[str, ...]
    above: frozenset[str] = field(default=frozenset(), compare=False)

    def __call__(self, case: Any, facts: Mapping[str, Any]) -> None:
        """The guard: `Refusal("office-wrong")`, or `office-above` for whose office has a step of its own later."""
        answered = [level for level in self.levels if answers_for(facts["by"], level, case)]
        if not answered:
            raise Refusal("office-wrong", levels=list(self.levels))
        if all(self._passed_over(facts["by"], level, case) for level in answered):
            raise Refusal("office-above", levels=list(self.levels))

    def _passed_over(self, by: Actor, level: str, case: Any) -> bool:
        """True where an actor who takes a step of this level would do it for an office below their own."""
        return by.id is not None and any(
            RANKS.get(level, 9) < RANKS[high] and answers_for(by, high, case)
            and office_of(high, case) != office_of(level, case) for high in self.above)


def answers_for(by: Actor, level: str, case: Any) -> bool:
    """True where an actor answers for the office of this level that has to do with a case.

    A doctor's office is an institution: what lets them sign is their licence, not an area.
    """
    if level == "platform":
        return by.id is None
    if level == "institution":
        return by.sees(case.area_id, case.front_id)
    office = office_of(level, case)
    return by.sees(office) and by.sees(office + WIDTHS.get(level, 1) - 1)


def office_of(level: str, case: Any) -> int:
    """The 12-digit code of the office of this level: the front office for its levels, where a case has one; else the
    issuing unit of the case, or the city or province that it belongs to.
    """
    if level in AT_THE_FRONT and case.front_id:
        return int(case.front_id)
    return int(case.area_id) // WIDTHS.get(level, 1) * WIDTHS.get(level, 1)


def route_of(area: int, front: int | None) -> str:
    """How a case of an issuing unit comes in that a front office received (12-digit codes; None: the unit itself)."""
    province = WIDTHS["province"]
    return "cross-province" if front is not None and front // province != area // province else "local"


def reach_of(leaves: int, to: int) -> str:
    """How far a move between two issuing units (12-digit codes) goes: within the `city`, `province` or `nation`."""
    return next((reach for reach in ("city", "province") if leaves // WIDTHS[reach] == to // WIDTHS[reach]), "nation")


class Rule(NamedTuple):
    """Who takes a step, within how many working days after the one before, by which clause, and not by whom. `since`:
    the step with which a span begins whose days this one shares with others; empty: the limit is its own.
    """

    by: tuple[str, ...]
    within: int | None = None
    clause: str = ""
    another_than: tuple[str, ...] = ()
    since: str = ""

    def due(self, since: date, calendar: Calendar) -> Due | None:
        """The last day for the step where the case waits for it since a day; None where no limit is set."""
        return calendar.add_working_days(since, self.within) if self.within else None


BY_ITSELF: Final = Rule(("platform",))
"""Who takes a step of the calendar, where a policy does not name anybody."""


class Notice(NamedTuple):
    """The public notice (公示): its full length, what it shows, and the clause."""

    working_days: int
    fields: tuple[str, ...]
    clause: str

    def last_day(self, published: date, calendar: Calendar) -> Due:
        """The last day of a notice that was put up on a day, which itself does not count."""
        return calendar.add_working_days(published, self.working_days)


@dataclass(frozen=True)
class Procedure:
    """How one kind of case goes under one policy (办理流程): a rule for each step of the line, and the steps left out.

    `off` says why a step is left out, `waived` by which source a stage is that the kind needs; `times` see `Kind`.
    """

    kind: Kind
    clause: str
    rules: Mapping[str, Rule]
    off: Mapping[str, str]
    waived: Mapping[str, str]
    times: Mapping[str, int]
    notice: Notice | None

    @property
    def start(self) -> str:
        """The state in which a case begins."""
        return self.kind.legs[0].step.source

    def end(self, *, minor: bool = False) -> str:
        """The state at the end of the line, in which all is decided and done."""
        return rows(self.kind, self.without(minor=minor))[1]

    def without(self, *, minor: bool = False) -> frozenset[str]:
        """The steps that are left out; a minor is never publicised (办法 art. 9(3))."""
        stages = {*self.waived, "notice"} if minor else set(self.waived)
        return frozenset(self.off).union(*(of_stage(stage) for stage in stages))

    def rows(self, *, minor: bool = False) -> list[tuple[Step, Rule]]:
        """The table, with the rule of each step. A way aside that has no rule of its own is for those of its leg, or
        the platform's where the calendar alone leads there.
        """
        found = []
        for step, lead in rows(self.kind, self.without(minor=minor))[0]:
            own = BY_ITSELF if step.permission == "case.clock" else self.rules[lead]._replace(
                within=None, clause="", since="")
            rule = self.rules.get(step.action, own)
            guards = tuple(PAIRS[pair] for first in rule.another_than if (pair := (first, step.action)) in PAIRS)
            above = frozenset() if step.action in AFTERWARDS else self.offices
            found.append((replace(step, guards=(OfficeOf(rule.by, above), *step.guards, *guards)), rule))
        return found

    @property
    def offices(self) -> frozenset[str]:
        """The levels of the federation's offices that take a step of the line, be it for an adult or a minor."""
        return frozenset(level for leg in self.kind.legs if leg.step.action not in {*self.without(), *AFTERWARDS}
                         for level in self.rules[leg.step.action].by if level in RANKS)

    @property
    def has_front(self) -> bool:
        """True where a front office takes any step."""
        return any(AT_THE_FRONT.intersection(self.rules[leg.step.action].by) for leg in self.kind.legs
                   if leg.step.action not in self.without())

    def limits(self, *, minor: bool = False) -> dict[str, Rule]:
        """State → the rule of the step that leads on from it, where that step has a limit of working days."""
        return {step.source: rule for step, rule in self.rows(minor=minor) if rule.within}

    def promised(self, state: str, *, minor: bool = False) -> int | None:
        """So many working days after it came into a state is a case decided at the latest: the limits of the steps that
        are on, a span's once, and the days of a notice in no span. None where the policy sets no limit for one of them.
        """
        line, total = {step.source: (step.action, rule) for step, rule in reversed(self.rows(minor=minor))
                       if step.action in ON_THE_LINE and step.source != "frozen"}, 0
        spans = set[str]()
        while state in line and line[state][0] not in AFTERWARDS:
            action, rule = line[state]
            standing = action == "end_notice" and self.notice and not rule.since
            days = self.notice.working_days if standing and self.notice else rule.within
            if not days:
                return None
            days = 0 if rule.since in spans else days
            spans |= {rule.since} if rule.since else set()
            total, state = total + days, self.workflow(minor=minor).step(state, action).target
        return total or None

    def workflow(self, *, minor: bool = False) -> Workflow:
        """The table as a `Workflow`: what may happen to a case of this kind."""
        steps = tuple(step for step, _ in self.rows(minor=minor))
        ends = ENDS & {step.target for step in steps} | {self.end(minor=minor)}
        return Workflow("case", self.start, steps, frozenset(ends))

    def opens(self, issued: date) -> date:
        """The first day on which a certificate issued on a day may be renewed (换领): its so many-th anniversary."""
        return add_months(issued, 12 * self.times["opens_years"])

    def barred_until(self, cancelled: date) -> date:
        """The last day on which a category cancelled on a day may not be applied for again (办法 art. 24)."""
        return add_months(cancelled, 12 * self.times["bar_years"])

    def clock(self, moved: date, calendar: Calendar) -> tuple[Due, Due]:
        """The last days before a certificate that did not follow a move is frozen, and is cancelled (办法 art. 23)."""
        return (calendar.last_day(moved, months=self.times["freeze_months"]),
                calendar.last_day(moved, months=self.times["cancel_months"]))

    def closes(self, decided: date, calendar: Calendar) -> Due:
        """The last day on which a decision may be disputed (办法 art. 25)."""
        return calendar.add_working_days(decided, self.times["closes_working_days"])


class Policy(NamedTuple):
    """A case policy of the areas from `lo` to `hi`, in force from `valid_from` up to and including `valid_to`.

    `source`: what lays it down, as it is called in Chinese; `source_en`: in English, or the same where no file says it.
    `reminds_before`: so many days before it is due is somebody reminded of another assessment; None: it says nothing.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    valid_to: date | None
    route: str
    source: str
    procedures: Mapping[str, Procedure]
    source_en: str = ""
    reminds_before: int | None = None

    def holds(self, on: date) -> bool:
        """True where the policy is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


def policy_of(policies: Iterable[Policy], kind: str, area: int, on: date, route: str = "local") -> Policy | None:
    """The policy by which a kind of case goes in an area (12-digit code) on a day; None where nothing is laid down.

    The narrowest area that says anything of the kind wins.
    """
    return choose((policy for policy in policies
                   if policy.route == route and kind in policy.procedures and policy.holds(on)), area, on)


def reminds_before(policies: Iterable[Policy], area: int, on: date) -> int:
    """So many days before is somebody of an area reminded of another assessment: as the narrowest area says it that
    says anything of it; 0 where none does: on the day itself.
    """
    found = choose((policy for policy in policies if policy.reminds_before is not None and policy.holds(on)), area, on)
    return found.reminds_before or 0 if found else 0


def procedure(policies: Iterable[Policy], kind: str, area: int, on: date, route: str = "local") -> Procedure | None:
    """How a kind of case goes in an area on a day, or None where nothing is laid down."""
    found = policy_of(policies, kind, area, on, route)
    return found.procedures[kind] if found else None


ON_THE_LINE: Final = frozenset(leg.step.action for leg in LINE)
AFTERWARDS: Final = frozenset({"arrive", "order"})
"""Steps of the line behind the last decision."""


def of_stage(stage: str) -> frozenset[str]:
    """Every step of a stage of the line, by its action."""
    return frozenset(step.action for leg in LINE if leg.stage == stage for step in (leg.step, *leg.aside))
