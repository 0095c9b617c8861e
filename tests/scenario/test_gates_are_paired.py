"""A phone becomes a gate by a code, signs what it asks with its own key, and is shut out when it is lost."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from builders import make_actor, make_area, make_officer, request_id
from gate_phone import GatePhone, enter_gate, new_code, paired, pairing
from visits import Visitor
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.core.pace import PAIRINGS
from zhengka.devices import services
from zhengka.devices.models import Device
from zhengka.devices.services.registry import GATE
from zhengka.formats.suites import INTL, SM

pytestmark = pytest.mark.django_db
POST = "/api/v1/gate/post"


@pytest.fixture(autouse=True)
def everyone_begins_anew():
    PAIRINGS.forget()


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content


def test_a_phone_with_the_code_of_a_gate_becomes_that_gate_and_is_known_by_its_key():
    row, phone = paired(make_area())
    assert row.state == "active" and bytes(row.public) == phone.key.public.point and row.suite == "INTL"
    assert row.code == "" and row.code_until is None
    told = phone.ask("GET", POST).json()
    assert (told["gate"], told["name"], told["place"]) == (row.pk, "北门", "公园北门")
    last = Event.objects.filter(subject="device", subject_id=row.pk).order_by("-pk").first()
    assert last.action == "pair" and last.actor_id is None


def test_the_same_pairing_sent_twice_is_done_once():
    row, phone = enter_gate(make_area()), GatePhone()
    told = pairing(phone.key, new_code(row))
    answers = [Visitor().post("/api/v1/gate/pair", json.dumps(told), content_type="application/json") for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert Device.objects.get(pk=row.pk).state == "active"


@pytest.mark.parametrize("fault", ["another code", "late", "another's signature", "another origin", "a reader's code"])
def test_a_pairing_that_is_not_right_is_refused(fault):
    area, phone = make_area(), GatePhone()
    row = enter_gate(area)
    code, changed = new_code(row), {}
    if fault == "another code":
        code = f"{(int(code) + 1) % 10**12:012d}"
    elif fault == "late":
        Device.objects.filter(pk=row.pk).update(code_until=timezone.now() - dt.timedelta(seconds=1))
    elif fault == "another's signature":
        changed = {"signature": pairing(INTL.generate(), code)["signature"]}
    elif fault == "another origin":
        changed = {"signature": pairing(phone.key, code, origin="https://elsewhere.example")["signature"]}
    else:
        Device.objects.filter(pk=row.pk).update(sort="reader")
    refused(phone.pair(code, **changed), 409, "gate-pairing-failed")
    assert Device.objects.get(pk=row.pk).state == "registered"


def test_a_point_off_the_curve_is_no_key():
    phone = GatePhone()
    refused(phone.pair(new_code(enter_gate(make_area())), point="04" + "11" * 64), 409, "gate-pairing-failed")


def test_a_code_holds_once():
    area = make_area()
    row, first = enter_gate(area), GatePhone()
    code = new_code(row)
    assert first.pair(code).status_code == 200
    refused(GatePhone().pair(code), 409, "gate-pairing-failed")


def test_one_key_is_one_gate():
    area = make_area()
    _, phone = paired(area)
    refused(phone.pair(new_code(enter_gate(area, "南门"))), 409, "device-key-taken")


def test_who_tries_many_codes_has_to_wait():
    phone = GatePhone()
    answers = [phone.pair(f"{number:012d}") for number in range(21)]
    refused(answers[0], 409, "gate-pairing-failed")
    refused(answers[-1], 429, "too-many-requests")


@pytest.mark.parametrize(("fault", "status", "code"), [
    ("body", 401, "gate-signature-wrong"), ("path", 401, "gate-signature-wrong"),
    ("nobody", 401, "gate-signature-wrong"), ("no number", 401, "gate-signature-wrong"),
    ("garbage", 401, "gate-signature-wrong"),
    ("no time", 401, "gate-signature-wrong"), ("three days behind", 401, "gate-clock-wrong"),
    ("three days ahead", 401, "gate-clock-wrong")])
def test_what_is_not_signed_by_the_gate_now_is_refused(fault, status, code):
    _, phone = paired(make_area())
    other, headers = phone.ask("GET", POST), {}
    assert other.status_code == 200
    signed = other.wsgi_request.headers["X-Zhengka-Signature"]
    if fault == "body":
        answer = Visitor().generic("POST", "/api/v1/gate/post", b"x", headers=dict(other.wsgi_request.headers))
        assert answer.status_code in (401, 405)
        headers = {"X-Zhengka-Signature": signed[::-1]}
    elif fault == "path":
        answer = phone.ask("GET", POST + "?a=1", **{"X-Zhengka-Signature": signed})
        refused(answer, status, code)
        return
    elif fault in ("nobody", "no number"):
        headers = {"X-Zhengka-Gate": "999999999999" if fault == "nobody" else "²"}
    elif fault == "garbage":
        headers = {"X-Zhengka-Signature": "A" * 86}
    elif fault == "no time":
        phone.late = dt.timedelta()
        headers = {"X-Zhengka-Time": "yesterday"}
    else:
        phone.late = dt.timedelta(days=-3 if "behind" in fault else 3)
    answer = phone.ask("GET", POST, **headers)
    refused(answer, status, code)
    if code == "gate-clock-wrong":
        assert abs(dt.datetime.fromisoformat(answer.json()["facts"]["now"]) - timezone.now()) < dt.timedelta(minutes=1)


@pytest.mark.parametrize(("action", "state"), [
    ("stop", "stopped"), ("lose", "lost"), ("retire", "retired"), ("unpair", "registered")])
def test_a_gate_that_is_not_at_work_is_told_so_and_believed_no_more(action, state):
    area = make_area()
    row, phone = paired(area)
    services.change(row, action, by=make_actor("system", area=area), request_id=request_id(), at=timezone.now())
    answer = phone.ask("GET", POST)
    refused(answer, 403, "gate-shut-out")
    assert answer.json()["facts"] == {"state": state}


def test_a_gate_that_was_started_again_works_with_the_key_that_it_has():
    area = make_area()
    row, phone = paired(area)
    for action in ("stop", "start"):
        row = services.change(row, action, by=make_actor("system", area=area), request_id=request_id(),
                              at=timezone.now())
    assert phone.ask("GET", POST).status_code == 200


def test_a_gate_that_was_never_paired_is_not_put_to_work():
    row = enter_gate(make_area())
    with pytest.raises(Refusal, match="device-unpaired"):
        services.change(row, "start", by=make_actor("system", area=row.area), request_id=request_id(),
                        at=timezone.now())
    with pytest.raises(IntegrityError, match="device_signs_by_its_key"), transaction.atomic():
        Device.objects.filter(pk=row.pk).update(state="active")


def test_two_gates_never_wait_with_one_code():
    area = make_area()
    one, other = enter_gate(area), enter_gate(area, "南门")
    code = new_code(one)
    with pytest.raises(IntegrityError, match="device_gate_found_by_code"), transaction.atomic():
        Device.objects.filter(pk=other.pk).update(code=code)


def test_the_page_of_a_gate_shows_its_code_and_where_to_type_it():
    clerk = make_officer("clerk")
    row = enter_gate(clerk.area)
    visitor = Visitor(clerk)
    before = visitor.get(f"/staff/devices/{row.pk}/").content.decode()
    assert "Pair the gate" in before and "zhengka-reader" not in before
    shown = visitor.post(f"/staff/devices/{row.pk}/code").content.decode()
    code = Device.objects.get(pk=row.pk).code
    assert len(code) == 12 and f"{code[:4]} {code[4:8]} {code[8:]}" in shown and "http://testserver/gate/" in shown


def test_a_gate_is_not_paired_as_a_reader_is():
    area = make_area()
    row, key = enter_gate(area), SM.generate()
    told = services.Paired("SM", key.public.point, new_code(row), bytes(64))
    with pytest.raises(Refusal, match="step-not-open"):
        services.pair(row, told, "http://testserver", by=make_actor("clerk", area=area), request_id=request_id(),
                      at=timezone.now())
    assert GATE.permissions == {"device.use"}
