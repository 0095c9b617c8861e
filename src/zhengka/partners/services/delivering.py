"""Deliveries are carried by workers (推送): at least once, each under an id of its own, each try written down
before it is made.

    1  the delivery is claimed: one more try, and due again only after `LEASE`, committed
    2  it is sent, outside any transaction
    3  it is told what became of it: taken, or due again later, or given up
A worker that dies between 1 and 3 leaves a delivery that is due again after `LEASE`.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.queue import later
from zhengka.partners import rules, sending
from zhengka.partners.models import Answered, Delivery, Webhook
from zhengka.partners.sending import NotTaken, Parcel, Ways
from zhengka.partners.services.telling import SEALED

log = logging.getLogger("zhengka.partners")
LEASE: Final = timedelta(minutes=2)
MOST: Final = 50
"""Deliveries to one webhook in one job; the next sweep goes on."""


def deliver(webhook_id: int, *, at: datetime, ways: Ways | None = None) -> int:
    """Send what is due to a webhook, oldest first, until one is not taken; how many were."""
    ways = ways or Ways(sending.by_system, loopback=settings.WEBHOOK_LOOPBACK)
    for done in range(MOST):
        row = _claim(webhook_id, at)
        if row is None or not _send(row, ways, at):
            return done
    later("partners.deliver", once=f"webhook {webhook_id}", webhook_id=webhook_id)
    return MOST


def sweep(*, at: datetime) -> int:
    """Ask for a worker for each webhook to which something is due; how many."""
    due = Delivery.objects.filter(next_at__lte=at).values_list("webhook_id", flat=True).distinct()
    for webhook_id in due:
        later("partners.deliver", once=f"webhook {webhook_id}", webhook_id=webhook_id)
    return len(due)


def forget(*, at: datetime) -> int:
    """Remove answers and deliveries whose time is over; how many rows."""
    over = (Answered.objects.filter(at__lt=at - rules.ANSWERS_KEPT),
            Delivery.objects.filter(delivered_at__lt=at - rules.DELIVERED_KEPT, next_at=None),
            Delivery.objects.filter(given_up_at__lt=at - rules.GIVEN_UP_KEPT, next_at=None))
    return sum(rows.delete()[0] for rows in over)


@transaction.atomic
def send_again(delivery: Delivery, *, by: Actor, at: datetime) -> Delivery:
    """Try what was given up once more (重新推送). `Refusal`: `not-permitted`, `not-found`, `delivery-not-given-up`."""
    if not by.may("partner.manage"):
        raise Refusal("not-permitted", permission="partner.manage")
    row = Delivery.objects.select_for_update(of=("self",)).select_related("webhook").get(pk=delivery.pk)
    if not by.sees(row.area):
        raise Refusal("not-found")
    if row.given_up_at is None or row.webhook.state != "active":
        raise Refusal("delivery-not-given-up")
    row.given_up_at, row.next_at, row.tries, row.problem = None, at, 0, ""
    row.save(update_fields=["given_up_at", "next_at", "tries", "problem"])
    later("partners.deliver", once=f"webhook {row.webhook_id}", webhook_id=row.webhook_id)
    return row


@transaction.atomic
def _claim(webhook_id: int, at: datetime) -> Delivery | None:
    """Step 1."""
    row = Delivery.objects.filter(webhook=webhook_id, next_at__lte=at).order_by("next_at", "pk").select_for_update(
        skip_locked=True).first()
    if row is None:
        return None
    row.tries, row.next_at = row.tries + 1, at + LEASE
    row.save(update_fields=["tries", "next_at"])
    return row


def _send(row: Delivery, ways: Ways, at: datetime) -> bool:
    """Steps 2 and 3."""
    webhook = Webhook.objects.get(pk=row.webhook_id)
    secret = fields.open_(bytes(webhook.secret), SEALED)
    try:
        sending.post(Parcel(webhook.url, str(row.message), row.body.encode(), secret), ways, at=timezone.now())
    except NotTaken as no:
        return _end(row, no.code, at)
    except Exception:
        log.exception("delivery %s: its sender failed", row.pk)
        return _end(row, "sender-fault", at)
    return _end(row, "", at)


@transaction.atomic
def _end(row: Delivery, problem: str, at: datetime) -> bool:
    """Step 3; one that was given up meanwhile, or that another worker took over, is no longer ours."""
    wait = rules.pause(row.tries)
    told = ({"delivered_at": at, "next_at": None, "problem": ""} if not problem else
            {"next_at": at + wait, "problem": problem} if wait else
            {"next_at": None, "given_up_at": at, "problem": problem})
    Delivery.objects.filter(pk=row.pk, tries=row.tries, next_at=row.next_at).update(**told)
    return not problem
