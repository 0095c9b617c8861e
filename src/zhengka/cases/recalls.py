"""Who is to be assessed again (重新评定): whose day has come or comes soon, at which office, and by which case."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from zhengka.cases.models import Recall
from zhengka.cases.queries import OWN, Place
from zhengka.cases.workflow import KINDS
from zhengka.core.actors import Actor
from zhengka.registry.models import Certificate

GROUPS: Final[dict[str, tuple[int, int]]] = {"due": (-36_500, 0), "30": (1, 30), "90": (31, 90)}
"""Name of a group → the days from today on, first and last, in which its persons' day lies."""
ASSESSED: Final = tuple(kind.name for kind in KINDS.values() if "assessment" in kind.needs)
"""Kinds of case in which a doctor assesses anyway: who has an open one is not called again."""
LIVE: Final = """
(r.holder_id IS NULL OR EXISTS (SELECT FROM registry_holder h WHERE h.id = r.holder_id AND h.state = 'registered'))
AND (NOT r.met OR r.holder_id IS NULL OR EXISTS (
    SELECT FROM registry_certificate c WHERE c.holder_id = r.holder_id AND c.state = 'valid'))
AND NOT EXISTS (SELECT FROM cases_case k WHERE k.person_index = r.person_index AND k.ended_at IS NULL
                AND k.kind_of_case = ANY(%(assessed)s))"""
"""Whom it concerns today: not who has died, whose certificate ended or is frozen, or whom a case assesses anyway."""
OF_GROUP: Final = f"""
SELECT r.id FROM areas_area a, LATERAL (
    SELECT r.id, r.again_on FROM cases_recall r
    WHERE r.area = a.code AND r.again_on BETWEEN %(first)s AND %(last)s AND (r.again_on, r.id) > (%(day)s, %(pk)s)
      AND {LIVE} ORDER BY r.again_on, r.id LIMIT %(limit)s) r
WHERE {OWN} ORDER BY r.again_on, r.id LIMIT %(limit)s
"""
"""Office by office from the index, then the soonest of all: a page costs offices, not persons."""
COUNTED: Final = f"""
SELECT r.area, count(*) FILTER (WHERE r.again_on <= %(today)s::date),
       count(*) FILTER (WHERE r.again_on BETWEEN %(today)s::date + 1 AND %(today)s::date + 30),
       count(*) FILTER (WHERE r.again_on > %(today)s::date + 30)
FROM cases_recall r WHERE r.area BETWEEN %(lo)s AND %(hi)s AND r.again_on <= %(today)s::date + 90 AND {LIVE}
GROUP BY r.area ORDER BY r.area
"""
TO_TELL: Final = f"""
SELECT r.id FROM cases_recall r
WHERE r.told_on IS NULL AND r.again_on BETWEEN %(first)s AND %(last)s AND (r.again_on, r.id) > (%(day)s, %(pk)s)
  AND {LIVE} ORDER BY r.again_on, r.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Due:
    """One person of the list: the day, the valid certificate, if any, and the kind of case that assesses anew."""

    recall: Recall
    certificate: Certificate | None

    @property
    def kind(self) -> str:
        """A change of category or grade (art. 22) for who has a certificate, an application for who has none."""
        return "change" if self.certificate else "new"


def listed(actor: Actor, group: str, today: date, *, after: Place = Place(), limit: int = 50) -> list[Due]:
    """The persons of one of `GROUPS` at the offices of the actor's area, whose day comes first before the others."""
    first, last = (today + timedelta(days=days) for days in GROUPS[group])
    return _in_order(OF_GROUP, first=first, last=last, day=after.due, pk=after.pk, lo=actor.lo, hi=actor.hi,
                     limit=limit)


def counted(actor: Actor, today: date) -> dict[int, tuple[int, ...]]:
    """12-digit code of each office of the actor's area that has any → how many persons are in each of `GROUPS`."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"today": today, "lo": actor.lo, "hi": actor.hi, "assessed": list(ASSESSED)})
        return {area: tuple(numbers) for area, *numbers in cursor.fetchall()}


def to_tell(first: date, last: date, after: Place, limit: int) -> list[Due]:
    """Whoever was not told yet, and whose day lies between two days, both included: at every office."""
    return _in_order(TO_TELL, first=first, last=last, day=after.due, pk=after.pk, limit=limit)


def _in_order(statement: str, **told: Any) -> list[Due]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**told, "assessed": list(ASSESSED)})
        ids = [row[0] for row in cursor.fetchall()]
    found = Recall.objects.select_related("holder", "area").in_bulk(ids)
    held = Certificate.objects.filter(state="valid", holder__in=[
        recall.holder_id for recall in found.values() if recall.holder_id])
    newest = {one.holder_id: one for one in held.order_by("generation")}
    return [Due(found[pk], newest.get(found[pk].holder_id or 0)) for pk in ids]
