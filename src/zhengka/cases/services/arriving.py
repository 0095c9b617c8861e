"""Arrivals (迁入): of who brings a certificate of an office elsewhere, and of a move between two of the platform."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengka.areas.calendars import is_minor
from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.eligible import check_term, refuse_unfit
from zhengka.cases.services.leaving import check_reach, departures
from zhengka.cases.services.moving import day, decided, part
from zhengka.cases.services.opening import (
    Guardian,
    as_told,
    at_first,
    begin_case,
    check_guardian,
    sealed,
    told,
    with_phones,
)
from zhengka.cases.workflow import named
from zhengka.core import fields
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform, replayed
from zhengka.core.scope import seeing_all
from zhengka.formats import certnumber, idnumber
from zhengka.formats.certnumber import GUARDED
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE, Certificate
from zhengka.registry.services import Person


@dataclass(frozen=True)
class Brought:
    """The certificate that somebody brings along: number, first and last day."""

    number: str = field(repr=False)
    issued_on: date
    valid_until: date


def apply_arrival(person: Person, brought: Brought, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the arrival (迁入) of a person who brings the certificate of another office along: one that is not on this
    platform, or one that is, and let the person go without knowing where to. Then this is the other side of that move.

    `Refusal`: as `apply`, for the category that is certified; `cert-number-wrong` where the number is none or is
    another person's, `term-impossible` and `brought-expired` where its days are, `departure-missing` where an office of
    the platform holds just this certificate, of this name, and has not let it go, `request-id-reused` where it was
    another arrival's.
    """
    try:
        read, own = certnumber.parse(brought.number), idnumber.parse(person.id_number)
    except (certnumber.BadCertNumber, idnumber.BadIdNumber) as bad:
        raise Refusal("cert-number-wrong", fault=bad.code) from None
    if read.id18 != own.id18:
        raise Refusal("cert-number-wrong", fault="id-mismatch")
    person = with_phones(person)
    index, today, asked = fields.index(own.id18), day(at), Asked(by, request_id, at)
    term = [brought.issued_on.isoformat(), brought.valid_until.isoformat()]
    said: dict[str, Any] = {"person": asdict(person), "number": str(read), "term": term}
    if event := replayed(request_id, Case.kind()):
        _same(Case.get(event.subject_id), area, index, said)
        raise Replayed(event)
    if own.birth > today:
        raise Refusal("birth-after-application")
    check_term(own.birth, brought.issued_on, brought.valid_until, today)
    minor = is_minor(own.birth, today)
    check_guardian(Guardian.of(person), index, today, needed=minor or read.category in GUARDED)
    if by.may("case.open") and (departure := _let_go(index, person.name, str(read))):
        return _name(departure, person, said, area, asked)
    refuse_unfit(index, read.category, asked, holds="departure-missing" if _holds(person.name, str(read)) else "")
    case = Case(kind_of_case="transfer_in_nation", area=area, name=person.name, person_index=index, minor=minor)
    return begin_case(case, said, asked)


def _same(first: Case, area: Area, index: bytes, said: dict[str, Any]) -> None:
    """A repeat says what the first one said; `Refusal("request-id-reused")` for anything else (I17)."""
    known = told(first)
    kept = known.get("said", at_first(known))
    if (first.area_id, bytes(first.person_index), kept) != (area.pk, index, said):
        raise Refusal("request-id-reused")


def open_arrival(departure: Case, to: Area, asked: Asked, person: Person | None = None, **also: Any) -> Case:
    """Open the arrival of a departure at the other office. The record stays the old office's until the end: what the
    new one must know of it, the case is told, and `also` what else. `person`: as they stand at the counter there.
    """
    holder = departure.holder
    certificate = registry.current(holder.pk) if holder else None
    if holder is None or certificate is None:
        raise Refusal("certificate-missing")
    phone, address = (person.phone, person.address) if person else registry.reached(holder)
    guardian = Guardian.of(person) if person and person.guardian_name.strip() else Guardian(
        *registry.guardian_of(holder))
    known = {"from": departure.area_id, "wanted": certificate.category, "grade": certificate.grade,
             "met": {"born": holder.birth_date.isoformat(), "phone": phone, "address": address,
                     "wishes": person.wishes if person else " ".join(registry.wishes_of([holder])[0]),
                     **as_told(guardian)}, **also}
    case = Case(kind_of_case=departure.kind_of_case.replace("_out_", "_in_"), area=to, name=holder.name,
                person_index=bytes(holder.id_index), minor=is_minor(holder.birth_date, day(asked.at)), holder=holder,
                certificate=certificate)
    return begin_case(case, known, asked)


def _holds(name: str, number: str) -> bool:
    """True where this very certificate is in force on the platform: what is said then, the certificate itself says."""
    with transaction.atomic(), seeing_all(connection):
        return Certificate.objects.filter(number_index=fields.index(number), state__in=IN_FORCE,
                                          holder__name=name).exists()


def _let_go(index: bytes, name: str, number: str) -> Case | None:
    """The departure of a person that was decided without knowing where to; name and number must be the record's."""
    with transaction.atomic(), seeing_all(connection):
        for case in departures().filter(person_index=index, counterpart__isnull=True, holder__name=name):
            certificate = registry.current(case.holder_id or 0)
            known = certificate is not None and bytes(certificate.number_index) == fields.index(number)
            if known and decided(case) and not told(case).get("to"):
                return case
    return None


@transaction.atomic
def _name(departure: Case, person: Person, said: dict[str, Any], area: Area, asked: Asked) -> Case:
    """Take the other side of a departure up; both say so."""
    lo, hi = WHOLE_NATION
    everywhere = replace(part(asked, "named"), by=replace(asked.by, lo=lo, hi=hi))
    if area.pk == departure.area_id:
        raise Refusal("move-nowhere")
    check_reach(departure.kind_of_case, departure.area_id, area.pk)
    with seeing_all(connection):
        (departure,) = lock(departure)  # what it was told is read behind it: a guardian may be named at this moment
        if departure.counterpart_id is not None or not decided(departure):
            raise Refusal("departure-missing")
        known = told(departure) | {"to": area.pk}
        arrival = open_arrival(departure, area, asked, person, said=said)
        perform(departure, named(departure.state), {"counterpart": arrival, "heads_for": area, "told": sealed(known)},
                office=area.name, **vars(everywhere))
    return arrival
