"""Certificates of many holders are renewed, or followed by others (换领, 换证), by one statement for each step.

What `terms` does one by one: the same rows and events; a test holds both ways side by side.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Many, begin_many, perform_many
from zhengka.core.models import PROVINCE_FACTOR, sequence
from zhengka.formats import certnumber
from zhengka.formats.certnumber import CertNumber
from zhengka.registry.models import IN_FORCE, Certificate
from zhengka.registry.services.terms import Content

ISSUE_MANY: Final = """
    INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                      category, grade, components, replacement, issued_on, valid_until)
    SELECT h.area / 10000000000 * %(factor)s::bigint + nextval(%(sequence)s), h.area / 10000000000, h.area, 'valid', 1,
           h.id, 3, n.number, n.number_index, n.category, n.grade, n.components, n.replacement, n.issued_on,
           n.valid_until
    FROM unnest(%(holders)s::bigint[], %(numbers)s::bytea[], %(indexes)s::bytea[], %(categories)s::int[],
                %(grades)s::int[], %(components)s::jsonb[], %(replacements)s::int[], %(issued)s::date[],
                %(until)s::date[])
         AS n (holder, number, number_index, category, grade, components, replacement, issued_on, valid_until)
    JOIN registry_holder h ON h.id = n.holder
    ORDER BY h.id
"""


def in_force(holder_ids: Iterable[int]) -> dict[int, list[Certificate]]:
    """The valid and frozen certificates of each holder that has any, the newest generation first."""
    found: dict[int, list[Certificate]] = {}
    rows = Certificate.objects.filter(holder_id__in=set(holder_ids), state__in=IN_FORCE)
    for one in rows.order_by("holder_id", "-generation"):
        found.setdefault(one.holder_id, []).append(one)
    return found


def numbers_of(certificates: Sequence[Certificate]) -> list[CertNumber]:
    """The number of each certificate, opened as one column."""
    return [certnumber.parse(text) for text in
            fields.open_many([bytes(one.number) for one in certificates], "certificate.number")]


def renew_many(certificate_ids: Sequence[int], term: tuple[date, date], *, by: Actor, request_id: UUID,
               at: datetime) -> list[int]:
    """`renew` for many certificates that get the same term, in the caller's transaction; their ids.

    `Refusal("not-found")` where one is not valid or not in the actor's area: then the caller gives the whole set up.
    """
    rows = Many(Certificate, certificate_ids, "valid", was=", issued_on, valid_until",
                told="jsonb_build_object('was', jsonb_build_array(asked.issued_on, asked.valid_until))",
                also=", issued_on = %(first)s, valid_until = %(last)s", values={"first": term[0], "last": term[1]})
    return _whole(perform_many(rows, "renew", by=by, request_id=request_id, at=at), certificate_ids)


def succeed_many(olds: Sequence[tuple[Certificate, Content]], *, by: Actor, request_id: UUID,
                 at: datetime) -> list[int]:
    """`succeed` for many: each old certificate ends, with every other one of its holder, and what is said of it opens;
    the ids of the new ones.

    `Refusal("not-found")` as `renew_many`; an IntegrityError where a number, or a holder, has another one.
    """
    holders = [old.holder_id for old, _ in olds]
    ends = [one.pk for each in in_force(holders).values() for one in each]
    _whole(perform_many(Many(Certificate, ends, "valid"), "succeed", by=by, request_id=request_id, at=at), ends)
    numbers, says = [str(each.number) for _, each in olds], [each for _, each in olds]
    rows = Begun(Certificate, ISSUE_MANY, "valid", {
        "factor": PROVINCE_FACTOR, "sequence": sequence(Certificate), "holders": holders,
        "numbers": fields.close_many(numbers, "certificate.number"), "indexes": fields.index_many(numbers),
        "categories": [each.number.category for each in says], "grades": [each.number.grade for each in says],
        "components": [json.dumps([list(part) for part in each.components]) for each in says],
        "replacements": [each.number.replacement for each in says], "issued": [each.term[0] for each in says],
        "until": [each.term[1] for each in says]})
    made = begin_many(rows, "issue", "case.approve", by=by, request_id=request_id, at=at, generation=3)
    return _whole([pk for pk, in made], olds)


def _whole(done: list[int], asked: Sequence[object]) -> list[int]:
    if len(done) != len(asked):
        raise Refusal("not-found")
    return done
