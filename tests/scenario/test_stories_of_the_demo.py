"""The demo tells each kind of case once, by the way that everybody goes, or says that it cannot."""

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from builders import make_actor, make_certificate, make_holder, request_id
from portraits import make_photo
from zhengka.areas.calendars import add_months
from zhengka.assessment.models import Appointment, Assessment, Licence
from zhengka.cases.models import Case
from zhengka.cases.services import load_ways
from zhengka.cases.workflow import KINDS
from zhengka.cli import line, stories
from zhengka.cli.officers import enrol_demo
from zhengka.core.events import begin
from zhengka.registry import photos
from zhengka.registry.models import Certificate, Holder, Import

pytestmark = pytest.mark.django_db


def fits(holder: Holder, today: dt.date) -> None:
    """An adult from a file, with a photo and a paper certificate in its last months."""
    record = Import(province=43, area=holder.area, filename="x.csv", digest="0", form="csv", encoding="utf-8",
                    received_at=timezone.now())
    begin(record, "receive", by=make_actor(area=holder.area), request_id=request_id())
    Holder.objects.filter(pk=holder.pk).update(source=record, photo=photos.keep(make_photo()))
    certificate = make_certificate(holder)
    Certificate.objects.filter(pk=certificate.pk).update(
        issued_on=add_months(today, -117), valid_until=add_months(today, 3))


def nothing(_done: int, _of: int) -> None:
    """Nobody watches."""


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
