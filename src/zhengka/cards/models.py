"""Cards (证卡): the plastic with its chip and QR, apart from the certificate that it proves."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.cards.activation import STAGES
from zhengka.cards.workflow import CARD, GAP, IN_PRODUCTION
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.registry.models import Certificate, Holder


class Card(ProvinceRow, Stateful):
    """One card. `serial` is the card's own number (never the certificate's); `valid_until` is the legal validity of
    ten years, `active_until` the end of the activation year (年度激活).
    """

    workflow = CARD
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="cards")
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="cards")
    profile = models.TextField(help_text="card profile, such as disability-sm-1")
    reason = models.TextField(help_text="exchange, spoiled, …")
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="successor")
    hold_reason = models.TextField(blank=True)
    serial = models.TextField(null=True, help_text="16 digits")
    token = models.BinaryField(null=True, help_text="12 random bytes in the credential")
    status_list = models.PositiveIntegerField(null=True)
    status_index = models.PositiveIntegerField(null=True)
    credential = models.BinaryField(null=True)
    uid = models.BinaryField(null=True, help_text="unique identifier of the chip, 7 bytes")
    atr = models.BinaryField(null=True)
    ordered_at = models.DateTimeField()
    issued_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    active_until = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holder"], condition=Q(state="active"), name="card_usable_once"),
            models.UniqueConstraint(fields=["holder"], condition=Q(state__in=IN_PRODUCTION),
                                    name="card_on_its_way_once"),
            models.UniqueConstraint(fields=["serial"], name="card_serial_once"),
            models.UniqueConstraint(fields=["token"], name="card_token_once"),
            models.UniqueConstraint(fields=["uid"], name="card_uid_once"),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="card_status_place_once"),
            models.CheckConstraint(condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("issued_on")),
                                   name="card_term_ordered"),
            models.CheckConstraint(condition=~Q(state="active") | Q(active_until__isnull=False),
                                   name="card_active_has_term"),
            state_check(CARD),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "area", "id"], name="card_by_state_area"),
            models.Index(fields=["active_until", "area", "id"], condition=Q(state="active"), name="card_active_by_end"),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"card {self.pk}"


class Reminder(models.Model):
    """A holder is to be told, once for each term and stage, that a card's activation ends (年度激活提醒)."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="reminders", db_index=False)
    area = models.BigIntegerField(help_text="issuing office of the card")
    ends = models.DateField(help_text="last day of the term")
    stage = models.PositiveSmallIntegerField(help_text="days before the end: 60, 30 or 7")
    day = models.DateField(help_text="on which it was due")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card", "ends", "stage"], name="reminder_once"),
            models.CheckConstraint(condition=Q(stage__in=STAGES), name="reminder_stage_known"),
        ]

    def __str__(self) -> str:
        """Card, term and stage."""
        return f"reminder of card {self.card_id}: {self.ends} - {self.stage}"


class Gap(Stateful):
    """Running numbers that no card of this registry gets (跳号), each range with both its ends: after an old backup
    came back, cards may be in the world that took them since. Their places are told to gates as revoked.
    """

    workflow = GAP
    area_id = 0
    """The nation: serials and places are drawn from one sequence each."""

    id = models.BigAutoField(primary_key=True)
    first_serial = models.PositiveIntegerField()
    last_serial = models.PositiveIntegerField()
    first_place = models.PositiveIntegerField()
    last_place = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(first_serial__lte=F("last_serial"), first_place__lte=F("last_place")),
                                   name="gap_ordered"),
            state_check(GAP),
        ]

    def __str__(self) -> str:
        """The serials' running numbers."""
        return f"gap {self.first_serial}-{self.last_serial}"


class StatusPublication(models.Model):
    """One version of a status list (状态表). The row is written before the signature (I9), `digest` and `size` after:
    a version that was never published is a gap in the numbers, never a number used twice.
    """

    id = models.BigAutoField(primary_key=True)
    list_number = models.PositiveIntegerField()
    number = models.PositiveBigIntegerField(help_text="monotonic version of the list")
    published_at = models.DateTimeField()
    content = models.TextField(help_text="digest of what it says, by which a repeat is known")
    blocked = models.PositiveIntegerField(help_text="cards that are not valid in it")
    digest = models.TextField(blank=True, help_text="digest in the file store; empty until published")
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["list_number", "number"], name="status_version_once")]

    def __str__(self) -> str:
        """List and version."""
        return f"status list {self.list_number} v{self.number}"
