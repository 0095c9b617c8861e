"""How far a block has come: what waits for two persons, and how long a loss takes until gates refuse the card."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count, F, QuerySet

from zhengka.cards.models import ListHold
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

PUBLISHED: Final = timedelta(seconds=60)
"""A loss is in a signed list, and in what changed in it, after this time at the latest (I12)."""
IN_FORCE: Final = timedelta(minutes=5)
"""A gate with a network refuses the card after this time at the latest (I12)."""
NEWEST: Final = 200
"""So many losses are measured, the newest of the period."""

LOST = """
SELECT id, list_number, number, reported_at, written_at FROM cards_losstold
WHERE reported_at >= %(since)s AND reported_at < %(until)s AND area BETWEEN %(lo)s AND %(hi)s
ORDER BY reported_at DESC LIMIT %(newest)s
"""
PUBLISHING = f"""
SELECT count(*), percentile_disc(array[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY written_at - reported_at) FROM ({LOST}) l
"""
ARRIVING = f"""
WITH had AS (
    SELECT r.operator, r.gate, l.id, min(r.seen_at) - l.reported_at AS seen, min(r.in_force_at) - l.reported_at AS force
    FROM ({LOST}) l JOIN cards_listreceipt r ON r.list_number = l.list_number AND r.number >= l.number
        AND r.seen_at < l.written_at + interval '1 day'
    GROUP BY r.operator, r.gate, l.id, l.reported_at
)
SELECT operator, count(DISTINCT gate), count(seen), percentile_disc(array[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY seen),
       count(force), percentile_disc(array[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY force)
FROM had GROUP BY operator ORDER BY operator
"""


@dataclass(frozen=True)
class Delay:
    """How long it took from the report of a loss: of how many measurements, the median, of 95 in 100, the worst."""

    measured: int
    median: timedelta
    p95: timedelta
    worst: timedelta


@dataclass(frozen=True)
class Reached:
    """How long losses took to the gates of an operator: until seen, and until in force; None where nothing is known."""

    operator: str
    gates: int
    seen: Delay | None
    in_force: Delay | None


@dataclass(frozen=True)
class Cause:
    """How many cards of a hold were blocked by one act of one person, `action` alone being told."""

    action: str
    cards: int


def published(actor: Actor, *, since: datetime, until: datetime) -> Delay | None:
    """How long the newest losses of the actor's area took until a signed list told of them; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(PUBLISHING, _period(actor, since, until))
        return _delay(*cursor.fetchone())


def reached(actor: Actor, *, since: datetime, until: datetime) -> list[Reached]:
    """The same until each operator's gates had seen them and decided by them; each loss and gate is one measurement."""
    with connection.cursor() as cursor:
        cursor.execute(ARRIVING, _period(actor, since, until))
        return [Reached(operator, gates, _delay(seen, delays), _delay(force, forced))
                for operator, gates, seen, delays, force, forced in cursor.fetchall()]


def holds(actor: Actor) -> QuerySet[ListHold]:
    """The holds of the actor's area, those that wait first, the newest first."""
    return ListHold.objects.filter(area_id__range=(actor.lo, actor.hi)).order_by(
        F("ended_at").desc(nulls_first=True), "-pk")


def hold(hold_id: int, *, actor: Actor) -> ListHold:
    """One of them; `Refusal("not-found")`."""
    for row in holds(actor).filter(pk=hold_id):
        return row
    raise Refusal("not-found")


def causes(row: ListHold) -> list[Cause]:
    """By which acts the cards of a hold were blocked, the largest first; whose acts they were is in the history."""
    found = row.held.values_list("cause").annotate(n=Count("pk")).order_by("-n", "cause")
    return [Cause(cause.split(" ", 1)[0], cards) for cause, cards in found]


def waiting(row: ListHold) -> int:
    """How many cards of a hold gates do not know of yet."""
    return row.held.filter(out_at=None).count()


def _period(actor: Actor, since: datetime, until: datetime) -> dict[str, datetime | int]:
    return {"since": since, "until": until, "lo": actor.lo, "hi": actor.hi, "newest": NEWEST}


def _delay(measured: int, delays: list[timedelta] | None) -> Delay | None:
    return Delay(measured, *delays) if measured and delays else None
