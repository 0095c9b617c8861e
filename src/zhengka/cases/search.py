"""Cases found by their number (办理编号), or by who applied: also applicants who have no record yet."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from django.db import connection
from django.db.models import Q

from zhengka.cases.models import UNRECORDED, Case, seen_by
from zhengka.cases.queries import OWN
from zhengka.cases.workflow import ARRIVALS
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.formats import idnumber
from zhengka.formats.idnumber import BadIdNumber

NUMBER = re.compile(r"[0-9]{15}")
"""A case's number is its row's id: the province's two digits, then thirteen."""
LAST_CHARACTER = "\U0010ffff"
UNRECORDED_SQL = f"(holder_id IS NULL OR (kind_of_case IN {ARRIVALS} AND state <> 'ordered'))"
"""`models.UNRECORDED` as the index `case_by_applicant` has it."""
BY_NAME = f"""
SELECT DISTINCT c.id, c.name FROM areas_area a, LATERAL (
    (SELECT id, name FROM cases_case WHERE area = a.code AND {UNRECORDED_SQL}
       AND name >= %(low)s AND name < %(high)s ORDER BY name, id LIMIT %(limit)s)
    UNION ALL (SELECT id, name FROM cases_case WHERE shared_with = a.code
       AND name >= %(low)s AND name < %(high)s ORDER BY name, id LIMIT %(limit)s)) c
WHERE {OWN} ORDER BY c.name, c.id LIMIT %(limit)s
"""
"""One short index scan for each office in range, of its cases without a record and of those it received for another."""


def by_number(text: str, *, actor: Actor) -> Case | None:
    """The case of this number in the actor's reach, spaces and full-width digits aside; None for anything else."""
    number = "".join(unicodedata.normalize("NFKC", text).split())
    if not actor.may("case.read") or not NUMBER.fullmatch(number):
        return None
    return Case.objects.filter(seen_by(actor), pk=int(number)).first()


def of_applicants(text: str, *, actor: Actor, limit: int = 50) -> list[Case]:
    """Cases in the actor's reach whose person has no record that the actor could find instead, by the beginning of the
    name or the whole ID number; by name, at most `limit`.
    """
    word = text.strip()
    if not word or not actor.may("case.read"):
        return []
    with suppress(BadIdNumber):
        index = fields.index(idnumber.parse(word).id18)
        found = Case.objects.filter(seen_by(actor), WITHOUT_RECORD, person_index=index)
        return list(found.select_related(*SHOWN).order_by("-pk")[:limit])
    if word.isascii():
        return []
    with connection.cursor() as cursor:
        cursor.execute(BY_NAME, {"low": word, "high": word + LAST_CHARACTER, "lo": actor.lo, "hi": actor.hi,
                                 "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    rows = Case.objects.select_related(*SHOWN).in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


WITHOUT_RECORD = UNRECORDED | Q(front__isnull=False)
SHOWN = ("certificate", "area", "front", "assignee")


def open_of(holder_ids: Iterable[int], *, actor: Actor) -> dict[int, list[Case]]:
    """The open cases of holders in the actor's reach: id of the holder → cases, the newest first."""
    found: defaultdict[int, list[Case]] = defaultdict(list)
    if actor.may("case.read"):
        rows = Case.objects.filter(seen_by(actor), holder_id__in=list(holder_ids), ended_at__isnull=True)
        for case in rows.order_by("-pk"):
            found[case.holder_id or 0].append(case)
    return dict(found)
