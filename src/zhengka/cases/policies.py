"""Files of case policies (`data/cases`): read, checked, and proved. Pure.

A file cannot add a way, only leave steps out, name who takes them, and set limits. What could go wrong is little, and
all of it is looked for: `prove` walks each table that the file makes, for adults and for minors.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

from zhengka.cases.rules import LEVELS, ROUTES, WIDTHS, Notice, Policy, Procedure, Rule, of_stage
from zhengka.cases.workflow import ENDS, KINDS, LINE, PAIRS, Kind
from zhengka.core.dated import FileRefused, Table, read
from zhengka.core.workflow import Step

FIELDS: Final = ("name", "place", "category", "grade")
"""All that a public notice may show (个人信息保护法 art. 6: the least that serves the purpose)."""
FULL_NOTICE: Final = 5
"""Working days of a public notice at least (办法 art. 9(3))."""
WAIVABLE: Final = frozenset({"notice"})
"""Stages that a region may waive, though a kind needs them, if it names its source."""

MOST_BEFORE: Final = 365
"""So many days before its day at most is somebody reminded of another assessment [ours]."""

_STEPS: Final = frozenset().union(*(kind.actions for kind in KINDS.values()))
_STAGES: Final = {leg.stage for leg in LINE}
_ASSESSORS: Final = frozenset({"institution", "county-panel", "expert-committee"})
_DECIDERS: Final = frozenset({"hukou-county", "issuing-county", "city", "province"})
_ONLY: Final = {"assess": _ASSESSORS, "countersign": _ASSESSORS, "review": _DECIDERS, "approve": _DECIDERS,
                "recheck": frozenset({"city", "province"})}
"""Steps that only some may take (办法 2017 art. 6, 7, 25; the county's panel by the rules of 2008)."""

GATES: Final = {"verify": "around-verification", "assess": "around-assessment",
                "publish": "around-notice", "end_notice": "around-notice",
                "review": "around-review", "approve": "around-approval"}
"""Steps that no walk to approval may miss, in their order → the fault where one may."""


def load(folder: Path) -> tuple[Policy, ...]:
    """Every policy of a folder, proved. Raises `FileRefused`."""
    policies = [policy_of(read(path)) for path in sorted(folder.glob("*.toml"))]
    for one, other in combinations(policies, 2):
        same = (one.lo, one.hi, one.route) == (other.lo, other.hi, other.route)
        if same and one.procedures.keys() & other.procedures.keys() and (
                one.holds(other.valid_from) or other.holds(one.valid_from)):
            raise FileRefused("dates-overlap", other.code, one.code)
        if one.code == other.code:  # a case keeps the code of the policy under which it began
            raise FileRefused("code-twice", other.code)
    return tuple(policies)


def policy_of(table: Table) -> Policy:
    """The policy that a file holds, proved. Raises `FileRefused`."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("valid_from", date)
    until = table.take("valid_to", date) if table.has("valid_to") else None
    if until is not None and until < since:
        raise FileRefused("dates-reversed", table.place, f"{since} – {until}")
    route = table.take("route", str, "local")
    if route not in ROUTES:
        raise FileRefused("value-unknown", table.place, f"route: {route}")
    source = _told(table.take("source", str), table.place, "source")
    source_en = _told(table.take("source_en", str, source), table.place, "source_en")
    every = Procedure(KINDS["new"], "", _rules(table.table("steps")), _off(table.table("off")), {}, {},
                      _notice(table.table("notice")) if table.has("notice") else None)
    procedures: dict[str, Procedure] = {}
    for part in table.tables("procedure"):
        for procedure in _procedures(part, every):
            if procedure.kind.name in procedures:
                raise FileRefused("kind-twice", part.place, procedure.kind.name)
            prove(procedure, f"{part.place}: {procedure.kind.name}")
            procedures[procedure.kind.name] = procedure
    before = _before(table.table("again")) if table.has("again") else None
    table.end()
    return Policy(code, lo, hi, since, until, route, source, procedures, source_en, before)


def _before(table: Table) -> int:
    """So many days before another assessment is due is the person reminded of it (重新评定提醒)."""
    days = table.take("reminds_days_before", int)
    _told(table.take("clause", str), table.place, "clause")
    table.end()
    if not 0 <= days <= MOST_BEFORE:
        raise FileRefused("value-out-of-range", table.place, f"reminds_days_before = {days}")
    return days


def _procedures(part: Table, every: Procedure) -> Iterator[Procedure]:
    """What a part of the file says of its kinds, over what the file says of `every` kind."""
    kinds = [KINDS[name] for name in part.words("kinds", KINDS, "kind-unknown")]
    if not kinds:
        raise FileRefused("kind-unknown", part.place)
    clause, times = _told(part.take("clause", str), part.place, "clause"), part.table("times").rest(int)
    rules, off, waived = _rules(part.table("steps")), _off(part.table("off")), _waived(part.table("waived"))
    part.end()
    for kind in kinds:
        for action in (*rules, *off):
            if action not in kind.actions:
                raise FileRefused("step-unknown", part.place, f"{kind.name}: {action}")
        _check_times(kind, times, part.place)
        yield replace(every, kind=kind, clause=clause, rules={**every.rules, **rules}, waived=waived, times=times,
                      off={action: why for action, why in {**every.off, **off}.items() if action in kind.actions})


def _rules(table: Table) -> dict[str, Rule]:
    """Who takes each step that the table names, and by when."""
    found = {}
    for name, data in table.rest(dict).items():
        part = Table(data, f"{table.place}: {name}")
        if name not in _STEPS:
            raise FileRefused("step-unknown", part.place)
        by = part.words("by", LEVELS, "level-unknown")
        if not by:
            raise FileRefused("office-missing", part.place)
        if wrong := set(by) - _ONLY.get(name, frozenset(LEVELS)):
            raise FileRefused("level-wrong", part.place, ", ".join(sorted(wrong)))
        within = part.take("within", int) if part.has("within") else None
        if within is not None and within < 1:
            raise FileRefused("limit-not-positive", part.place, f"within = {within}")
        firsts = part.words("another_than", {first for first, then in PAIRS if then == name}, "pair-unknown")
        since = part.take("since", str, "")
        if since and (since not in _STEPS or within is None):
            raise FileRefused("step-unknown", part.place, f"since = {since}")
        found[name] = Rule(by, within, part.take("clause", str, ""), firsts, since)
        part.end()
    return found


def _off(table: Table) -> dict[str, str]:
    """The steps that a table leaves out, each with the reason; the name of a stage stands for all its steps."""
    found: dict[str, str] = {}
    for name, why in table.rest(str).items():
        if name not in _STEPS | _STAGES:
            raise FileRefused("step-unknown", table.place, name)
        _told(why, table.place, name)
        found |= dict.fromkeys(sorted(of_stage(name)) if name in _STAGES else (name,), why)
    return found


def _waived(table: Table) -> dict[str, str]:
    """The stages that a table waives, each with its source."""
    found = table.rest(str)
    for name, source in found.items():
        if name not in WAIVABLE:
            raise FileRefused("step-unknown", table.place, name)
        _told(source, table.place, name)
    return found


def _notice(table: Table) -> Notice:
    """The public notice, neither too short nor too open."""
    days, clause = table.take("working_days", int), table.take("clause", str)
    fields = tuple(table.take("fields", list))
    table.end()
    if days < FULL_NOTICE:
        raise FileRefused("notice-short", table.place, f"working_days = {days}")
    if not fields or not set(fields) <= set(FIELDS):
        raise FileRefused("notice-too-open", table.place, ", ".join(map(str, fields)))
    return Notice(days, fields, clause)


def _check_times(kind: Kind, times: Mapping[str, int], place: str) -> None:
    """The times of a kind are there, no others, and in their order."""
    for name in sorted(times.keys() ^ kind.times):
        raise FileRefused("time-missing" if name in kind.times else "time-unknown", place, f"{kind.name}: {name}")
    for name, value in times.items():
        if not 1 <= value <= 100:
            raise FileRefused("value-out-of-range", place, f"{name} = {value}")
    if times.get("freeze_months", 0) >= times.get("cancel_months", 1):
        raise FileRefused("value-out-of-range", place, "freeze_months, cancel_months")


def _told(text: str, place: str, what: str) -> str:
    if not text.strip():
        raise FileRefused("source-missing", place, what)
    return text


def prove(procedure: Procedure, place: str) -> None:
    """Refuse a procedure that would let happen what never may (I6, I7); `place` tells where it stands."""
    off = procedure.without()
    for leg in procedure.kind.legs:
        if leg.step.action not in off and leg.step.action not in procedure.rules:
            raise FileRefused("office-missing", place, leg.step.action)
    if "order" in off:  # the certificate says something else, or for longer: the old card does not prove it (证卡同办)
        raise FileRefused("card-missing", place, "order")
    if "order" in procedure.kind.actions and not _orders(procedure, off):
        raise FileRefused("level-wrong", place, "order")
    if procedure.notice is None and "publish" in procedure.kind.actions - off:
        raise FileRefused("field-missing", place, "notice")
    for minor in (False, True):
        steps = [step for step, _ in procedure.rows(minor=minor)]
        for missed in ways_around(steps, procedure.start, procedure.end(minor=minor), gates(procedure, minor=minor)):
            raise FileRefused(GATES[missed], place, missed)
        _walkable(steps, procedure.start, procedure.end(minor=minor), place)
        for pair, guard in PAIRS.items():
            actions = {step.action for step in steps}
            if actions.issuperset(pair) and any(
                    step.action == pair[1] and guard not in step.guards for step in steps):
                raise FileRefused("same-person", place, " + ".join(pair))


def _orders(procedure: Procedure, off: Collection[str]) -> bool:
    """True where each office that may take the last decision may order the card, too: both are one act (证卡同办)."""
    def reach(level: str) -> int:
        return 0 if level == "platform" else WIDTHS.get(level, 1)
    last = procedure.rules.get("approve" if "recheck" in off else "recheck")
    if last is None:  # a file without approval is refused for the way around it
        return True
    return all(any(0 < reach(orders) <= reach(decides) for orders in procedure.rules["order"].by)
               for decides in last.by)


def gates(procedure: Procedure, *, minor: bool = False) -> list[str]:
    """The steps that every walk to approval must pass, in their order.

    Review and approval always; the whole of another stage where the kind needs it, or where any step of it is taken;
    the notice never where it is waived or the person is a minor.
    """
    kind, off = procedure.kind, procedure.without(minor=minor)
    held = {"decision"}
    for leg in kind.legs:
        if leg.stage in kind.needs or leg.step.action not in off:
            held.add(leg.stage)
    held -= {*procedure.waived, "notice"} if minor else set(procedure.waived)
    return [leg.step.action for leg in kind.legs if leg.stage in held and leg.step.action in GATES]


def ways_around(steps: Iterable[Step], start: str, end: str, through: list[str]) -> Iterator[str]:
    """Each gate that some walk from `start` misses on its way to approval and to the `end` of the line.

    It is enough to look from the start for the first gate, and from each gate for the next: then after the last passing
    of one there is always a passing of the next, however often a walk goes back.
    """
    edges = list(steps)
    goal = {step.target for step in edges if step.action == "approve"} | {end}
    for before, gate in pairwise(["", *through]):
        first = {step.target for step in edges if step.action == before} if before else {start}
        without = [step for step in edges if step.action != gate]
        if len(without) == len(edges) or _reachable(without, first) & goal:
            yield gate


def _walkable(steps: list[Step], start: str, end: str, place: str) -> None:
    """Refuse states out of which or into which nothing leads."""
    sources, targets = {step.source for step in steps}, {step.target for step in steps}
    for state in sorted(targets - sources - ENDS - {end}):
        raise FileRefused("dead-end", place, state)
    for state in sorted((sources | targets) - _reachable(steps, {start})):
        raise FileRefused("unreachable", place, state)


def _reachable(steps: Iterable[Step], first: set[str]) -> set[str]:
    edges, found = list(steps), set(first)
    while more := {step.target for step in edges if step.source in found} - found:
        found |= more
    return found
