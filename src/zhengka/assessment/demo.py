"""The demonstration's institutions: one in each city, with two doctors and some days ahead."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from uuid import UUID, uuid5

from zhengka.accounts import demo
from zhengka.accounts.models import Officer
from zhengka.accounts.services import Account, actor_of, enrol
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Assessment, Institution, Session
from zhengka.assessment.services import (
    Day,
    Designation,
    Licensing,
    license_assessor,
    open_session,
    register_institution,
)
from zhengka.core.actors import Actor
from zhengka.formats import idnumber
from zhengka.formats.certnumber import CATEGORIES
from zhengka.formats.verdict import CHINA

DOCTORS = ("方琳", "罗涛")
DAYS = ((1, "institution", "门诊楼三层残疾评定室"), (2, "camp", "社区卫生服务中心"), (3, "home", "机构正门集合"))
"""Days from now → what kind of day, and where."""
OPENS, CLOSES = time(8, 30), time(17)
CAPACITY = 40
_NAMESPACE = UUID("6f0d2a52-9df5-5c40-9d5e-3f6a3c1c9a10")


def furnish(cities: Iterable[Area], *, by: Actor, clerk: Actor, at: datetime,
            also: Officer | None = None) -> list[Institution]:
    """One institution for each city, with two licensed doctors (logins `assessor-<city>-<n>`, the demo's password) and
    three days ahead; what a city has already stays. Today is a day, too, open until its end, and where no day is ahead
    any more, three are opened again. `by` designates, `clerk` opens the days, `also`: a doctor who answers for all
    these cities and is licensed in each.
    """
    found = []
    for city in cities:
        institution = Institution.objects.filter(area=city, state="designated").first()
        found.append(institution or _furnish(city, by=by, at=at, also=also))
        day_of(city, clerk=clerk, at=at)
        _open_days(found[-1], clerk=clerk, at=at)
    return found


def place_of(office: Area) -> Area:
    """Where people of an office are assessed: at the institution of the office itself, else of the one above it."""
    own = Institution.objects.filter(area__in=(office, office.parent), state="designated").order_by("-area").first()
    return own.area if own else office


def day_of(city: Area, *, clerk: Actor, at: datetime) -> Session:
    """The working day of a moment at the institution of a city, for what is assessed on it; opened once. In the evening
    its end is midnight, so that what is shown then can be booked.
    """
    institution = Institution.objects.get(area=city, state="designated")
    on, now = at.astimezone(CHINA).date(), at.astimezone(CHINA).time()
    found = Session.objects.filter(institution=institution, day=on, place=DAYS[0][2], ends__gt=now,
                                   state="open").first()
    return found or open_session(institution, Day(
        city, "institution", DAYS[0][2], on, *((OPENS, CLOSES) if now < CLOSES else (OPENS, time(23, 59, 59))),
        CATEGORIES, CAPACITY), by=clerk, request_id=_key(city, f"day of {on} {now < CLOSES}"), at=at)


def doctor_for(appointment: Appointment) -> Actor:
    """The first doctor of the institution who has signed nothing of this person: in a dispute nobody signs again."""
    signed = Assessment.objects.filter(person_index=bytes(appointment.person_index)).values("first_person")
    licences = appointment.session.institution.licences.filter(state="licensed").exclude(person__in=signed)
    return actor_of(licences.select_related("officer__area").order_by("pk")[0].officer)


def _furnish(city: Area, *, by: Actor, at: datetime, also: Officer | None) -> Institution:
    today = at.astimezone(CHINA).date()
    since = today.replace(year=today.year - 1, month=1, day=1)
    institution = register_institution(Designation(
        city, f"{city.name}残疾评定中心（演示）", f"{city.name}（演示）", CATEGORIES,
        since, None, "演示文件，非真实指定"),
        by=by, request_id=_key(city, "institution"), at=at)
    doctors = [(_doctor(city, number, name), _id_number(city, number)) for number, name in enumerate(DOCTORS, 1)]
    for number, (officer, own) in enumerate([*doctors, *([(also, ALSO)] if also else [])], 1):
        license_assessor(institution, Licensing(officer, own, [c for c in CATEGORIES if c < 7], since),
                         by=by, request_id=_key(city, f"licence {number}"), at=at)
    return institution


def _open_days(institution: Institution, *, clerk: Actor, at: datetime) -> None:
    """Three days ahead, where none is."""
    city, today = institution.area, at.astimezone(CHINA).date()
    if Session.objects.filter(institution=institution, day__gt=today, state="open").exists():
        return
    for ahead, kind, place in DAYS:
        on = today + timedelta(ahead)
        open_session(institution, Day(city, kind, place, on, OPENS, CLOSES, CATEGORIES, CAPACITY),
                     by=clerk, request_id=_key(city, f"day {on}"), at=at)


def _doctor(city: Area, number: int, name: str) -> Officer:
    username = f"assessor-{city.code // 10**8}-{number}"
    return enrol(Account(username, name, f"demo-{username}", "assessor", city, demo.password()),
                 request_id=_key(city, username))


def _id_number(city: Area, number: int) -> str:
    """A number that nobody has: no division ever had its first six digits."""
    return _whole(f"43990119700101{city.code // 10**8 % 100:02d}{number}")


def _whole(first17: str) -> str:
    return first17 + idnumber.check_digit(first17)


ALSO = _whole("43990119700101009")
"""The number of the doctor of all cities; nobody has it either."""


def _key(city: Area, what: str) -> UUID:
    return uuid5(_NAMESPACE, f"{city.code} {what}")
