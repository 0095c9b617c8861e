"""The demo's gates stood and worked for a day, a month of theirs was sent, and told again nothing is there twice."""

from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from demo_people import nothing
from zhengka.cli import closing, doors, invariants, line
from zhengka.cli.officers import enrol_demo
from zhengka.core.models import Event
from zhengka.devices.models import Device
from zhengka.gates import queries, services
from zhengka.gates.models import DoubleUse, Post, Statement, Upload, Visit, Voucher

pytestmark = pytest.mark.django_db


def test_the_gates_of_the_demo_worked_for_a_day_and_a_repeat_changes_nothing(own_store):
    line.load_plan(Path(settings.DATA))
    enrol_demo()
    who = line.Officers.demo()
    counts = []
    for _twice in range(2):
        doors.furnish(who, line.issuing_units(), at=timezone.now(), told=nothing)
        counts.append([model.objects.count() for model in (Device, Post, Upload, Visit, Voucher, DoubleUse, Event)])
    assert counts[0] == counts[1]
    assert len(set(Post.objects.values_list("operator", flat=True))) == 2
    assert set(Voucher.objects.values_list("state", flat=True)) == {"redeemed", "issued", "cancelled"}
    assert not Voucher.objects.filter(payload=None).exists() and not Visit.objects.filter(signature=None).exists()
    assert DoubleUse.objects.count() == 1
    row = Statement.objects.get()
    assert row.state == "sent" and row.counted == doors.PEOPLE // 2
    assert services.check_file(queries.to_json(row)).fen == row.fen > 0
    [told] = closing.gates_lines(who.clerk)
    assert told.adds_up and told.held["sent twice"] > 0 and not any(
        one.broken for one in invariants.broken() if one.check.number in ("I6", "I11", "I14"))
