"""A quota that several gates share: its bound, and where it was exceeded, are on the page of gates."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from builders import make_actor, make_area, make_officer, request_id
from gating import HOUR, make_gate, make_wanted, upload
from zhengka.devices.models import Device
from zhengka.formats.verdict import CHINA
from zhengka.gates import queries, quota, services
from zhengka.gates.models import Visit, Voucher

pytestmark = pytest.mark.django_db
ZOO = {"operator": "changsha-zoo", "venue": "gate"}
GIVEN = {**ZOO, "rule": "holder", "gives": "free"}
ONE, OTHER = bytes(16), bytes(range(16))


def noon(days: int = 0) -> dt.datetime:
    """Noon in China, on a day of this month."""
    return timezone.now().astimezone(CHINA).replace(day=15, hour=12, minute=0, second=0, microsecond=0) + dt.timedelta(
        days=days)


def found(**told):
    return queries.overruns(actor=make_actor("clerk", **told), at=noon())


def test_a_quota_that_two_gates_exceeded_is_found_as_soon_as_both_have_told_and_both_are_named(client):
    gates = [make_gate(name, **ZOO) for name in ("北门", "南门")]
    for gate in gates:
        assert found() == []
        upload(gate, gate.says(at=noon(), subject=ONE, **GIVEN), gate.says(at=noon(1), subject=OTHER, **GIVEN)
               if gate is gates[0] else gate.says(at=noon(2), subject=OTHER, **GIVEN), at=noon(3))
    [row] = found()
    assert (row.operator, row.rule, row.day, row.uses, row.limit, row.gates) == (
        "changsha-zoo", "holder", noon().date(), 2, 1, ("北门", "南门"))
    told = Visit.objects.filter(subject=ONE).values_list("gate", "digest")
    assert row.too_many == quota.overrun(row.limit, {gate: [bytes(digest)] for gate, digest in told}) == 1
    assert found(area=make_area(360102)) == []
    client.force_login(make_officer("clerk", person="p-clerk"))
    page = client.get(reverse("staff:gates")).content.decode()
    assert "北门, 南门" in page and "持残疾人证免票进入步行区" in page and ONE.hex() not in page


def test_a_voucher_that_was_cancelled_and_that_of_a_companion_exceed_no_quota():
    gate, code, again = make_gate(**ZOO), bytes(10), bytes(range(10))
    upload(gate, gate.says("issue", voucher=code, at=noon(), subject=ONE, **GIVEN),
           gate.says("issue", voucher=again, at=noon(), subject=ONE, **GIVEN), at=noon())
    assert [row.too_many for row in found()] == [1]
    upload(gate, gate.says("cancel", voucher=code, at=noon(), **ZOO), at=noon())
    assert found() == []
    wanted = make_wanted(service="entry", rule="holder", companions=1, subject=OTHER, begins=noon(), ends=noon() + HOUR)
    main = services.issue(wanted, gate.post, request_id=request_id(), at=noon())
    beside = services.companion(main, by=make_actor("clerk"), request_id=request_id(), at=noon())
    assert found() == [] and queries.used("changsha-zoo", OTHER, at=noon())["holder"].day == 1
    assert bytes(Voucher.objects.get(pk=beside.pk).subject) == b""
    assert Visit.objects.filter(voucher=beside.code, kind="issue", subject=b"").count() == 1


def test_by_how_much_a_quota_could_be_exceeded_depends_on_how_many_gates_cannot_talk():
    def bound():
        told = queries.quota_bounds(actor=make_actor("clerk"), at=noon(), connected_since=noon() - HOUR)
        return [(row.rule, row.period, row.limit, row.gates, row.connected, row.most) for row in told]
    assert bound() == []
    gates = [make_gate("北门", **ZOO)]
    assert bound() == [("holder", "day", 1, 1, 0, 0)], "a gate that is alone knows all that was given"
    gates += [make_gate("南门", **ZOO), make_gate("东门", **ZOO)]
    assert bound() == [("holder", "day", 1, 3, 0, 1)]
    Device.objects.filter(pk__in=[gate.pk for gate in gates]).update(seen_at=noon())
    assert bound() == [("holder", "day", 1, 3, 3, 0)]
