"""Cards (证卡): the plastic with its chip and QR, apart from the certificate that it proves."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value

from zhengka.areas.models import Area
from zhengka.cards.activation import LAPSED, STAGES
from zhengka.cards.workflow import CARD, CHIP_ORDER, GAP, IN_PRODUCTION, LIST_HOLD, STOP
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.formats.chip.orders import KINDS
from zhengka.registry.models import Certificate, Holder

ASKED = ("upgrade", "update", "pin")
"""What the chip is told because an officer asked for it, in this order; the rest follows from the card's own row."""


class KeyGroup(models.Model):
    """Key versions under which cards were made together (密钥版本组): masters, and the key that signed the QR code.
    There are as many as there were rotations; a card names one, so that cards under a version can be counted.
    """

    id = models.BigAutoField(primary_key=True)
    keys = ArrayField(models.BigIntegerField(), unique=True, help_text="row ids of key versions, ascending")

    def __str__(self) -> str:
        """Key only."""
        return f"key group {self.pk}"


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
    urgent = models.TextField(blank=True, default="", db_default="",
                              help_text="why an officer wants it made before others; empty: nobody does")
    serial = models.TextField(null=True, help_text="16 digits")
    token = models.BinaryField(null=True, help_text="12 random bytes in the credential")
    status_list = models.PositiveIntegerField(null=True)
    status_index = models.PositiveIntegerField(null=True)
    credential = models.BinaryField(null=True)
    uid = models.BinaryField(null=True, help_text="unique identifier of the chip, 7 bytes")
    atr = models.BinaryField(null=True)
    key_group = models.ForeignKey(KeyGroup, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                                  help_text="key versions under which it was prepared or upgraded; empty before")
    ordered_at = models.DateTimeField()
    issued_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    face = models.BinaryField(null=True, help_text="what its face says besides the record, sealed as card.face: "
                                                   "numbers at partners, a name shortened by the rule")
    handed_over_at = models.DateTimeField(null=True)
    active_until = models.DateField(null=True)
    condemned_person = models.TextField(blank=True, default="", db_default="",
                                        help_text="who proposed that it is destroyed")
    destroyed_person = models.TextField(blank=True, default="", db_default="",
                                        help_text="who destroyed it: another one")
    missed_person = models.TextField(blank=True, default="", db_default="",
                                     help_text="who proposed that it is declared lost")
    lost_person = models.TextField(blank=True, default="", db_default="",
                                   help_text="who declared it lost: another one")

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
            models.CheckConstraint(
                condition=Q(state="destroyed") & ~Q(condemned_person="") & ~Q(destroyed_person="")
                & ~Q(destroyed_person=F("condemned_person")) | ~Q(state="destroyed") & Q(destroyed_person=""),
                name="card_destroyed_by_two"),
            models.CheckConstraint(
                condition=Q(state="lost") & ~Q(missed_person="") & ~Q(lost_person="")
                & ~Q(lost_person=F("missed_person")) | ~Q(state="lost") & Q(lost_person=""),
                name="card_lost_by_two"),
            state_check(CARD),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "area", "id"], name="card_by_state_area"),
            models.Index(fields=["key_group", "state", "area"], name="card_by_keys"),
            models.Index(fields=["active_until", "area", "id"], condition=Q(state="active"), name="card_active_by_end"),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"card {self.pk}"


class Stop(Stateful):
    """No card is made or handed out in an area (停发) until two persons lift it."""

    workflow = STOP

    id = models.BigAutoField(primary_key=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    last = models.BigIntegerField(help_text="highest code of the area, for all of which it holds")
    why = models.TextField()
    person = models.TextField(help_text="who threw it")
    at = models.DateTimeField()
    lift_person = models.TextField(blank=True, default="", help_text="who asked that it is lifted")
    lifted_person = models.TextField(blank=True, default="", help_text="who lifted it: another one")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area"], condition=~Q(state="lifted"), name="stop_of_area_once"),
            models.CheckConstraint(condition=~Q(why=""), name="stop_says_why"),
            models.CheckConstraint(condition=Q(last__gte=F("area")), name="stop_range_ordered"),
            models.CheckConstraint(condition=Q(state="lifted", lifted_at__isnull=False) & ~Q(lift_person="")
                                   & ~Q(lifted_person="") & ~Q(lifted_person=F("lift_person"))
                                   | ~Q(state="lifted") & Q(lifted_person="", lifted_at__isnull=True),
                                   name="stop_lifted_by_two"),
            state_check(STOP),
        ]

    def __str__(self) -> str:
        """Area and state."""
        return f"stop of {self.area_id}: {self.state}"


