"""What is asked about events."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from zhengka.core.actors import Actor
from zhengka.core.models import Event


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted: kind and id of the subject, how the officer's name begins, from and to (exclusive)."""

    subject: str = ""
    subject_id: int | None = None
    officer: str = ""
    since: datetime | None = None
    until: datetime | None = None


def shared(actor: Actor) -> Q:
    """Rows of the actor's area, and those that their office shares with it."""
    return Q(area__gte=actor.lo, area__lte=actor.hi) | Q(shared_with__range=(actor.lo, actor.hi))


def events(wanted: EventFilter, *, actor: Actor) -> QuerySet[Event]:
    """The events in the actor's area, or shared with it, that pass the filter, in no order: the page orders by key."""
    found = Event.objects.filter(shared(actor))
    if wanted.subject:
        found = found.filter(subject=wanted.subject)
    if wanted.subject_id is not None:
        found = found.filter(subject_id=wanted.subject_id)
    if wanted.officer:
        found = found.filter(actor_name__startswith=wanted.officer)
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lt=wanted.until)
    return found
