"""After the demo each role finds work at its first login, in both regions; told again, nothing is there twice."""

from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from builders import make_card, make_certificate, make_holder
from demo_people import fits, nothing
from zhengka.accounts import demo
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of, authenticate
from zhengka.areas.calendars import add_months
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Session
from zhengka.cases import queries as cases
from zhengka.cases.models import Case
from zhengka.cases.rules import OfficeOf
from zhengka.cases.services import load_ways
from zhengka.cases.workflow import KINDS
from zhengka.cli import desks, line, officers, stories, waiting
from zhengka.cli.officers import enrol_demo
from zhengka.core.errors import Refusal
from zhengka.devices.models import Device
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db

DUTIES = {
    "clerk": {"accept", "resubmit", "request", "verify", "book", "publish"}, "reviewer": {"dismiss", "review"},
    "approver": {"approve"}, "assessor": {"assess"}, "assessor-4301-1": {"assess"},
    "street": {"precheck", "resubmit"}, "county": {"accept", "verify", "book", "publish"},
    "county-reviewer": {"dismiss", "review"}, "county-approver": {"approve"}, "city": {"recheck"},
    "city-clerk": {"accept"}, "assessor-4201-2": {"assess"}}
"""Login → steps for which at least one case must wait."""


def make_users(unit: Area, number: int) -> None:
    """Adults of a unit with a card in use."""
    for _ in range(number):
        holder = make_holder(area=unit)
        certificate = make_certificate(holder, generation=3)
        today = timezone.localdate()
        Certificate.objects.filter(pk=certificate.pk).update(
            category=4, grade=3, issued_on=add_months(today, -12), valid_until=add_months(today, 108))
        make_card(holder, state="active", certificate=Certificate.objects.get(pk=certificate.pk))


@pytest.fixture
def regions():
    """Both regions with their officers and people, as the demo has them before it leaves work."""
    load_ways()
    line.load_plan(Path(settings.DATA))
    enrol_demo()
    units = line.issuing_units()
    line.furnish(line.Officers.demo())
    found = (waiting.hunan(line.Officers.demo(), units), waiting.second(units[0]))
    for region in found:
        make_users(region.unit, len(waiting.WISHES) + len(waiting.MOVES))
    return found


def leave(regions):
    for region in regions:
        waiting.decide_first(region, at=timezone.now())
        waiting.tell(region, lambda region=region: waiting.in_use(region.unit), told=nothing)


def test_every_role_of_both_regions_finds_cases_and_a_repeat_opens_none_twice(regions):
    leave(regions)
    for login, steps in DUTIES.items():
        has = cases.duties(officers.actor(login))
        assert {step for step in steps if has[step]} == steps, login
    before = dict(Case.objects.values_list("pk", "version"))
    leave(regions)
    assert dict(Case.objects.values_list("pk", "version")) == before


def test_doctors_of_both_regions_are_listed_log_in_and_have_somebody_to_see_today(regions):
    leave(regions)
    today, listed = timezone.localdate(), {one.username: one for one in demo.officers()}
    for login in ("assessor", *demo.DOCTORS):
        doctor = authenticate(login, listed[login].password, at=timezone.now())
        seen = Appointment.objects.filter(state="booked", session__day=today,
                                          session__institution__licences__officer=doctor)
        assert seen.exists(), login
    for session in Session.objects.filter(day=today):
        assert f"{session.starts:%H:%M}" == "08:30" and session.ends.hour in (17, 23), "in the evening, until midnight"


def test_each_kind_of_case_is_there_and_files_of_three_regions_decide(regions):
    units, who = line.issuing_units(), line.Officers.demo()
    for _ in range(stories.NEED):
        fits(make_holder(area=units[0]), timezone.localdate())
    assert stories.tell(who, units, told=nothing) == 0
    line.exchange(who, told=nothing)
    leave(regions)
    assert set(Case.objects.values_list("kind_of_case", flat=True)) == set(KINDS)
    assert {"measures-2017", "wuhan-qiaokou", "cross-province"} <= set(Case.objects.values_list("policy", flat=True))


def test_administrators_and_custodians_find_work_and_the_second_region_has_devices_of_its_own(regions):
    for _twice in range(2):
        desks.furnish(line.issuing_units(), at=timezone.now())
    today = timezone.localdate()
    for login in ("system", "security", "custodian", "county-system"):
        assert desks.waits(officers.actor(login), today), login
    theirs = Device.objects.filter(area=demo.COUNTY)
    assert sorted(theirs.values_list("sort", flat=True)) == ["gate", "reader"]
    assert Device.objects.count() == len(desks.DEVICES)
    trainee = Officer.objects.get(username="trainee")
    assert not actor_of(trainee).may("case.open"), "it waits to be permitted"


def test_every_step_of_every_case_that_waits_may_be_taken_by_a_login_of_the_demo(regions):
    leave(regions)
    logins = [officers.actor(one.username) for one in demo.officers()]
    missing = set()
    for case in Case.objects.filter(ended_at=None):
        for step in case.table.steps:
            office = next(guard for guard in step.guards if isinstance(guard, OfficeOf))
            if step.permission != "case.clock" and "platform" not in office.levels and not any(
                    one.may(step.permission) and takes(office, case, one) for one in logins):
                missing.add((case.policy, case.kind_of_case, step.action))
    assert not missing


def takes(office, case, by):
    with suppress(Refusal):
        office(case, {"by": by})
        return True
    return False