class Reminder(models.Model):
    """A holder is to be told, once for each term and stage, that a card's activation ends (年度激活提醒) or lapsed."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="reminders", db_index=False)
    area = models.BigIntegerField(help_text="issuing office of the card")
    ends = models.DateField(help_text="last day of the term")
    stage = models.PositiveSmallIntegerField(help_text="days before the end: 60, 30 or 7; 0: it lapsed")
    day = models.DateField(help_text="on which it was due")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card", "ends", "stage"], name="reminder_once"),
            models.CheckConstraint(condition=Q(stage__in=(*STAGES, LAPSED)), name="reminder_stage_known"),
        ]

    def __str__(self) -> str:
        """Card, term and stage."""
        return f"reminder of card {self.card_id}: {self.ends} - {self.stage}"


class ChipOrder(ProvinceRow, Stateful):
    """What the chip of an issued card is to be told (卡内更新指令), by the reader to which the card comes next. Its id
    is the number that the chip's receipt (回执) answers, so that no receipt serves twice.
    """

    workflow = CHIP_ORDER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="chip_orders")
    what = models.TextField(help_text="activate, block, unblock, update, upgrade or pin")
    until = models.DateField(null=True, help_text="last day of the term that is to be written")
    profile = models.TextField(default="", help_text="of an upgrade, the card profile to which the card is brought")
    ordered_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    receipt = models.BinaryField(null=True, help_text="what the chip vouched for, with its MAC")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card"], condition=Q(state="ordered") & ~Q(what__in=ASKED),
                                    name="chip_order_open_once"),
            models.UniqueConstraint(fields=["card", "what"], condition=Q(state="ordered", what__in=ASKED),
                                    name="chip_order_asked_once"),
            models.CheckConstraint(condition=Q(what__in=KINDS), name="chip_order_what_known"),
            models.CheckConstraint(condition=Q(what="upgrade") & ~Q(profile="") | ~Q(what="upgrade") & Q(profile=""),
                                   name="chip_order_has_profile"),
            models.CheckConstraint(condition=Q(what="activate", until__isnull=False)
                                   | ~Q(what="activate") & Q(until__isnull=True), name="chip_order_has_term"),
            models.CheckConstraint(condition=Q(state="applied", receipt__isnull=False, applied_at__isnull=False)
                                   | ~Q(state="applied") & Q(receipt__isnull=True), name="chip_order_has_receipt"),
            state_check(CHIP_ORDER),
        ]

    def __str__(self) -> str:
        """Key, what is to be told, and card."""
        return f"chip order {self.pk}: {self.what} of card {self.card_id}"


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
    newly = models.PositiveIntegerField(default=0, db_default=0, help_text=(
        "cards in use that it blocks, the one before did not, and no two persons released"))
    causes = models.JSONField(default=dict, db_default=Value({}, models.JSONField()),
                              help_text="who blocked these by which act, as a digest → how many")
    held = models.PositiveIntegerField(default=0, db_default=0, help_text="blocked cards that it does not tell of yet")
    signatures = models.PositiveSmallIntegerField(default=1, db_default=1, help_text=(
        "that are made for it: the list's, and that of the delta from the one before"))
    written_at = models.DateTimeField(null=True, help_text="when its file was there for gates")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["list_number", "number"], name="status_version_once")]
        indexes: ClassVar = [
            models.Index(fields=["published_at"], condition=Q(newly__gt=0), name="status_blocks_by_time")]

    def __str__(self) -> str:
        """List and version."""
        return f"status list {self.list_number} v{self.number}"


class BundlePublication(models.Model):
    """One version of a bundle's manifest (离线包清单): of the public part, or of an operator's. Written as the row of a
    list's version is: before it is signed, and completed after.
    """

    id = models.BigAutoField(primary_key=True)
    bundle = models.TextField(help_text="public, or the operator's code")
    number = models.PositiveBigIntegerField(help_text="monotonic version of the bundle")
    published_at = models.DateTimeField()
    content = models.TextField(help_text="digest of what it names, by which a repeat is known")
    digest = models.TextField(blank=True, help_text="SHA-256 of the signed manifest; empty until published")
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["bundle", "number"], name="bundle_version_once")]

    def __str__(self) -> str:
        """Bundle and version."""
        return f"bundle {self.bundle} v{self.number}"


class ListHold(Stateful):
    """Blocks of cards in use that came together and are so many that gates are not told of them before two persons
    have released them (暂缓下发): the site itself refuses these cards meanwhile.
    """

    workflow = LIST_HOLD

    id = models.BigAutoField(primary_key=True)
    area_id = models.BigIntegerField(db_column="area", help_text="the smallest area in which all of its cards are")
    at = models.DateTimeField()
    cards = models.PositiveIntegerField()
    asked_person = models.TextField(blank=True, default="", help_text="who asked that it is released")
    released_person = models.TextField(blank=True, default="", help_text="who released it: another one")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state="released") & ~Q(asked_person="") & ~Q(released_person="")
                                   & ~Q(released_person=F("asked_person"))
                                   | ~Q(state="released") & Q(released_person=""), name="list_hold_released_by_two"),
            models.CheckConstraint(condition=Q(state__in=("released", "undone"), ended_at__isnull=False)
                                   | ~Q(state__in=("released", "undone")) & Q(ended_at__isnull=True),
                                   name="list_hold_ended"),
            models.CheckConstraint(condition=Q(cards__gt=0), name="list_hold_of_cards"),
            state_check(LIST_HOLD),
        ]

    def __str__(self) -> str:
        """Key and state."""
        return f"list hold {self.pk}: {self.state}"


class HeldBack(models.Model):
    """A card of which gates are not told yet that it is blocked; `out_at`: when they were, or it was so no more."""

    id = models.BigAutoField(primary_key=True)
    hold = models.ForeignKey(ListHold, on_delete=models.PROTECT, related_name="held")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+")
    area = models.BigIntegerField(help_text="issuing office of the card")
    cause = models.TextField(help_text="by which act and whom it was blocked")
    out_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card"], condition=Q(out_at__isnull=True), name="held_back_once")]

    def __str__(self) -> str:
        """Card and hold."""
        return f"card {self.card_id} in hold {self.hold_id}"


class LossTold(models.Model):
    """When a loss was reported, and when the signed list that tells of it was there for gates; whose card it was is
    not told.
    """

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="issuing office of the card")
    list_number = models.PositiveIntegerField()
    number = models.PositiveBigIntegerField(help_text="first version that tells of it")
    reported_at = models.DateTimeField()
    written_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(written_at__gte=F("reported_at")),
                                                        name="loss_told_after_report")]
        indexes: ClassVar = [models.Index(fields=["reported_at"], name="loss_told_by_time")]

    def __str__(self) -> str:
        """List and version."""
        return f"a loss in status list {self.list_number} v{self.number}"


class ListReceipt(models.Model):
    """When an operator, or one of its gates, had seen a version of a status list or a newer one, and when it decided by
    it (回执). The times are this site's own: a gate's clock proves nothing.
    """

    id = models.BigAutoField(primary_key=True)
    operator = models.TextField(help_text="code of the operator")
    gate = models.BigIntegerField(default=0, help_text="the gate's row id as a device; 0: the operator itself")
    list_number = models.PositiveIntegerField()
    number = models.PositiveBigIntegerField(help_text="version of the list")
    seen_at = models.DateTimeField()
    in_force_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operator", "gate", "list_number", "number"], name="list_receipt_once"),
            models.CheckConstraint(condition=~Q(operator=""), name="list_receipt_of_somebody"),
            models.CheckConstraint(condition=Q(in_force_at__isnull=True) | Q(in_force_at__gte=F("seen_at")),
                                   name="list_receipt_ordered"),
        ]
        indexes: ClassVar = [models.Index(fields=["list_number", "number"], name="list_receipt_by_version"),
                             models.Index(fields=["seen_at"], name="list_receipt_by_time")]

    def __str__(self) -> str:
        """Who, and of which version."""
        return f"receipt of {self.operator} for status list {self.list_number} v{self.number}"
