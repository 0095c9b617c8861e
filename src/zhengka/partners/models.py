"""Partners (合作单位): programs of operators that may ask us, their secrets, what they asked for once, and what they
are told.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.partners.rules import CLIENT_ID, DELIVERY_FAULTS, EVENTS, OPERATOR, SCOPES
from zhengka.partners.workflow import PARTNER, WEBHOOK


class Partner(ProvinceRow, Stateful):
    """A client (RFC 6749, 2.1) of one operator. Its secrets are rows of their own; none can be read again."""

    workflow = PARTNER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    operator = models.TextField(help_text="code of the operator, as in data/places")
    name = models.TextField(help_text="which program it is, and whose")
    client_id = models.TextField()
    scopes = ArrayField(models.TextField())
    asked_by = models.TextField(help_text="person who asked for the access")
    permitted_by = models.TextField(blank=True, help_text="person who permitted it, another one")
    asked_at = models.DateTimeField()
    secrets_made = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            state_check(PARTNER),
            models.UniqueConstraint(fields=["client_id"], name="partner_client_once"),
            models.CheckConstraint(condition=Q(client_id__regex=f"^{CLIENT_ID}$"), name="partner_client_random"),
            models.CheckConstraint(condition=Q(operator__regex=f"^{OPERATOR}$"), name="partner_operator_code"),
            models.CheckConstraint(condition=Q(scopes__contained_by=sorted(SCOPES)) & ~Q(scopes=[]),
                                   name="partner_scopes_known"),
            models.CheckConstraint(condition=~Q(asked_by="") & ~Q(asked_by=F("permitted_by")),
                                   name="partner_by_two_persons"),
            models.CheckConstraint(condition=Q(state__in=["asked", "declined"], permitted_by="")
                                   | Q(state__in=["active", "stopped"]) & ~Q(permitted_by=""),
                                   name="partner_permitted"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="partner_by_area"),
                             models.Index(fields=["operator"], name="partner_by_operator")]

    def __str__(self) -> str:
        """Its name."""
        return self.name


class Secret(models.Model):
    """A keyed digest of one secret of a client. The newest has no end; the one before ends some days after it."""

    id = models.BigAutoField(primary_key=True)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="secrets", db_index=False)
    area = models.BigIntegerField(help_text="12-digit code of the client's office")
    number = models.PositiveIntegerField(help_text="1, 2, …: what a token names")
    digest = models.BinaryField(help_text="32 bytes")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "number"], name="partner_secret_number_once"),
            models.UniqueConstraint(fields=["partner"], condition=Q(ends_at=None), name="partner_secret_one_newest"),
            models.UniqueConstraint(fields=["digest"], name="partner_secret_once"),
        ]

    def __str__(self) -> str:
        """Number alone."""
        return f"secret {self.number} of partner {self.partner_id}"


class Webhook(ProvinceRow, Stateful):
    """An address to which a client's operator is told of some kinds of events (推送订阅)."""

    workflow = WEBHOOK
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="webhooks")
    operator = models.TextField(help_text="code of the operator, that of the client")
    url = models.TextField()
    events = ArrayField(models.TextField())
    secret = models.BinaryField(help_text="sealed: by which bodies are signed")
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            state_check(WEBHOOK),
            models.UniqueConstraint(fields=["partner", "url"], condition=Q(state="active"), name="webhook_url_once"),
            models.CheckConstraint(condition=Q(events__contained_by=sorted(EVENTS)) & ~Q(events=[]),
                                   name="webhook_events_known"),
            models.CheckConstraint(condition=Q(url__regex=r"^https?://[^@\s]+$"), name="webhook_url_form"),
        ]
        indexes: ClassVar = [models.Index(fields=["operator"], condition=Q(state="active"), name="webhook_by_operator")]

    def __str__(self) -> str:
        """Key only."""
        return f"webhook {self.pk}"


class Delivery(models.Model):
    """One message to one webhook, written in the transaction of what it tells, and delivered at least once (推送).

    It waits (`next_at`) until it was taken (`delivered_at`) or given up (`given_up_at`). Its body never changes.
    """

    id = models.BigAutoField(primary_key=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    area = models.BigIntegerField(help_text="12-digit code of the client's office")
    message = models.UUIDField(help_text="by which the other side knows a repeat")
    event = models.TextField()
    body = models.TextField(help_text="JSON, byte for byte as it is signed; without personal data")
    told_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="", db_default="", help_text="why the last try failed")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message"], name="delivery_message_once"),
            models.CheckConstraint(condition=Q(event__in=sorted(EVENTS)), name="delivery_event_known"),
            models.CheckConstraint(condition=Q(problem__in=["", *sorted(DELIVERY_FAULTS)]),
                                   name="delivery_problem_known"),
            models.CheckConstraint(
                condition=Q(next_at__isnull=False, delivered_at=None, given_up_at=None)
                | Q(next_at=None, delivered_at__isnull=False, given_up_at=None, problem="")
                | Q(next_at=None, delivered_at=None, given_up_at__isnull=False), name="delivery_waits_or_ended"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["webhook", "next_at"], condition=Q(next_at__isnull=False), name="delivery_due"),
            models.Index(fields=["webhook", "id"], name="delivery_by_webhook"),
            models.Index(fields=["told_at"], condition=Q(next_at=None), name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        """Key and event."""
        return f"delivery {self.pk} {self.event}"


class Answered(models.Model):
    """What a client was answered under an Idempotency-Key (幂等键, I17): kept sealed for some days."""

    id = models.BigAutoField(primary_key=True)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", db_index=False)
    area = models.BigIntegerField(help_text="12-digit code of the client's office")
    key = models.TextField()
    digest = models.BinaryField(help_text="SHA-256 of route and body")
    answer = models.BinaryField(null=True, help_text="sealed JSON; null only within the transaction that makes it")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["partner", "key"], name="answered_once")]
        indexes: ClassVar = [models.Index(fields=["at"], name="answered_by_age")]

    def __str__(self) -> str:
        """Key only."""
        return f"answer {self.pk}"
