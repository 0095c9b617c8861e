"""Cases of every kind walked at random, by anybody, at any time: whatever happens, the promises hold after each step.

Among the moves: the wrong person, the wrong office, a step out of order or twice, another case of the same person at
another office, clocks that jump to and fro, a calendar that changes while a public notice stands.
"""

import datetime as dt
from contextlib import nullcontext

import pytest

import builders
from builders import NOON
from stories import applies, brings, under
from telling import bearer, go_until
from walking import REACHES, TOLD, Walk, someone
from zhengka.cards.models import Card
from zhengka.cases import book, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import KINDS
from zhengka.core import fields
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Person

pytestmark = pytest.mark.django_db
MOVES = 90
MINOR = "new, of a minor"
POLICIES = ("measures-2017", "two-doctors", "quick")


def who_is(holder: Holder) -> Person:
    return Person(holder.name, fields.open_(bytes(holder.id_number), "holder.id_number"))


def around(kind: str) -> tuple[int, int]:
    """The office of a walk that begins with a case of a kind, and the other one: where a move comes from or goes to."""
    return 430104, REACHES.get(kind.rpartition("_")[2], 430102) if "transfer" in kind else 430102


def opened(kind: str) -> Person:
    """The person of a walk that begins with a case of a kind."""
    area, other = (builders.make_area(code) for code in around(kind))
    if kind in ("new", MINOR):
        who = someone(minor=kind == MINOR)
        applies(who)
        return who
    holder = bearer(other if "transfer_in" in kind else area, years=9 if kind == "renewal" else 0,
                    generation=2 if kind == "exchange" else 3)
    told = dict(TOLD.get(kind, {}))
    if kind == "exchange":
        services.open_exchange(area, 1, by=builders.make_actor(area=area), request_id=builders.request_id(), at=NOON)
    elif "transfer_in" in kind:
        departure = brings(kind.replace("_in_", "_out_"), holder, to=area.pk)
        services.move_on(go_until(departure, "arrive").pk, at=NOON)
    else:
        if kind in ("restoration", "unfreeze"):
            state = "cancelled" if kind == "restoration" else "frozen"
            Certificate.objects.update(state=state, frozen_for="under-inquiry" if state == "frozen" else "")
            Card.objects.update(state=state)
        if kind.startswith("dispute"):
            told["disputed"] = _lost(
                holder, "cancellation_unmet" if kind == "dispute_city" else "dispute_city").pk
        brings(kind, holder, **told)
    return who_is(holder)


def _lost(holder: Holder, kind: str) -> Case:
    """A case of a kind that was assessed and refused today."""
    disputed = {} if kind == "cancellation_unmet" else {"disputed": _lost(holder, "cancellation_unmet").pk}
    story = brings(kind, holder, **disputed)
    go_until(story, "approve")
    approve = next(step for step in story.case.table.steps if step.action == "approve")
    [office] = approve.guards[0].levels
    area = story.case.area.parent if office == "city" else story.case.area
    return story.take("refuse", by=builders.make_actor("approver", area=area))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", [*KINDS, MINOR])
def test_a_case_walked_at_random_breaks_no_promise(kind, policy, monkeypatch, tmp_path):
    with nullcontext() if policy == "measures-2017" else under(policy, tmp_path):
        walk = Walk(f"{kind} {policy} 20261125", opened(kind), offices=around(kind))
        assert Case.objects.filter(kind_of_case=kind.partition(",")[0], policy=policy, ended_at=None).exists()
        monkeypatch.setattr(book, "calendar", walk.calendar)
        for _move in range(MOVES):
            walk.move()
    targets = set(Event.objects.filter(subject="case").values_list("target", flat=True))
    assert len(targets) > 4, f"the walk went somewhere: {targets}"


LONG_AGO = NOON.replace(year=2017, month=12, day=4)
"""While the rules of 2008 held; the first card policy came four weeks later."""
QIAOKOU = 420104
SHIPPED = [("chain-2008", kind) for kind in ("new", MINOR, "change", "damage", "loss")] + [
    ("wuhan-qiaokou", kind) for kind in ("new", MINOR)] + [
    ("cross-province", kind) for kind in ("new", MINOR, "change", "renewal", "loss", "transfer_out_nation",
                                          "cancellation")]


def begun(policy: str, kind: str) -> Walk:
    """A walk that begins with a case under one of the shipped policies that not every office has."""
    offices, at = ((QIAOKOU, 420102), NOON) if policy == "wuhan-qiaokou" else ((430104, 430102), LONG_AGO)
    if policy == "cross-province":
        offices, at = (430104, QIAOKOU), NOON
    home, other = (builders.make_area(code) for code in offices)
    asked = {"by": builders.make_actor(area=other if policy == "cross-province" else home), "at": at,
             "request_id": builders.request_id()}
    if kind in ("new", MINOR):
        who = someone(minor=kind == MINOR)
        services.apply(who, 4, home, **asked)
    else:
        holder = bearer(home, at=at, years=9 if kind == "renewal" else 0)
        services.open_case(kind, holder, **asked, **TOLD.get(kind, {}) | (
            {"to": other.pk} if kind.startswith("transfer") else {}))
        who = who_is(holder)
    return Walk(f"{policy} {kind} 20261126", who, at, offices)


@pytest.mark.parametrize(("policy", "kind"), SHIPPED)
def test_a_case_under_each_shipped_policy_breaks_no_promise(policy, kind, monkeypatch):
    walk = begun(policy, kind)
    case = Case.objects.get()
    assert case.policy == policy and (case.front_id is not None) == (policy == "cross-province")
    monkeypatch.setattr(book, "calendar", walk.calendar)
    for _move in range(MOVES):
        walk.move()
    assert Event.objects.filter(subject="case").values("target").distinct().count() > 3, "the walk went somewhere"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_notice_walked_at_random_stands_for_its_full_days_whatever_becomes_of_the_calendar(
        seed, policy, monkeypatch, tmp_path):
    with nullcontext() if policy == "measures-2017" else under(policy, tmp_path):
        who = someone()
        story = applies(who)
        go_until(story, "publish")
        walk = Walk(f"notice {policy} {seed}", who)
        monkeypatch.setattr(book, "calendar", walk.calendar)
        story.take("publish")
        walk.promises()
        for _move in range(MOVES):
            walk.move()


def test_a_day_off_that_is_announced_while_a_notice_stands_makes_it_stand_longer(monkeypatch):
    story = applies()
    story.take("accept", "book")
    story.assess()
    walk = Walk("a day off", someone())
    monkeypatch.setattr(book, "calendar", walk.calendar)
    story.take("publish")
    assert story.case.notice_ends == dt.date(2026, 11, 27)
    walk.off[dt.date(2026, 11, 25)] = False
    last_day = story.later(7).at
    with pytest.raises(Refusal, match="notice-running"):
        services.end_notice(story.case, by=SYSTEM, request_id=builders.request_id(), at=story.at + dt.timedelta(1))
    assert services.run_clocks(at=last_day)["extend_notice"] == 1
    assert services.run_clocks(at=last_day)["extend_notice"] == 0, "once"
    assert Case.get(story.case.pk).notice_ends == dt.date(2026, 11, 30), "its fifth working day, told on its page"
    walk.off.clear()
    assert services.run_clocks(at=story.later(2).at)["end_notice"] == 0, "what was announced stands"
    assert services.run_clocks(at=story.later(2).at)["end_notice"] == 1
