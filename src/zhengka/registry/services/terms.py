"""The life of a certificate (残疾人证): issued, renewed, followed by another one, frozen, cancelled, restored.

None of these asks for a permission of its own but by the table: cases decide, and call.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min

from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, lock, perform, sub
from zhengka.core.models import Event, province_of
from zhengka.core.scope import seeing_all
from zhengka.formats import certnumber
from zhengka.formats.certnumber import CertNumber
from zhengka.registry.models import IN_FORCE, Certificate, Holder
from zhengka.registry.workflow import DEATH_REPORTED, FROZEN_FOR


@dataclass(frozen=True)
class Finding:
    """Category and grade (GB/T 26341) as two persons decided; `components` of a multiple disability."""

    category: int
    grade: int
    components: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Content:
    """What a certificate says: its number with category and grade, first and last day, parts of a multiple one."""

    number: CertNumber
    term: tuple[date, date]
    components: Sequence[Sequence[int]] = ()


def issue(holder: Holder, says: Content, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Open a certificate of the third generation with a number of its own (核发). The calling use case has checked the
    permission.

    `Refusal("certificate-opened")` where the holder, or the number, has a valid or frozen one.
    """
    number, text = says.number, str(says.number)
    try:
        with transaction.atomic():
            return begin(Certificate(
                province=province_of(holder.area_id), area_id=holder.area_id, holder=holder, generation=3,
                number=fields.close(text, "certificate.number"), number_index=fields.index(text),
                category=number.category, grade=number.grade, components=[list(part) for part in says.components],
                replacement=number.replacement, issued_on=says.term[0], valid_until=says.term[1],
            ), "issue", "case.approve", by=by, request_id=request_id, at=at, generation=3)
    except IntegrityError as broken:
        if "certificate_number_once" in str(broken) or "certificate_valid_once" in str(broken):
            raise Refusal("certificate-opened") from None
        raise


