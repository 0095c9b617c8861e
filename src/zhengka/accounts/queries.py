"""What is asked about officers."""

from django.db.models import QuerySet

from zhengka.accounts.models import Officer
from zhengka.core.actors import Actor


def officers(*, actor: Actor) -> QuerySet[Officer]:
    """The accounts of the offices in the actor's area, by their user names."""
    return Officer.objects.filter(area__gte=actor.lo, area__lte=actor.hi).select_related("area").order_by("username")
