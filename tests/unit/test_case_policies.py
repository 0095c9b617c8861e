"""Case policies: what the shipped ones make of each kind, and how a region differs."""

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from zhengka.areas.calendars import calendar_of, layer_of
from zhengka.areas.calendars import load as load_calendars
from zhengka.cases import policies
from zhengka.cases.rules import OfficeOf, procedure
from zhengka.cases.workflow import (
    KINDS,
    PAIRS,
    another_approver,
    another_assessor,
    another_person,
    notice_over,
    rows,
)
from zhengka.core.dated import FileRefused, parse
from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step

ROOT = Path(__file__).parents[2]
SHIPPED = policies.load(ROOT / "data" / "cases")
BY_CODE = {policy.code: policy for policy in SHIPPED}
CALENDAR = calendar_of(load_calendars(ROOT / "data" / "calendars"), 430104_000000)
YUELU, WUHAN, QIAOKOU = 430104_000000, 420106_000000, 420104_000000
TODAY = dt.date(2024, 3, 1)

WUHAN_FILE = """
format = 1
code = "wuhan"
area = "420100"
valid_from = 2018-01-01
source = "武汉市硚口区办事指南"

[notice]
working_days = 7
fields = ["name", "category", "grade"]
clause = "art. 9(3), two days longer"

[steps]
precheck = { by = ["street"], within = 15, clause = "街道 15" }
accept = { by = ["hukou-county"] }
book = { by = ["hukou-county"] }
assess = { by = ["institution"] }
countersign = { by = ["institution"], another_than = ["assess"], clause = "two doctors sign" }
publish = { by = ["street"] }
end_notice = { by = ["platform"] }
review = { by = ["hukou-county"], within = 20, clause = "区 20" }
approve = { by = ["hukou-county"], another_than = ["review"] }
recheck = { by = ["city"], another_than = ["approve"], clause = "市残联复审后制证" }
order = { by = ["city"] }

[[procedure]]
kinds = ["new"]
clause = "art. 9"
"""


def wuhan(text: str = WUHAN_FILE):
    return policies.policy_of(parse(text.encode(), "wuhan.toml"))


def walk(found, *actions: str) -> str:
    """The state after these actions, from the beginning."""
    state = found.initial
    for action in actions:
        state = found.step(state, action).target
    return state


def test_the_default_exchange_is_confirmed_reviewed_approved_and_ordered():
    exchange = BY_CODE["measures-2017"].procedures["exchange"].workflow()
    assert walk(exchange, "confirm", "review", "approve", "order") == "ordered"
    assert walk(exchange, "confirm", "send_back", "close") == "closed"
    assert walk(exchange, "confirm", "review", "send_back_to_review") == "confirmed"


def test_the_default_lays_down_every_kind_of_case():
    assert BY_CODE["measures-2017"].procedures.keys() == KINDS.keys()


def test_an_adult_is_publicised_before_the_review_and_a_minor_never():
    new = BY_CODE["measures-2017"].procedures["new"]
    adult, minor = new.workflow(), new.workflow(minor=True)
    assert walk(adult, "accept", "book", "assess", "publish", "end_notice", "review", "approve", "order") == new.end()
    assert walk(minor, "accept", "book", "assess", "review", "approve", "order") == "ordered"
    assert not {"publish", "end_notice", "object"} & minor.actions and "publicised" not in minor.states
    with pytest.raises(Refusal, match="step-not-open"):
        adult.step("assessed", "review")


def test_an_objection_that_is_upheld_leads_back_to_a_new_assessment_and_a_new_notice():
    adult = BY_CODE["measures-2017"].procedures["new"].workflow()
    assert walk(adult, "accept", "book", "assess", "publish", "object", "uphold") == "accepted"
    assert walk(adult, "accept", "book", "assess", "publish", "object", "dismiss") == "publicised"


def test_before_2018_the_county_reviewed_and_the_city_approved():
    new = procedure(SHIPPED, "new", YUELU, dt.date(2017, 12, 31))
    told = {step.action: rule for step, rule in new.rows()}
    assert (told["review"].by, told["approve"].by) == (("hukou-county",), ("city",))
    assert told["assess"].by == ("institution", "county-panel")
    assert "publish" not in told and "2008" in new.waived["notice"]
    assert procedure(SHIPPED, "new", YUELU, dt.date(2018, 1, 1)) is BY_CODE["measures-2017"].procedures["new"]
    assert procedure(SHIPPED, "exchange", YUELU, dt.date(2017, 12, 31)) is None


def test_away_from_home_the_place_of_residence_takes_in_and_publicises_and_the_hukou_county_decides():
    new = procedure(SHIPPED, "new", YUELU, TODAY, "cross-province")
    by = {step.action: rule.by for step, rule in new.rows()}
    assert {by[action] for action in ("accept", "book", "publish")} == {("residence-county",)}
    assert {by[action] for action in ("review", "approve", "order")} == {("hukou-county",)}
    at_home = procedure(SHIPPED, "new", YUELU, TODAY)
    assert [step for step, _ in rows(new.kind, new.off)[0]] == [step for step, _ in rows(at_home.kind, at_home.off)[0]]
    assert procedure(SHIPPED, "new", YUELU, dt.date(2021, 6, 27), "cross-province") is None
    assert procedure(SHIPPED, "dispute_city", YUELU, TODAY, "cross-province") is None


