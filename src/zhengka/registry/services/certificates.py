"""Certificates (残疾人证) in the exchange: opened with a card, returned against one. Each step also for many."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, begin, perform, perform_many
from zhengka.core.models import PROVINCE_FACTOR, sequence
from zhengka.registry.models import Certificate

OPEN_MANY = """
WITH made AS (
    INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                      category, grade, components, replacement, issued_on, valid_until)
    SELECT old.province * %(factor)s::bigint + nextval(%(sequence)s), old.province, old.area, 'valid', 1,
           old.holder_id, 3, old.number, old.number_index, old.category, old.grade, old.components, old.replacement,
           %(issued_on)s, %(valid_until)s
    FROM registry_certificate old
    WHERE old.id = ANY(%(ids)s) AND old.generation = 2 AND old.state = 'valid'
      AND old.area BETWEEN %(lo)s AND %(hi)s
      AND NOT EXISTS (SELECT FROM registry_certificate new WHERE new.number_index = old.number_index
                                                             AND new.generation = 3)
    ORDER BY old.id
    RETURNING id, province, area
), told AS (
    INSERT INTO core_event (province, area, subject, subject_id, version, action, source, target,
                            actor_id, actor_name, person, request_id, at, facts)
    SELECT province, area, 'certificate', id, 1, 'issue', '', 'valid', %(actor)s, %(actor_name)s, %(person)s,
           md5(%(request_id)s || ':' || id)::uuid, %(at)s, %(facts)s::jsonb FROM made
)
SELECT id FROM made ORDER BY id
"""


@transaction.atomic
def open_certificate(old: Certificate, *, issued_on: date, valid_until: date, by: Actor, request_id: UUID,
                     at: datetime) -> Certificate:
    """Open the third-generation certificate that takes over number, category and grade of a valid second-generation
    one. The calling use case has checked the permission.

    `Refusal("certificate-missing")` where `old` is not a valid second-generation certificate.
    """
    old = Certificate.objects.select_for_update(of=("self",)).get(pk=old.pk)
    if old.generation != 2 or old.state != "valid":
        raise Refusal("certificate-missing")
    return begin(Certificate(
        province=old.province, area_id=old.area_id, holder_id=old.holder_id, generation=3, number=old.number,
        number_index=old.number_index, category=old.category, grade=old.grade, components=old.components,
        replacement=old.replacement, issued_on=issued_on, valid_until=valid_until,
    ), "issue", "case.approve", by=by, request_id=request_id, at=at, generation=3)


def open_certificates_many(certificate_ids: Sequence[int], *, issued_on: date, valid_until: date, by: Actor,
                           request_id: UUID, at: datetime) -> list[int]:
    """`open_certificate` for many; the ids of the new ones. What is not valid, or has its third-generation
    certificate already, is left alone, so a repeat opens nothing twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(OPEN_MANY, {
            "factor": PROVINCE_FACTOR, "sequence": sequence(Certificate), "ids": list(certificate_ids),
            "issued_on": issued_on, "valid_until": valid_until, "lo": by.lo, "hi": by.hi, "actor": by.id,
            "actor_name": by.name, "person": by.person, "request_id": str(request_id), "at": at,
            "facts": json.dumps({"generation": 3, **by.on_behalf("case.approve")})})
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def return_certificate(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """The holder gives a certificate back (交回), against a card."""
    return perform(certificate, "return", by=by, request_id=request_id, at=at)


def return_certificates_many(holder_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """`return_certificate` for the valid second-generation certificates of many holders; the ids of those returned."""
    ids = Certificate.objects.filter(holder_id__in=list(holder_ids), generation=2, state="valid")
    return perform_many(Many(Certificate, list(ids.values_list("pk", flat=True)), "valid"), "return", by=by,
                        request_id=request_id, at=at)
