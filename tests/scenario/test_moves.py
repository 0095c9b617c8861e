"""A move between two offices against the clock of art. 23: its days end with the arrival alone, and no side is left."""

import datetime as dt

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

import builders
from builders import NOON
from stories import Story, brings, card_holder, confirmed, left_behind, person
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
FREEZES, LAPSES = NOON.replace(year=2027, month=5, day=21), NOON.replace(year=2027, month=11, day=23)
"""Days on which the clock freezes and ends what moved in the first half of November 2026."""


def under_way(*, moved: str = "2026-11-01") -> tuple[Holder, Story, Story]:
    """A holder whose departure was approved, and the arrival that is open at the other office."""
    holder, _ = card_holder()
    away = confirmed(brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved=moved))
    if away.case.freezes_on < NOON.date():
        left_behind(away.later(40).at)
        away.case = Case.get(away.case.pk)
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    return holder, again(away), Story(Case.get(away.case.pk).counterpart, at=away.at)


def again(story: Story) -> Story:
    story.case = Case.get(story.case.pk)
    return story


def asked_for() -> int:
    """The case for whose move a job was asked for last."""
    job = ProcrastinateJob.objects.filter(task_name="cases.move_on").order_by("id").last()
    assert job is not None
    return int(job.args["case_id"])


def settle(story: Story) -> Case:
    """A worker looks after a move."""
    services.move_on(story.case.pk, at=story.at)
    return again(story).case


def test_who_asks_after_the_freeze_takes_the_certificate_along_however_often_the_clock_runs_in_between():
    _, away, here = under_way(moved="2026-05-01")
    assert Certificate.objects.get().state == "frozen"
    assert services.run_clocks(at=away.later(1).at)["freeze"] == 0 and again(away).case.state == "approved"
    here.take("accept", "review")
    services.run_clocks(at=away.later(1).at)
    here.take("approve")
    assert settle(here).state == "ordered" and again(away).case.state == "arrived"
    assert Certificate.objects.get().state == "valid" and Card.objects.get(state="active").area_id == here.case.area_id


def test_a_request_stops_no_clock_and_the_case_stays_where_it_is_on_its_line():
    holder, certificate = card_holder()
    away = brings("transfer_out_nation", holder, moved="2026-11-01")
    confirmed(away).take("request", "review")
    assert left_behind(FREEZES)[0]["freeze"] == 1
    assert services.run_clocks(at=FREEZES)["freeze"] == 0, "once"
    assert (again(away).case.state, Certificate.get(certificate.pk).state) == ("reviewed", "frozen")
    assert Card.objects.get().state == "frozen"
    thaw = brings("unfreeze", holder, at=FREEZES)
    thaw.take("accept", "review", "approve")
    services.run_clocks(at=FREEZES)
    assert Certificate.get(certificate.pk).state == "valid", "what two persons lifted the clock does not freeze again"
    assert left_behind(LAPSES)[0]["lapse"] == 1
    assert (again(away).case.state, Certificate.get(certificate.pk).state) == ("lapsed", "cancelled")


def test_an_arrival_ends_with_the_departure_that_lapsed_and_the_person_can_apply_anew():
    holder, away, here = under_way()
    here.take("accept")
    left_behind(FREEZES, LAPSES)
    ended = again(here).case
    assert (again(away).case.state, ended.state, ended.ended_at) == ("lapsed", "closed", LAPSES)
    assert Event.objects.get(subject="case", subject_id=ended.pk, action="close").facts["reason"] == "lapsed"
    assert away.case.counterpart == ended, "each office sees what became of the other's case"
    same = person(id_number=fields.open_(bytes(holder.id_number), "holder.id_number"))
    assert services.apply(same, 4, ended.area, by=builders.make_actor(area=ended.area),
                          request_id=builders.request_id(), at=LAPSES).state == "applied"


def test_an_arrival_that_was_approved_in_time_is_not_late_because_the_platform_is():
    _, away, here = under_way()
    left_behind(FREEZES)
    services.run_clocks(at=LAPSES - dt.timedelta(31))
    here.take("accept", "review", "approve")
    done = services.run_clocks(at=LAPSES)
    assert (done["lapse"], done["move_on"]) == (0, 1)
    assert (again(away).case.state, again(here).case.state) == ("arrived", "ordered")


@pytest.mark.parametrize("ending", [("withdraw",), ("return_papers", "withdraw"), ("decline",)])
def test_an_arrival_that_ends_before_its_decision_turns_the_departure_back(ending):
    _, away, here = under_way()
    here.take(*ending)
    assert asked_for() == here.case.pk
    settle(here)
    assert (again(away).case.state, away.case.counterpart) == ("noted", None)


def test_a_departure_that_is_turned_back_by_hand_takes_its_arrival_along():
    _, away, here = under_way()
    away.take("turn_back")
    assert asked_for() == away.case.pk
    assert settle(away).counterpart is None
    assert again(here).case.state == "closed"
    away.take("request", "review", "approve")
    assert settle(away).counterpart not in (None, here.case), "it may be asked for again"
