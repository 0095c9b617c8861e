"""What happened is told to those who asked to be told (推送): one row for each, in the transaction of what happened."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from zhengka.core import fields, signed
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all
from zhengka.partners import rules
from zhengka.partners.models import Delivery, Partner, Webhook

SEALED = "partner.webhook"


@transaction.atomic
def subscribe(partner: Partner, url: str, events: Sequence[str], *, by: Actor, request_id: UUID,
              at: datetime) -> tuple[Webhook, str]:
    """Tell a client's operator of these kinds of events at this address (订阅推送); the row and the secret by which
    bodies are signed, which is shown in this answer alone.

    `Refusal`: `not-permitted`, `not-found`, `partner-not-active`, `webhook-url-wrong`, `webhook-known`. The
    address that the name leads to is looked at when something is sent, each time.
    """
    if not by.may("partner.manage"):
        raise Refusal("not-permitted", permission="partner.manage")
    if not by.sees(partner.area_id):
        raise Refusal("not-found")
    if partner.state != "active":
        raise Refusal("partner-not-active")
    if fault := rules.url_fault(url, loopback=settings.WEBHOOK_LOOPBACK):
        raise Refusal("webhook-url-wrong", fault=fault)
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    row = Webhook(province=partner.province, area_id=partner.area_id, partner=partner, operator=partner.operator,
                  url=url, events=list(events), secret=fields.close(secret, SEALED), made_at=at)
    try:
        with transaction.atomic():
            begin(row, "subscribe", "partner.manage", by=by, request_id=request_id, at=at, events=" ".join(events))
    except IntegrityError as fault_of_row:
        if "webhook_url_once" in str(fault_of_row):
            raise Refusal("webhook-known") from None
        raise
    return row, secret


@transaction.atomic
def unsubscribe(webhook: Webhook, *, by: Actor, request_id: UUID, at: datetime) -> Webhook:
    """Tell it nothing any more (退订); what still waits is given up."""
    row = perform(webhook, "unsubscribe", by=by, request_id=request_id, at=at)
    Delivery.objects.filter(webhook=row, next_at__isnull=False).update(next_at=None, given_up_at=at)
    return row


def tell(event: str, told: Mapping[str, Any], *, operator: str = "", at: datetime) -> int:
    """Write down, in the caller's transaction, that this is to be told: to the operator's webhooks, or without one to
    those of all, as far as they asked for this kind of event. The number of deliveries; their bodies carry no data of
    a person (`rules.EVENTS` names every field).
    """
    return tell_many(event, [(operator, told)], at=at)


def listens(event: str) -> bool:
    """True where anybody at all is to be told of this kind of event: what is told need not be gathered otherwise."""
    with seeing_all(connection):
        return Webhook.objects.filter(state="active", events__contains=[event]).exists()


def tell_many(event: str, news: Sequence[tuple[str, Mapping[str, Any]]], *, at: datetime) -> int:
    """`tell` of many things of one kind, each with its operator, by the same few statements."""
    said = [(operator, rules.checked(event, told)) for operator, told in news]
    with seeing_all(connection):  # who tells of a thing may be of another office than those who are told
        wanted = Webhook.objects.filter(state="active", partner__state="active", events__contains=[event])
        hooks = list(wanted.only("pk", "area_id", "operator").order_by("pk")) if said else []
        rows = [_delivery(hook, event, told, at) for hook in hooks for operator, told in said
                if operator in ("", hook.operator)]
        Delivery.objects.bulk_create(rows)
        for webhook_id in sorted({row.webhook_id for row in rows}):
            later("partners.deliver", once=f"webhook {webhook_id}", webhook_id=webhook_id)
    return len(rows)


def _delivery(webhook: Webhook, event: str, said: Mapping[str, Any], at: datetime) -> Delivery:
    message = uuid4()
    body = {"id": str(message), "event": event, "at": at.astimezone(UTC).strftime(signed.TIME),
            "operator": webhook.operator, **said}
    return Delivery(webhook=webhook, area=webhook.area_id, message=message, event=event,
                    body=json.dumps(body, ensure_ascii=False), told_at=at, next_at=at)