def test_a_city_may_have_its_streets_check_first_ask_for_two_doctors_and_look_again():
    own = [*SHIPPED, wuhan()]
    new = procedure(own, "new", WUHAN, TODAY)
    assert walk(new.workflow(), "precheck", "accept", "book", "assess", "countersign", "publish", "end_notice",
                "review", "approve", "recheck", "order") == "ordered"
    assert walk(new.workflow(), "precheck", "return_papers", "resubmit") == "applied"
    assert new.workflow().step("assessed", "countersign").guards == (OfficeOf(("institution",)), another_assessor)
    assert new.workflow().step("approved", "recheck").guards == (OfficeOf(("city",)), another_approver)
    assert procedure(own, "change", WUHAN, TODAY) is BY_CODE["measures-2017"].procedures["change"]
    assert procedure(own, "new", YUELU, TODAY) is BY_CODE["measures-2017"].procedures["new"]


def test_in_qiaokou_the_street_has_fifteen_days_the_district_twenty_and_the_city_looks_again():
    new = procedure(SHIPPED, "new", QIAOKOU, TODAY)
    rules = {step.action: rule for step, rule in new.rows()}
    assert (rules["precheck"].by, rules["precheck"].within, rules["precheck"].since) == (("street",), 15, "")
    district = {action for action, rule in rules.items() if (rule.within, rule.since) == (20, "accept")}
    assert district == {"accept", "book", "assess", "publish", "end_notice", "review", "approve"}, "one span"
    assert new.promised("prechecked") is None, "for the city's second look no days are named"
    assert rules["recheck"].by == ("city",) and new.has_front
    assert not procedure(SHIPPED, "new", YUELU, TODAY).has_front
    assert procedure(SHIPPED, "loss", YUELU, TODAY, "cross-province").has_front


def test_a_span_is_promised_once_and_a_step_that_names_none_there_is_is_refused():
    text = (ROOT / "data" / "cases" / "wuhan-qiaokou.toml").read_text()
    last = text.replace('recheck = { by = ["city"],', 'recheck = { by = ["city"], within = 3,')
    assert policies.policy_of(parse(last.encode(), "x")).procedures["new"].promised("applied") == 15 + 20 + 3
    with pytest.raises(FileRefused, match="step-unknown"):
        policies.policy_of(parse(text.replace('since = "accept"', 'since = "aceept"').encode(), "x"))


def test_a_limit_is_counted_by_the_calendar_and_a_way_aside_has_none():
    rules = {step.action: rule for step, rule in BY_CODE["measures-2017"].procedures["new"].rows()}
    assert rules["review"].due(dt.date(2024, 2, 9), CALENDAR).day == dt.date(2024, 2, 29)
    assert rules["send_back"].within is None and rules["send_back"].due(TODAY, CALENDAR) is None
    assert rules["withdraw"].by == rules["accept"].by


def test_a_notice_stands_for_full_working_days_and_its_end_waits_for_the_day_after():
    notice = BY_CODE["measures-2017"].procedures["new"].notice
    last = notice.last_day(dt.date(2018, 9, 28), CALENDAR).day
    assert last == dt.date(2018, 10, 10)
    case = SimpleNamespace(notice_ends=last)
    with pytest.raises(Refusal, match="notice-running"):
        notice_over(case, {"on": last.isoformat()})
    notice_over(case, {"on": (last + dt.timedelta(1)).isoformat()})


@pytest.mark.parametrize(("guard", "field"), [
    (another_person, "reviewer_person"), (another_assessor, "assessor_person"), (another_approver, "approver_person")])
def test_the_same_person_under_another_account_is_the_same_person(guard, field):
    case = SimpleNamespace(**{field: "p1"})
    with pytest.raises(Refusal, match="same-person"):
        guard(case, {"by": SimpleNamespace(person="p1")})
    guard(case, {"by": SimpleNamespace(person="p2")})


def test_windows_bars_and_clocks_end_on_their_days():
    found = BY_CODE["measures-2017"].procedures
    assert found["renewal"].opens(dt.date(2016, 2, 29)) == dt.date(2025, 2, 28)
    assert found["cancellation"].barred_until(dt.date(2024, 3, 1)) == dt.date(2025, 3, 1)
    frozen, cancelled = found["transfer_out_nation"].clock(dt.date(2023, 4, 1), CALENDAR)
    assert (frozen.day, cancelled.day) == (dt.date(2023, 10, 7), dt.date(2024, 4, 1))  # 1 October is off until the 6th
    assert found["dispute_city"].closes(dt.date(2024, 3, 1), CALENDAR).day == dt.date(2024, 3, 15)


