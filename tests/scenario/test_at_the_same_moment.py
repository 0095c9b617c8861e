"""Two act on one person at the same moment: neither undoes what the other wrote, and neither waits for ever."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

import builders
from builders import NOON
from stories import brings, card_holder, person
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services.opening import sealed
from zhengka.core import fields
from zhengka.core.events import lock
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Contacts

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def meanwhile(*steps: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Another takes these steps in a transaction of their own, with a while between any two: what is done within begins
    after the first step. What failed, afterwards.
    """
    began, failed = threading.Event(), list[BaseException]()

    def other() -> None:
        try:
            with transaction.atomic():
                for each in steps:
                    each()
                    began.set()
                    time.sleep(0.7)
        except BaseException as no:
            failed.append(no)
        finally:
            began.set()
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    began.wait()
    try:
        yield failed
    finally:
        thread.join()


def as_they_stand(holder: Holder, **more: str):
    return person(name=holder.name, id_number=fields.open_(bytes(holder.id_number), "holder.id_number"), **more)


def test_a_guardian_who_is_named_while_another_office_takes_the_departure_up_stays_named():
    holder, _ = card_holder()
    away = brings("transfer_out_nation", holder, moved="2026-11-01", to=0)
    away.take("request", "review", "approve")
    to, clerk, who = builders.make_area(110101), builders.make_actor(area=away.case.area), as_they_stand(holder)
    guardian = services.Guardian("石山", builders.make_id_number(), "13800000009")
    with meanwhile(lambda: services.name_guardian(
            away.case, guardian, by=clerk, request_id=builders.request_id(), at=NOON)) as failed:
        arrival = services.apply_arrival(
            who, services.Brought(who.id_number + "42", dt.date(2021, 5, 1), dt.date(2031, 5, 1)), to,
            by=builders.make_actor(area=to), request_id=builders.request_id(), at=NOON)
    departure = Case.get(away.case.pk)
    assert (failed, departure.counterpart, services.told(departure)["to"]) == ([], arrival, to.pk)
    assert services.guardian_told(departure) == guardian


def test_what_is_said_at_the_counter_last_is_kept_though_the_old_office_writes_at_that_moment():
    holder = builders.make_holder()
    asked = {"by": builders.make_actor("approver", area=holder.area), "at": NOON}

    def reach(phone: str) -> None:
        registry.keep_contacts({holder.pk: Contacts(phone=phone)}, request_id=builders.request_id(), **asked)

    with transaction.atomic():
        reach("13900000001")
    to = builders.make_area(430102)
    with meanwhile(lambda: reach("13900000002")) as failed:
        taken = registry.take_up(as_they_stand(holder, phone="13900000001"), to.pk, request_id=builders.request_id(),
                                 by=builders.make_actor("approver", area=to), at=NOON)
    assert (failed, taken.area_id) == ([], to.pk)
    assert registry.reached(Holder.get(holder.pk))[0] == "13900000001"


@pytest.mark.parametrize("alone", [True, False])
def test_a_decision_that_keeps_what_was_said_never_waits_for_one_that_waits_for_it(alone):
    case = builders.make_case(state="reviewed")
    Case.objects.filter(pk=case.pk).update(told=sealed({"met": {
        "born": "1960-01-01", "phone": "13900000003", "address": "麓山路 1 号", "wishes": ""}}))
    case, approver = Case.get(case.pk), builders.make_actor("approver", area=case.area)
    certificate = Certificate.objects.get(holder=case.holder)
    told = {"by": approver, "request_id": builders.request_id(), "at": NOON}
    correction = (lambda: lock(Holder(pk=case.holder_id)), lambda: lock(certificate))
    with meanwhile(*correction) as failed:
        if alone:
            services.take(case, "approve", **told)
        else:
            assert services.approve_many([case.pk], **told).moved == 1
    assert (failed, Case.get(case.pk).state) == ([], "ordered")
    assert registry.reached(Holder.get(case.holder_id))[0] == "13900000003"
