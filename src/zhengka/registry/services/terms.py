"""The life of a certificate (残疾人证): issued, renewed, followed by another one, frozen, cancelled, restored.

None of these asks for a permission of its own but by the table: cases decide, and call.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform, sub
from zhengka.core.models import province_of
from zhengka.core.scope import seeing_all
from zhengka.formats import certnumber
from zhengka.formats.certnumber import CertNumber
from zhengka.registry.models import Certificate, Holder


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
    loss, a change of category or grade, a correction. Its old number still finds the person.
    """
    old = perform(old, "succeed", by=by, request_id=sub(request_id, "old"), at=at)
    return issue(old.holder, says, by=by, request_id=request_id, at=at)


def move(certificate: Certificate, area: int, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """The certificate goes to another office (迁移); one that was frozen for the delay holds again."""
    return perform(certificate, "move", {"area_id": area, "province": province_of(area)}, by=by,
                   request_id=request_id, at=at, was=certificate.area_id)


def renew(certificate: Certificate, term: tuple[date, date], *, by: Actor, request_id: UUID,
          at: datetime) -> Certificate:
    """Give a valid certificate its next ten years (换领): the number stays; the event keeps the days that it had."""
    return perform(certificate, "renew", {"issued_on": term[0], "valid_until": term[1]}, by=by, request_id=request_id,
                   at=at, was=[certificate.issued_on.isoformat(), certificate.valid_until.isoformat()])


def freeze(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Stop what follows from a certificate without ending it (冻结)."""
    return perform(certificate, "freeze", by=by, request_id=request_id, at=at)


def unfreeze(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Let a frozen certificate hold again (解冻), as if it had never been frozen."""
    return perform(certificate, "unfreeze", by=by, request_id=request_id, at=at)


def cancel(certificate: Certificate, reason: str, barred_until: date | None, *, by: Actor, request_id: UUID,
           at: datetime) -> Certificate:
    """End a certificate (注销); until `barred_until` its category cannot be applied for again (办法 art. 24)."""
    return perform(certificate, "cancel", {"barred_until": barred_until}, by=by, request_id=request_id, at=at,
                   reason=reason)


def restore(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """Undo a wrong cancellation (恢复): the certificate holds as if it had never ended, and bars nothing.

    `Refusal("certificate-opened")` where the holder has another one meanwhile.
    """
    try:
        with transaction.atomic():
            return perform(certificate, "restore", {"barred_until": None}, by=by, request_id=request_id, at=at)
    except IntegrityError as broken:
        if "certificate_number_once" in str(broken) or "certificate_valid_once" in str(broken):
            raise Refusal("certificate-opened") from None
        raise


def current(holder_id: int) -> Certificate | None:
    """The holder's certificate that holds or is frozen, of the newest generation; None where there is none."""
    return Certificate.objects.filter(holder_id=holder_id, state__in=("valid", "frozen")).order_by(
        "-generation").first()


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
    with connection.cursor() as cursor:
        cursor.execute("SELECT category, components, state, barred_until FROM registry_certificates_of(%s)",
                       [person_index])
        return [Had(category, json.loads(parts) if isinstance(parts, str) else parts, state, until)
                for category, parts, state, until in cursor.fetchall()]


def bar(person_index: bytes, category: int, on: date) -> date | None:
    """The last day on which a person may not apply for a category again (办法 art. 24); None where nothing bars it."""
    found = [one.barred_until for one in had(person_index) if one.barred_until and one.barred_until >= on
             and category in {one.category, *(part[0] for part in one.components)}]
    return max(found, default=None)