def succeed(old: Certificate, says: Content, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """End a valid certificate and open the one with the new number in its place (换证): after a
    loss, a change of category or grade, a correction. Its old number still finds the person. The paper one of a holder
    whose card is still on order says the same as the old, and ends with it.
    """
    rows = Certificate.objects.filter(holder_id=old.holder_id, state__in=IN_FORCE).exclude(pk=old.pk)
    for one in lock(old, *rows):
        perform(one, "succeed", by=by, request_id=sub(request_id, "old" if one.pk == old.pk else one.pk), at=at)
    return issue(old.holder, says, by=by, request_id=request_id, at=at)


def move(certificate: Certificate, area: int, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """The certificate goes to another office (迁移), frozen if it was."""
    return perform(certificate, "move", {"area_id": area, "province": province_of(area)}, by=by,
                   request_id=request_id, at=at, was=certificate.area_id)


def renew(certificate: Certificate, term: tuple[date, date], *, by: Actor, request_id: UUID,
          at: datetime) -> Certificate:
    """Give a valid certificate its next ten years (换领): the number stays; the event keeps the days that it had."""
    return perform(certificate, "renew", {"issued_on": term[0], "valid_until": term[1]}, by=by, request_id=request_id,
                   at=at, was=[certificate.issued_on.isoformat(), certificate.valid_until.isoformat()])


def freeze(certificate: Certificate, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Stop what follows from a certificate without ending it (冻结), for a reason of `FROZEN_FOR`."""
    return perform(certificate, "freeze", {"frozen_for": reason}, by=by, request_id=request_id, at=at, reason=reason)


def unfreeze(certificate: Certificate, ended: Collection[str] = FROZEN_FOR, *, by: Actor, request_id: UUID,
             at: datetime) -> Certificate:
    """Let a frozen certificate hold again (解冻), as if it had never been frozen. `ended`: the reasons that have ended;
    two persons' decision ends any.

    `Refusal("certificate-not-valid")` where it is frozen for another one.
    """
    (certificate,) = lock(certificate)
    if certificate.state == "frozen" and certificate.frozen_for not in ended:
        raise Refusal("certificate-not-valid", state="frozen")
    return perform(certificate, "unfreeze", {"frozen_for": ""}, by=by, request_id=request_id, at=at,
                   reason=certificate.frozen_for)


def cancel(certificate: Certificate, reason: str, barred_until: date | None, *, by: Actor, request_id: UUID,
           at: datetime) -> Certificate:
    """End a certificate (注销); until `barred_until` its category cannot be applied for again (办法 art. 24)."""
    return perform(certificate, "cancel", {"barred_until": barred_until}, by=by, request_id=request_id, at=at,
                   reason=reason)


def restore(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Undo a wrong cancellation (恢复): the certificate is as if it had never ended, and bars nothing. One that was
    frozen is so again, unless for a reported death: whose certificate is restored lives. The paper one that ended with
    it, because its card was on order, is restored, too.

    `Refusal("certificate-opened")` where the holder has another one meanwhile.
    """
    papers = Certificate.objects.filter(holder_id=certificate.holder_id, state="cancelled").exclude(pk=certificate.pk)
    ended = _ended_at(certificate)
    certificate, *others = lock(certificate, *[one for one in papers if ended and _ended_at(one) == ended])
    try:
        with transaction.atomic():
            for one in others:
                _restored(one, by, sub(request_id, one.pk), at)
            return _restored(certificate, by, request_id, at)
    except IntegrityError as broken:
        if "certificate_number_once" in str(broken) or "certificate_valid_once" in str(broken):
            raise Refusal("certificate-opened") from None
        raise


def _restored(certificate: Certificate, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    still = certificate.frozen_for not in ("", DEATH_REPORTED)
    also = {"barred_until": None, "frozen_for": certificate.frozen_for if still else ""}
    return perform(certificate, "restore_frozen" if still else "restore", also, by=by, request_id=request_id, at=at)


def _ended_at(certificate: Certificate) -> datetime | None:
    """When a certificate was cancelled last."""
    told = Event.objects.filter(subject="certificate", subject_id=certificate.pk, action="cancel")
    return told.order_by("-version").values_list("at", flat=True).first()


def current(holder_id: int) -> Certificate | None:
    """The holder's certificate that holds or is frozen, of the newest generation; None where there is none."""
    return Certificate.objects.filter(holder_id=holder_id, state__in=("valid", "frozen")).order_by(
        "-generation").first()


def first_issued(holder: Holder) -> date:
    """The day on which the holder's certificate was issued first: what took its place since counts from there."""
    found = holder.certificates.exclude(state="cancelled").aggregate(first=Min("issued_on"))["first"]
    return date.min if found is None else found


def number_of(certificate: Certificate) -> CertNumber:
    """The certificate's number."""
    return certnumber.parse(fields.open_(bytes(certificate.number), "certificate.number"))


def replacements(holder: Holder) -> int:
    """How often a certificate of this person was replaced after a loss, at whichever office: `n` of the suffix `Bn`.
    It stays, so that no number that was lost ever holds again.
    """
    with seeing_all(connection):
        return holder.certificates.aggregate(most=Max("replacement"))["most"] or 0


class Had(NamedTuple):
    """A certificate that a person has or had, at whichever office: what bars an application, and no more."""

    category: int
    components: list[list[int]]
    state: str
    barred_until: date | None


def had(person_index: bytes) -> list[Had]:
    """Every certificate of a person in the nation, asked of the database beyond the scope of the one who asks (I2)."""
    return had_many([person_index]).get(person_index, [])


def had_many(person_indexes: Iterable[bytes]) -> dict[bytes, list[Had]]:
    """The same of many persons by one statement; who never had any is left out."""
    found: dict[bytes, list[Had]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT who.person, c.category, c.components, c.state, c.barred_until "
                       "FROM unnest(%s::bytea[]) AS who (person), registry_certificates_of(who.person) c",
                       [sorted(set(person_indexes))])
        for person, category, parts, state, until in cursor.fetchall():
            components = json.loads(parts) if isinstance(parts, str) else parts
            found.setdefault(bytes(person), []).append(Had(category, components, state, until))
    return found


def bar(had: Iterable[Had], categories: Collection[int], on: date) -> date | None:
    """The last day on which who had these certificates may not apply for one of these categories again (办法 art. 24);
    None where nothing bars any of them.
    """
    found = [one.barred_until for one in had if one.barred_until and one.barred_until >= on
             and not {one.category, *(part[0] for part in one.components)}.isdisjoint(categories)]
    return max(found, default=None)
