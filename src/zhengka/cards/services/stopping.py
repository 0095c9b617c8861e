"""The switch by which no card is made or handed out any more (停发), for an office, a city, a province or the nation.

One person throws it at once; two persons lift it. Every act that makes cards or hands them out first asks
`not_stopped`, in its own transaction and under a lock that throwing the switch waits for: what was not over by then is
refused. The database holds the same a second time by triggers (migration 0015). Losses, blocks, ends and the accounts
of what is made already go on.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards.models import Stop
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform

STOP_LOCK: Final = 0x5709
"""Advisory lock: shared by all who make cards or hand them out, held alone by who throws the switch."""
STOPPED = """
SELECT s.at FROM cards_stop s JOIN unnest(%s::bigint[]) a (code) ON a.code BETWEEN s.area AND s.last
WHERE s.state <> 'lifted' ORDER BY s.at LIMIT 1
"""


def not_stopped(*areas: int) -> None:
    """`Refusal("issuing-stopped")` where the switch is thrown for one of these areas (12-digit codes).

    Within a transaction, for the rest of which nobody can throw it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [STOP_LOCK])
        cursor.execute(STOPPED, [sorted(set(areas))])
        if row := cursor.fetchone():
            raise Refusal("issuing-stopped", since=timezone.localtime(row[0]).isoformat(timespec="minutes"))


@transaction.atomic
def stop_issuing(area: Area, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Stop:
    """Throw the switch (停发) for an area, with a reason; waits for what is at its end, and for nothing else.

    `Refusal`: `not-permitted`, `not-found` where the actor does not see the whole area, `reason-missing`,
    `issuing-stopped` where it is thrown for this very area. Raises `Replayed` for a repeat.
    """
    if not by.may("issuing.stop"):
        raise Refusal("not-permitted", permission="issuing.stop")
    if not by.lo <= area.code <= area.last <= by.hi:
        raise Refusal("not-found")
    said = _said(why)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [STOP_LOCK])
    stop = Stop(area=area, last=area.last, why=said, person=by.person, at=at)
    try:
        with transaction.atomic():
            return begin(stop, "stop_issuing", "issuing.stop", by=by, request_id=request_id, at=at, reason=said)
    except IntegrityError as broken:
        if "stop_of_area_once" in str(broken):
            raise Refusal("issuing-stopped", area=area.code) from None
        raise


@transaction.atomic
def ask_lift(stop: Stop, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Stop:
    """Say that its cause is gone (提请恢复发卡): the first of two persons."""
    said = _said(why)
    return perform(_whole(stop, by), "ask_lift", {"lift_person": by.person}, by=by, request_id=request_id, at=at,
                   reason=said)


@transaction.atomic
def keep_stopped(stop: Stop, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Stop:
    """Do not lift it yet (不予恢复)."""
    said = _said(why)
    return perform(_whole(stop, by), "keep_stopped", {"lift_person": ""}, by=by, request_id=request_id, at=at,
                   reason=said)


@transaction.atomic
def lift(stop: Stop, *, by: Actor, request_id: UUID, at: datetime) -> Stop:
    """Lift it (恢复发卡), as another person than who asked. Batches that stood still are resumed by their officers.

    `Refusal`: `same-person`, what `perform` says.
    """
    return perform(_whole(stop, by), "lift", {"lifted_person": by.person, "lifted_at": at}, by=by,
                   request_id=request_id, at=at)


def _said(why: str) -> str:
    said = " ".join(why.split())
    if not said:
        raise Refusal("reason-missing")
    return said


def _whole(stop: Stop, by: Actor) -> Stop:
    """A stop is lifted by those who see all of its area."""
    if not by.lo <= stop.area_id <= stop.last <= by.hi:
        raise Refusal("not-found")
    return stop
