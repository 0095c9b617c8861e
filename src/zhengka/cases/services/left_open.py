"""What is open at the office that somebody leaves (未结事项): it ends with the move, or is decided before it.

The record goes with the person, so the old office could finish nothing that is about it, and the new one could open
nothing of the same kind.
"""

from collections.abc import Collection

from django.db import connection

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.disputing import did_not_arrive
from zhengka.cases.services.leaving import end_case
from zhengka.cases.services.moving import give_back_days, part
from zhengka.cases.services.telling import MOVED, tell
from zhengka.cases.workflow import DISPUTES
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import lock
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all

DECIDED_FIRST = frozenset({"cancellation", "cancellation_unmet", "freeze", *DISPUTES})
"""Kinds of case in which the old office's word comes before the move: nobody escapes an end or an inquiry by a move,
and nobody loses a dispute by one."""


def refuse_undecided(departure: Case) -> None:
    """`Refusal("decided-before-move")` while the office that somebody leaves has a case of `DECIDED_FIRST` open."""
    if Case.objects.filter(holder=departure.holder_id, area=departure.area_id, kind_of_case__in=DECIDED_FIRST,
                           ended_at__isnull=True).exists():
        raise Refusal("decided-before-move")


def end_left_open(holder_id: int, to: int, why: str, asked: Asked, but: Collection[int] = ()) -> None:
    """End what is open of a holder at every office but the one where they go (12-digit code), give the booked days back
    and tell the person. `why`: the kind of the case with which they go; `but`: cases (ids) that are the move itself.

    The dispute of an arrival that failed is about no record: it goes on where it is heard.
    """
    carried = Asked(SYSTEM, asked.request_id, asked.at)
    with seeing_all(connection):
        found = Case.objects.filter(holder=holder_id, ended_at__isnull=True).exclude(area=to).exclude(pk__in=but)
        for case in lock(*(one for one in found if not did_not_arrive(one))):
            if case.ended_at is not None:
                continue
            ended = end_case(case, why, part(carried, f"left open {case.pk}"))
            give_back_days(ended, why, carried)
            tell(ended, MOVED, part(carried, f"left open {case.pk} told"))
            if case.kind_of_case.startswith("transfer"):
                later("cases.move_on", case_id=case.pk)
