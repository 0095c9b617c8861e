"""What may be read about checks: numbers only."""

from datetime import datetime

from django.db.models import Count

from zhengka.core.actors import Actor
from zhengka.gates.models import Check


def counts(actor: Actor, *, since: datetime, until: datetime) -> dict[str, int]:
    """How often cards of the actor's area were presented from `since` up to, not including, `until`, by verdict."""
    found = Check.objects.filter(area__range=(actor.lo, actor.hi), at__gte=since, at__lt=until)
    return dict(found.values_list("verdict").annotate(n=Count("pk")).order_by("verdict"))


def strangers(*, since: datetime, until: datetime) -> dict[str, int]:
    """How often something was presented that is no card of this register, by verdict: forgeries among them."""
    found = Check.objects.filter(area=None, at__gte=since, at__lt=until)
    return dict(found.values_list("verdict").annotate(n=Count("pk")).order_by("verdict"))
