"""Whatever a region switches, its file is refused or no walk misses what the Measures demand (I6, I7)."""

from datetime import date
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from zhengka.cases import policies
from zhengka.cases.rules import LEVELS
from zhengka.cases.workflow import KINDS, LINE, PAIRS, another_person
from zhengka.core.dated import FileRefused, Table
from zhengka.core.workflow import Step

LEADS = [leg.step.action for leg in LINE]
BY = {"assess": "institution", "countersign": "institution", "recheck": "city"}
PARTS = {"assessment": ("book", "assess", "countersign"), "notice": ("publish", "end_notice")}
OPTIONAL = ["precheck", "countersign", "recheck", "book"]
DATA = Path(__file__).parents[2] / "data"
SHIPPED = next(policy for policy in policies.load(DATA / "cases") if policy.code == "measures-2017")


@st.composite
def files(draw):
    """The file of a region with one kind: any steps or stages off, the notice waived or not, some rules spoilt."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    words = st.sampled_from(sorted(kind.actions) + sorted(kind.stages) * 3 + OPTIONAL * 3)
    off = {word for word in draw(st.lists(words, max_size=3) | st.lists(words, max_size=12))
           if word in kind.actions | kind.stages}
    steps = {action: {"by": [BY.get(action, "hukou-county")], "within": draw(st.integers(1, 30)),
                      "another_than": [first for first, then in PAIRS if then == action]} for action in LEADS}
    days = 5
    if draw(st.integers(0, 3)) == 0:
        spoilt, days = draw(st.sampled_from(LEADS + [then for _, then in PAIRS if then in LEADS] * 5)), draw(
            st.integers(4, 9))
        steps[spoilt] |= draw(st.fixed_dictionaries({}, optional={
            "by": st.lists(st.sampled_from(sorted(LEVELS)), max_size=2), "within": st.integers(-1, 3),
            "another_than": st.just([])}))
        if draw(st.booleans()):
            del steps[draw(st.sampled_from(LEADS))]
    part = {"kinds": [kind.name], "clause": "art. 9", "off": dict.fromkeys(off, "why"), "times": dict(zip(
        sorted(kind.times), (12, 6), strict=False))}
    if draw(st.integers(0, 3)) == 0:
        part["waived"] = {"notice": "《某省实施细则》"}
    return kind.name, Table({
        "code": "region", "area": "430000", "valid_from": date(2018, 1, 1), "source": "《某省实施细则》",
        "notice": {"working_days": days, "fields": ["name"], "clause": "art. 9(3)"},
        "steps": steps, "procedure": [part]}, "region.toml")


def demanded(kind, actions: set[str], waived: bool, minor: bool) -> list[str]:
    """What every approval must have behind it, told without the prover."""
    want = []
    if "assessment" in kind.needs or actions & set(PARTS["assessment"]):
        want.append("assess")
    if not waived and not minor and ("notice" in kind.needs or actions & set(PARTS["notice"])):
        want += PARTS["notice"]
    return [*want, "review", "approve"]


def passed(done: int, action: str, want: list[str]) -> int:
    """How many of the gates, one after another, lie behind a walk that had `done` of them and now takes `action`."""
    if action not in want:
        return done
    place = want.index(action)
    return place + 1 if place <= done else done


def every_walk_holds(steps: list[Step], start: str, end: str, want: list[str]) -> bool:
    """Walk all the ways there are, with all that can lie behind: no goal is entered with a gate missed."""
    goals = {step.target for step in steps if step.action == "approve"} | {end}
    open_, seen = [(start, 0)], {(start, 0)}
    while open_:
        state, done = open_.pop()
        for step in steps:
            if step.source == state:
                next_ = (step.target, passed(done, step.action, want))
                if step.target in goals and next_[1] < len(want):
                    return False
                if next_ not in seen:
                    seen.add(next_)
                    open_.append(next_)
    return True


@settings(max_examples=600)
@given(files(), st.booleans(), st.data())
def test_a_file_is_refused_or_every_walk_to_approval_passes_what_is_demanded(file, minor, data):
    name, table = file
    try:
        found = policies.policy_of(table).procedures[name]
    except FileRefused as refused:
        event(refused.code)
        return
    event("holds")
    workflow, kind = found.workflow(minor=minor), KINDS[name]
    want = demanded(kind, set(workflow.actions), bool(found.waived), minor)
    assert every_walk_holds(list(workflow.steps), workflow.initial, found.end(minor=minor), want)
    assert not (minor and workflow.actions & {"publish", "end_notice", "object"})
    for step in workflow.steps:
        for (first, then), guard in PAIRS.items():
            assert step.action != then or first not in workflow.actions or guard in step.guards
        assert step.action != "approve" or another_person in step.guards
    state, done = workflow.initial, 0  # one walk as a clerk would take it, to the end or for a while
    for _ in range(40):
        ways = [step for step in workflow.steps if step.source == state]
        if not ways:
            assert state in workflow.final
            break
        step = data.draw(st.sampled_from(ways))
        state, done = step.target, passed(done, step.action, want)
        assert step.action != "approve" or done == len(want)


@settings(max_examples=400)
@given(st.sampled_from(sorted(KINDS)), st.booleans(), st.data())
def test_the_prover_finds_a_way_around_exactly_when_a_walk_takes_one(name, minor, data):
    found = SHIPPED.procedures[name]
    steps = [step for step, _ in found.rows(minor=minor)]
    states = sorted({state for step in steps for state in (step.source, step.target)})
    for number in range(data.draw(st.integers(0, 3))):
        source, target = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))
        steps.append(Step(source, f"skip{number}", target, "case.confirm"))
    want, end = policies.gates(found, minor=minor), found.end(minor=minor)
    around = list(policies.ways_around(steps, found.start, end, want))
    holds = every_walk_holds(steps, found.start, end, want)
    event(f"around: {bool(around)}")
    assert bool(around) == (not holds)
