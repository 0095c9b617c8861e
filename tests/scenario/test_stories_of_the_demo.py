"""The demo tells each kind of case once, by the way that everybody goes, or says that it cannot."""

from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from builders import make_holder
from demo_people import fits, nothing
from zhengka.assessment.models import Appointment, Assessment, Licence
from zhengka.cases.models import Case
from zhengka.cases.services import load_ways
from zhengka.cases.workflow import KINDS
from zhengka.cli import line, stories
from zhengka.cli.officers import enrol_demo

pytestmark = pytest.mark.django_db


def test_each_kind_of_case_is_told_once_to_its_end_or_the_demo_says_how_many_people_it_lacks():
    load_ways()
    line.load_plan(Path(settings.DATA))
    enrol_demo()
    who, today, units = line.Officers.demo(), timezone.localdate(), line.issuing_units()
    line.furnish(who)
    licensed = Licence.objects.filter(officer__username="assessor").values_list("area", flat=True)
    assert set(licensed) == {unit.parent_id for unit in units}, "the demo's own doctor signs in each city"
    for lacking in range(stories.NEED, 0, -1):
        if lacking in (stories.NEED, 3):
            assert stories.tell(who, units, told=nothing) == lacking and not Case.objects.exists()
        fits(make_holder(area=units[0]), today)
    for _twice in range(2):
        assert stories.tell(who, units, told=nothing) == 0
    line.exchange(who, told=nothing)
    assert set(Case.objects.exclude(ended_at=None).values_list("kind_of_case", flat=True)) == set(KINDS)
    assessed = Case.objects.exclude(found=None)
    assert assessed.count() == Assessment.objects.count() == Appointment.objects.filter(state="done").count() == 6
    assert len({one.first_person for one in Assessment.objects.filter(dispute=True)}) == 2
