"""What is asked about officers."""

from collections.abc import Iterable

from django.db.models import QuerySet

from zhengka.accounts.models import Officer
from zhengka.core.actors import Actor


def officers(*, actor: Actor) -> QuerySet[Officer]:
    """The accounts of the offices in the actor's area, by their user names."""
    return Officer.objects.filter(area__gte=actor.lo, area__lte=actor.hi).select_related("area").order_by("username")


def waiting(*, actor: Actor) -> QuerySet[Officer]:
    """The accounts of the actor's area for which a role waits to be permitted (待授权)."""
    return officers(actor=actor).exclude(wanted="")


def names(ids: Iterable[int], *, actor: Actor) -> dict[int, str]:
    """Login names of accounts in the actor's area, by row id: for a journal."""
    return dict(officers(actor=actor).filter(pk__in=list(ids)).values_list("pk", "username"))
