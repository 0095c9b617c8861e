"""Who may assess, where and when: designated institutions (指定机构), licences of doctors, days of assessments."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment.models import Institution, Licence, Session
from zhengka.assessment.routes import Point
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed
from zhengka.core.models import Stateful, province_of
from zhengka.formats import idnumber
from zhengka.formats.verdict import CHINA


@dataclass(frozen=True)
class Designation:
    """What the joint document of health office and 残联 says of an institution (办法 art. 6)."""

    area: Area
    name: str
    address: str
    categories: Iterable[int]
    valid_from: date
    valid_to: date | None
    document: str


@dataclass(frozen=True)
class Licensing:
    """Whom an institution lets assess what, and until when. `id_number`: the doctor's own; only its index is kept."""

    officer: Officer
    id_number: str = field(repr=False)
    categories: Iterable[int]
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class Day:
    """A day of assessments. `area`: whom it serves, within the institution's own; `point`: where home visits start."""

    area: Area
    place_kind: str
    place: str
    day: date
    starts: time
    ends: time
    categories: Iterable[int]
    capacity: int
    point: Point | None = None


@transaction.atomic
def register_institution(wanted: Designation, *, by: Actor, request_id: UUID,
                         at: datetime | None = None) -> Institution:
    """Enter a designated institution (指定评定机构). `Refusal`: `not-permitted`, `not-found`, `institution-known`."""
    _permit("assessment.designate", wanted.area, by)
    _once(Institution, request_id)
    if Institution.objects.filter(area=wanted.area, name=wanted.name).exists():
        raise Refusal("institution-known")
    return begin(Institution(
        province=province_of(wanted.area.code), area=wanted.area, last=wanted.area.last, name=wanted.name,
        address=wanted.address, categories=sorted(set(wanted.categories)), valid_from=wanted.valid_from,
        valid_to=wanted.valid_to, document=wanted.document),
        "designate", "assessment.designate", by=by, request_id=request_id, at=at)


@transaction.atomic
def end_designation(institution: Institution, *, by: Actor, request_id: UUID, at: datetime) -> Institution:
    """Nothing more is assessed there (取消指定). What was signed stays; booked cases get other days."""
    return perform(institution, "end_designation", by=by, request_id=request_id, at=at)


@transaction.atomic
def license_assessor(institution: Institution, wanted: Licensing, *, by: Actor, request_id: UUID,
                     at: datetime | None = None) -> Licence:
    """Let a doctor assess at an institution (评定资格).

    `Refusal`: `not-permitted`, `not-found`, `own-account` (nobody licenses themselves), `assessor-unfit`,
    `institution-not-valid` (categories that it does not assess), `licence-known`. An ID number that is none:
    `BadIdNumber`.
    """
    _permit("assessment.designate", institution.area, by)
    _once(Licence, request_id)
    (institution,) = lock(institution)
    officer, categories = wanted.officer, sorted(set(wanted.categories))
    if officer.person == by.person:
        raise Refusal("own-account")
    if officer.role != "assessor" or not officer.is_active or not (
            officer.area.code <= institution.area_id and institution.last <= officer.area.last):
        raise Refusal("assessor-unfit")
    if institution.state != "designated" or not set(categories) <= set(institution.categories):
        raise Refusal("institution-not-valid")
    if institution.licences.filter(officer=officer, state="licensed").exists():
        raise Refusal("licence-known")
    return begin(Licence(
        province=institution.province, area_id=institution.area_id, institution=institution, officer=officer,
        person=officer.person, person_index=fields.index(idnumber.parse(wanted.id_number).id18),
        categories=categories, valid_from=wanted.valid_from, valid_to=wanted.valid_to),
        "license", "assessment.designate", by=by, request_id=request_id, at=at)


@transaction.atomic
def revoke_licence(licence: Licence, *, by: Actor, request_id: UUID, at: datetime) -> Licence:
    """The doctor signs no more at this institution (取消评定资格)."""
    return perform(licence, "revoke_licence", by=by, request_id=request_id, at=at)


@transaction.atomic
def open_session(institution: Institution, wanted: Day, *, by: Actor, request_id: UUID, at: datetime) -> Session:
    """Open a day of assessments (评定日) for an office's area, at the institution, from home to home, or as a camp.

    `Refusal`: `not-permitted`, `not-found`, `session-past` (it has ended), `session-elsewhere` (an area that the
    institution does not serve), `institution-not-valid` (on that day, or for one of the categories).
    """
    _permit("assessment.plan", wanted.area, by)
    _once(Session, request_id)
    institution = Institution.objects.get(pk=institution.pk)  # an office below sees it and may not lock it
    categories = sorted(set(wanted.categories))
    if at >= datetime.combine(wanted.day, wanted.ends, CHINA):
        raise Refusal("session-past")
    if not (institution.area_id <= wanted.area.code and wanted.area.last <= institution.last):
        raise Refusal("session-elsewhere")
    if not is_valid(institution, categories, wanted.day):
        raise Refusal("institution-not-valid")
    latitude, longitude = wanted.point or (None, None)
    return begin(Session(
        province=province_of(wanted.area.code), area=wanted.area, last=wanted.area.last, institution=institution,
        place_kind=wanted.place_kind, place=wanted.place, latitude=latitude, longitude=longitude, day=wanted.day,
        starts=wanted.starts, ends=wanted.ends, categories=categories, capacity=wanted.capacity,
        opened_at=at),
        "open", "assessment.plan", by=by, request_id=request_id, at=at)


@transaction.atomic
def call_off(session: Session, *, by: Actor, request_id: UUID, at: datetime) -> Session:
    """A day of assessments on which nobody is expected does not take place (取消出诊)."""
    return perform(session, "call_off", by=by, request_id=request_id, at=at)


def is_valid(institution: Institution, categories: Iterable[int], on: date) -> bool:
    """True where an institution may assess these categories on a day."""
    return (institution.state == "designated" and institution.valid_from <= on
            and (institution.valid_to is None or on <= institution.valid_to)
            and set(categories) <= set(institution.categories))


def _permit(permission: str, area: Area, by: Actor) -> None:
    if not by.may(permission):
        raise Refusal("not-permitted", permission=permission)
    if not (by.sees(area.code) and by.sees(area.last)):
        raise Refusal("not-found")


def _once(model: type[Stateful], request_id: UUID) -> None:
    if event := replayed(request_id, model.kind()):
        raise Replayed(event)