def test_a_certificate_that_did_not_follow_can_be_frozen_anywhere_on_its_way_and_still_be_asked_for():
    out = BY_CODE["measures-2017"].procedures["transfer_out_nation"].workflow()
    assert walk(out, "freeze", "lapse") == "lapsed"
    assert walk(out, "freeze", "request", "review", "freeze", "approve", "freeze") == "approved"
    open_ = {step.source for step in out.steps}
    assert {step.source for step in out.steps if step.action == "lapse"} == open_
    assert {step.source for step in out.steps if step.action == "freeze"} == open_ - {"frozen"}
    assert walk(out, "request", "review", "approve", "arrive") == "arrived"


def test_an_arrival_may_be_ended_with_its_departure_wherever_it_is_and_only_by_the_platform():
    for kind in (name for name in KINDS if "transfer_in" in name):
        rows_ = BY_CODE["measures-2017"].procedures[kind].rows()
        ends = {step.source: rule.by for step, rule in rows_ if step.permission == "case.clock"}
        assert ends.keys() == {step.source for step, _ in rows_} and set(ends.values()) == {("platform",)}


def test_a_step_left_out_closes_the_line_up_and_takes_its_ways_aside_along():
    steps, end = rows(KINDS["new"], {"precheck", "countersign", "recheck", "order"})
    assert end == "approved" and {"differ", "send_back_to_approval"}.isdisjoint(step.action for step, _ in steps)
    assert {step.source for step, _ in steps if step.action == "accept"} == {"applied"}
    steps, _ = rows(KINDS["dispute_city"], {"countersign"})
    assert {step.source for step, _ in steps if step.action in ("fail", "review")} == {"assessed"}


GOOD = [step for step, _ in BY_CODE["measures-2017"].procedures["new"].rows()]
GATES = ["assess", "publish", "end_notice", "review", "approve"]


@pytest.mark.parametrize(("source", "target", "missed"), [
    ("applied", "assessed", "assess"), ("accepted", "noticed", "assess"), ("assessed", "noticed", "publish"),
    ("publicised", "noticed", "end_notice"), ("objected", "noticed", "end_notice"), ("noticed", "reviewed", "review"),
    ("reviewed", "ordered", "approve"), ("applied", "ordered", "assess")])
def test_a_way_around_is_found_wherever_it_starts(source, target, missed):
    skip = Step(source, "skip", target, "case.confirm")
    assert next(policies.ways_around([*GOOD, skip], "applied", "ordered", GATES)) == missed
    assert not list(policies.ways_around(GOOD, "applied", "ordered", GATES))


def test_a_notice_that_comes_before_the_assessment_is_no_notice_of_it():
    order = ("publish", "end_notice", "assess", "review", "approve")
    turned = [Step(str(number), action, str(number + 1), "case.confirm") for number, action in enumerate(order)]
    assert list(policies.ways_around(turned, "0", "5", GATES)) == ["publish"]


def test_two_policies_of_one_area_and_kind_may_follow_each_other_but_not_overlap(tmp_path):
    def write(name: str, since: str, more: str = "") -> None:
        text = WUHAN_FILE.replace('"wuhan"', f'"{name}"').replace("valid_from = 2018-01-01", f"valid_from = {since}")
        (tmp_path / f"{name}.toml").write_text(text.replace("source =", f"{more}\nsource ="))

    write("first", "2018-01-01", "valid_to = 2019-12-31")
    write("second", "2020-01-01")
    assert [policy.code for policy in policies.load(tmp_path)] == ["first", "second"]
    write("second", "2019-12-31")
    with pytest.raises(FileRefused, match="dates-overlap"):
        policies.load(tmp_path)
    write("second", "2019-12-31", 'route = "cross-province"')
    assert len(policies.load(tmp_path)) == 2


def test_two_policies_never_share_a_code_for_a_case_keeps_it(tmp_path):
    (tmp_path / "a.toml").write_text(WUHAN_FILE)
    (tmp_path / "b.toml").write_text(WUHAN_FILE.replace('"420100"', '"420200"'))
    with pytest.raises(FileRefused, match="code-twice"):
        policies.load(tmp_path)


def test_the_examples_of_the_how_to_hold():
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/how-to/add-an-area-or-policy.md").read_text(), re.DOTALL)
    [policy] = [block for block in blocks if "[steps]" in block]
    [notice] = [block for block in blocks if "[[notice]]" in block]
    assert policies.policy_of(parse(policy.encode(), "changsha-2027.toml")).procedures.keys() == {"new"}
    head = 'format = 1\ncode = "china"\narea = "000000"\n'
    assert layer_of(parse((head + notice).encode(), "china.toml")).years == {2027}


def test_every_step_and_kind_of_case_is_in_the_glossary_under_its_official_term():
    told = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    known = {(zh, word) for zh, code in told for word in re.findall(r"`([^`]+)`", code)}
    steps = {(step.zh, step.action) for kind in KINDS.values() for step, _ in rows(kind)[0]}
    assert steps - known == set()
    assert {(kind.zh.split("（")[0], kind.name) for kind in KINDS.values() if "_" not in kind.name} - known == set()


def test_every_pair_of_two_persons_is_a_pair_of_steps():
    actions = {action for kind in KINDS.values() for action in kind.actions}
    assert {action for pair in PAIRS for action in pair} <= actions
