"""Builders of institutions, doctors, days and appointments, for tests of assessments."""

import datetime as dt
from collections.abc import Iterable
from itertools import count
from typing import Any

from django.utils import timezone

import builders
from builders import NOON, make_area, make_officer, request_id
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.assessment import services
from zhengka.assessment.forms import MULTIPLE
from zhengka.assessment.models import Appointment, Institution, Licence, Session
from zhengka.core import fields
from zhengka.core.actors import Actor

TODAY = NOON.date()
EVERY = (1, 2, 3, 4, 5, 6, 7)
SPEECH = {"clarity": "20"}
"""Answers of the shortest form: grade 2."""
INDEPENDENCE = {1: "cannot", 2: "hardly", 3: "partly", 4: "mostly"}
ADAPTIVE = {1: "profound", 2: "severe", 3: "moderate", 4: "slight"}
MEASURED: dict[int, tuple[tuple[str, ...], dict[int | None, str]]] = {
    1: (("acuity_right", "acuity_left"), {1: "0", 2: "0.03", 3: "0.07", 4: "0.2", None: "1"}),
    2: (tuple(f"{ear}_{hertz}" for ear in ("right", "left") for hertz in (500, 1000, 2000, 4000)),
        {1: "95", 2: "85", 3: "70", 4: "50", None: "10"}),
    3: (("clarity",), {1: "5", 2: "20", 3: "40", 4: "60", None: "90"}),
    5: (("iq", "dq"), {1: "10", 2: "30", 3: "45", 4: "60", None: "120"}),
    6: (("who_das",), {1: "120", 2: "110", 3: "100", 4: "60", None: "10"})}
"""Category → the fields of its form that a doctor measures, and what gives each grade (GB/T 26341)."""


def answers(category: int, grade: int | None) -> dict[str, Any]:
    """What a doctor fills in who finds this grade of one category; None: the standard is not met."""
    if category == 4:
        criteria = {f"grade_{grade}": ["a"]} if grade else {}
        return {"independence": INDEPENDENCE.get(grade or 0, "fully"), **criteria}
    names, values = MEASURED[category]
    also = {"adaptive": ADAPTIVE.get(grade or 0, "none"), "treated_since": "2020-01-01"} if category in (5, 6) else {}
    return dict.fromkeys(names, values[grade]) | also


def filled_in(category: int, parts: Iterable[tuple[int, int]]) -> dict[str, Any]:
    """The form of a category by which these parts are found, of 多重 that of each; of none the standard is not met."""
    found = dict(parts)
    if category == MULTIPLE:
        examined = [*found, *(other for other in (3, 4) if other not in found)][:max(2, len(found))]
        return {str(part): answers(part, found.get(part)) for part in examined}
    assert set(found) <= {category}, "a form finds what it examines"
    return answers(category, found.get(category))


_cases = count(430_000_001)


def city() -> Area:
    """The city that the unit 430104 lies in."""
    return make_area().parent


def make_institution(area: Area | None = None, **changed: Any) -> Institution:
    """A hospital designated for every category since 2018."""
    area = area or make_area()
    name = changed.pop("name", f"第{next(_cases)}医院")
    told = {"area": area, "name": name, "address": "人民路1号", "categories": EVERY, "valid_from": dt.date(2018, 1, 1),
            "valid_to": None, "document": "湘残联发〔2018〕1号", **changed}
    return services.register_institution(services.Designation(**told), by=builders.make_actor("approver", area=area),
                                         request_id=request_id(), at=NOON)


def make_assessor(institution: Institution, *, officer: Officer | None = None, **changed: Any) -> Actor:
    """A doctor licensed for every category at the institution, as an actor."""
    officer = officer or make_officer("assessor", area=institution.area)
    license_for(institution, officer, **changed)
    return actor_of(officer)


def license_for(institution: Institution, officer: Officer, **changed: Any) -> Licence:
    """The officer's licence at the institution."""
    told = {"officer": officer, "id_number": builders.make_id_number(), "categories": (1, 2, 3, 4, 5, 6),
            "valid_from": dt.date(2018, 1, 1), **changed}
    return services.license_assessor(institution, services.Licensing(**told), request_id=request_id(), at=NOON,
                                     by=builders.make_actor("approver", area=institution.area))


def make_session(institution: Institution | None = None, *, area: Area | None = None, **changed: Any) -> Session:
    """Today's assessments at the institution, from eight to five, for ten persons."""
    institution = institution or make_institution()
    area, at = area or institution.area, changed.pop("at", NOON)
    told = {"area": area, "place_kind": "institution", "place": "门诊三楼", "day": TODAY, "starts": dt.time(8),
            "ends": dt.time(17), "categories": EVERY, "capacity": 10, **changed}
    return services.open_session(institution, services.Day(**told), by=builders.make_actor("clerk", area=area),
                                 request_id=request_id(), at=at)


def wanted(area: Area | None = None, **changed: Any) -> services.Wanted:
    """What a case of an adult asks a day for: speech, no dispute."""
    person = changed.pop("person", None) or services.Person("田野", dt.date(1960, 1, 1), "13900000000", "解放路2号")
    told = {"area": area or make_area(), "case_id": next(_cases), "category": 3,
            "person_index": fields.index(builders.make_id_number()), "person": person, **changed}
    return services.Wanted(**told)


def make_appointment(session: Session | None = None, *, area: Area | None = None, **changed: Any) -> Appointment:
    """A place on the day, for a case of its own."""
    session = session or make_session()
    area, at = area or session.area, changed.pop("at", NOON)
    return services.book(session, wanted(area, **changed), by=builders.make_actor("clerk", area=area),
                         request_id=request_id(), at=at)


def signed(by: Actor, appointment: Appointment, answers: dict[str, Any] | None = None,
           at: dt.datetime = NOON) -> services.Signed:
    """The doctor's signature under an assessment."""
    return services.record(appointment, answers or SPEECH, by=by, request_id=request_id(), at=at)


def begun() -> dt.datetime:
    """The first moment of the real today: pages go by the real clock."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def make_session_today(institution: Institution | None = None, **changed: Any) -> Session:
    """Assessments on the real today, all day long."""
    return make_session(institution, **{"day": begun().date(), "starts": dt.time(0), "ends": dt.time(23, 59),
                                        "at": begun(), **changed})


def populate(area: Area, doctor: Officer) -> dict[str, list[int]]:
    """An institution of the area with rows of every kind on the real today; the doctor is licensed there."""
    institution = make_institution(area, name="区残疾评定中心")
    licence, at = license_for(institution, doctor), begun()
    sessions = [make_session_today(institution),
                make_session_today(institution, place_kind="home", point=services.Point(28.2, 112.9))]
    single, multiple = (make_appointment(sessions[0], category=category, at=at) for category in (4, 7))
    person = services.Person("阿依古丽·买买提江", dt.date(1950, 1, 1), "139", "解放路2号", services.Point(28.3, 112.9))
    make_appointment(sessions[1], person=person, at=at)
    done = [make_appointment(sessions[0], at=at) for _ in range(2)]
    other = make_assessor(institution)
    waits, ended = (signed(other, each, at=at).assessment for each in done)
    services.countersign(ended, agrees=True, by=actor_of(doctor), request_id=request_id(), at=at)
    return {"institutions": [institution.pk], "licences": [licence.pk], "days": [one.pk for one in sessions],
            "appointments": [single.pk, multiple.pk, done[0].pk], "assessments": [waits.pk, ended.pk]}
