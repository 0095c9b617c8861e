"""What may be read about partners: within an officer's area; of a secret only its number and times."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.partners.models import Delivery, Partner, Secret, Webhook


def partners(*, actor: Actor) -> QuerySet[Partner]:
    """The clients of the actor's area."""
    return Partner.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area").order_by("pk")


def partner(pk: int, *, actor: Actor) -> Partner:
    """A client of the actor's area; `Refusal("not-found")`."""
    for row in partners(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def secrets(row: Partner, *, at: datetime) -> QuerySet[Secret]:
    """The client's secrets that are good, newest first."""
    return row.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at)).order_by("-number")


def webhooks(row: Partner) -> QuerySet[Any]:
    """The client's webhooks, with how many deliveries wait and were given up, and when the last one was taken."""
    return row.webhooks.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__next_at__isnull=False)),
        given_up=Count("deliveries", filter=Q(deliveries__given_up_at__isnull=False)),
        taken_at=Max("deliveries__delivered_at")).order_by("-pk")


def webhook(pk: int, *, actor: Actor) -> Webhook:
    """A webhook of the actor's area; `Refusal("not-found")`."""
    for row in Webhook.objects.filter(pk=pk, area__code__range=(actor.lo, actor.hi)).select_related("partner"):
        return row
    raise Refusal("not-found")


def deliveries(row: Webhook) -> QuerySet[Delivery]:
    """What was told to a webhook, or waits to be."""
    return row.deliveries.order_by("-pk")


def delivery(pk: int, *, actor: Actor) -> Delivery:
    """A delivery of the actor's area; `Refusal("not-found")`."""
    for row in Delivery.objects.filter(pk=pk, area__range=(actor.lo, actor.hi)).select_related("webhook"):
        return row
    raise Refusal("not-found")
