"""Certificates (残疾人证) in the exchange: opened with a card, returned against one. Each step also for many."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Many, begin, begin_many, perform, perform_many
from zhengka.core.models import PROVINCE_FACTOR, sequence
from zhengka.registry.models import IN_FORCE, Certificate, Holder

OPEN_MANY = """
    INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                      category, grade, components, replacement, issued_on, valid_until)
    SELECT old.province * %(factor)s::bigint + nextval(%(sequence)s), old.province, old.area, 'valid', 1,
           old.holder_id, 3, old.number, old.number_index, old.category, old.grade, old.components, old.replacement,
           %(issued_on)s, %(valid_until)s
    FROM registry_certificate old
    WHERE old.id = ANY(%(ids)s) AND old.generation = 2 AND old.state = 'valid'
      AND old.area BETWEEN %(lo)s AND %(hi)s
      AND NOT EXISTS (SELECT FROM registry_certificate new WHERE new.number_index = old.number_index
                                                             AND new.generation = 3
                                                             AND new.state IN ('valid', 'frozen'))
    ORDER BY old.id
"""


def hold_with_records(holder_ids: Iterable[int]) -> None:
    """Keep the records of these holders and their certificates as they are for the rest of the transaction.

    Whoever decides on certificates calls it: cases are locked before records, records before certificates, by
    everybody, for what was decided may be kept in both.
    """
    ids = set(holder_ids)
    list(Holder.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    hold(ids)


def hold(holder_ids: Iterable[int]) -> None:
    """Keep the certificates of these holders as they are for the rest of the transaction.

    Whoever makes a card usable calls it before anything else is read: certificates are locked before cards, by
    everybody, so that none is frozen or ended between the look at it and what follows from that.
    """
    rows = Certificate.objects.filter(holder_id__in=set(holder_ids), state__in=IN_FORCE)
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))


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
    """`open_certificate` for many; the ids of the new ones. What is not valid, or has a third-generation
    certificate in force already, is left alone, so a repeat opens nothing twice.
    """
    rows = Begun(Certificate, OPEN_MANY, "valid", {
        "factor": PROVINCE_FACTOR, "sequence": sequence(Certificate), "ids": list(certificate_ids),
        "issued_on": issued_on, "valid_until": valid_until})
    return [pk for pk, in begin_many(rows, "issue", "case.approve", by=by, request_id=request_id, at=at, generation=3)]


@transaction.atomic
def return_certificate(certificate: Certificate, *, by: Actor, request_id: UUID, at: datetime) -> Certificate:
    """The holder gives a certificate back (交回), against a card."""
    return perform(certificate, "return", by=by, request_id=request_id, at=at)


def return_certificates_many(holder_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """`return_certificate` for the valid second-generation certificates of many holders; the ids of those returned."""
    ids = Certificate.objects.filter(holder_id__in=list(holder_ids), generation=2, state="valid")
    return perform_many(Many(Certificate, list(ids.values_list("pk", flat=True)), "valid"), "return", by=by,
                        request_id=request_id, at=at)
