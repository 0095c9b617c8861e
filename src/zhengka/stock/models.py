"""The ledger of blank cards (空白卡台账): stores, boxes, slips, and for every serial where it was from when to when."""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Shared, Stateful, state_check
from zhengka.core.workflow import Workflow
from zhengka.devices.models import Device
from zhengka.stock.workflow import (
    AGREES,
    BLANK,
    COUNT,
    ORDER,
    READY,
    SLIP_STATES,
    SLIPS,
    SPOILED,
    STORE,
    STORES,
)


class Store(ProvinceRow, Stateful):
    """A cupboard or a machine of an office in which blank cards lie, and who answers for it."""

    workflow = STORE
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    sort = models.TextField(choices=list(STORES.items()))
    name = models.TextField()
    keeper = models.TextField(help_text="who answers for it")
    device = models.ForeignKey(Device, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    reorder_at = models.PositiveIntegerField(default=0, help_text="the alarm: so few blanks are left")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area", "name"], name="store_name_once"),
            models.CheckConstraint(condition=Q(sort__in=sorted(STORES)), name="store_sort_known"),
            state_check(STORE),
        ]

    def __str__(self) -> str:
        """Its name."""
        return self.name


class Order(ProvinceRow, Stateful):
    """An order of blank cards from a supplier (采购单): how many, for which store, until when, at what price; what was
    delivered for it is what its slips received.
    """

    workflow = ORDER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="orders", db_constraint=False)
    supplier = models.TextField()
    quantity = models.PositiveIntegerField()
    price_fen = models.PositiveIntegerField(help_text="of one card, in fen (分)")
    due = models.DateField(help_text="last day on which it is to come")
    reason = models.TextField(blank=True, help_text="why it was ended before all had come")
    person = models.TextField(help_text="who wrote it")
    approved_by = models.TextField(blank=True)
    at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    delivered = models.PositiveIntegerField(default=0, help_text="blank cards that came for it")
    delivered_at = models.DateTimeField(null=True, help_text="when the last of them came")

    class Meta:
        constraints: ClassVar = [
            state_check(ORDER),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_of_something"),
            models.CheckConstraint(
                condition=Q(state__in=("proposed", "declined"), delivered=0)
                | Q(state__in=("open", "complete", "ended"), approved_at__isnull=False) & ~Q(approved_by="")
                & ~Q(approved_by=F("person")), name="order_two_persons"),
            models.CheckConstraint(
                condition=~Q(state="complete") & (Q(delivered__lt=F("quantity")))
                | Q(state="complete", delivered__gte=F("quantity")), name="order_complete_truly"),
            models.CheckConstraint(condition=~Q(state="ended") | ~Q(reason=""), name="order_ended_why"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "-at", "-id"], name="order_by_area")]

    @property
    def fen(self) -> int:
        """What the whole order costs, in fen."""
        return self.quantity * self.price_fen

    @property
    def left(self) -> int:
        """How many are still to come."""
        return max(self.quantity - self.delivered, 0) if self.state == "open" else 0

    def faults(self, today: date) -> list[str]:
        """How the deliveries differ from the order: `overdue` while it is open, `late`, `short`, `over`."""
        came = timezone.localtime(self.delivered_at).date() if self.delivered_at else None
        return [code for code, holds in (
            ("overdue", self.state == "open" and today > self.due),
            ("late", came is not None and came > self.due),
            ("short", self.state == "ended" and self.delivered < self.quantity),
            ("over", self.delivered > self.quantity)) if holds]

    def __str__(self) -> str:
        """Supplier and quantity."""
        return f"{self.supplier} {self.quantity}"


class Box(models.Model):
    """One box as it was delivered: its label, seal, and the serials that its paper says are in it."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="12-digit code of the office that received it")
    label = models.TextField()
    supplier = models.TextField()
    seal = models.TextField(blank=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    slip = models.ForeignKey("Slip", on_delete=models.PROTECT, related_name="boxes")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["supplier", "label"], name="box_label_once"),
            models.CheckConstraint(condition=Q(first__gt=0, last__gte=F("first")), name="box_range_forward"),
        ]

    def __str__(self) -> str:
        """Supplier and label."""
        return f"{self.supplier} {self.label}"


class Slip(ProvinceRow, Shared, Stateful):
    """One movement of blank cards (出入库单), from one account to another, with its reason: never changed but by its
    own steps, never removed.
    """

    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    sort = models.TextField(choices=[(sort, sort) for sort in SLIPS])
    account = models.TextField(help_text="the account out of which it takes")
    source = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                               db_constraint=False)
    target = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                               db_constraint=False)
    serials = models.JSONField(help_text="[[first, last], …], sorted, apart from each other")
    quantity = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    batch = models.TextField(blank=True, help_text="number of the batch for which they were used")
    operator = models.TextField(blank=True, help_text="who worked the machine")
    person = models.TextField(help_text="who wrote it")
    confirmed_by = models.TextField(blank=True)
    at = models.DateTimeField()
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="slips",
                              db_constraint=False, help_text="for which it was received")
    shipment = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="losses", db_index=False,
                                 db_constraint=False, help_text="on whose way they were lost")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(order__isnull=True) | Q(sort="receive"), name="slip_of_order_receives"),
            models.CheckConstraint(condition=Q(shipment__isnull=True) | Q(sort="lose", account="moving"),
                                   name="slip_of_shipment_loses"),
            models.CheckConstraint(condition=Q(state__in=sorted(SLIP_STATES)), name="slip_state_known"),
            models.CheckConstraint(condition=Q(sort__in=sorted(SLIPS)), name="slip_sort_known"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="slip_of_something"),
            models.CheckConstraint(condition=Q(account__in=sorted(BLANK.states)), name="slip_account_known"),
            models.CheckConstraint(condition=~Q(state="confirmed") | ~Q(confirmed_by="") & ~Q(confirmed_by=F("person")),
                                   name="slip_two_persons"),
            models.CheckConstraint(condition=~Q(sort__in=("destroy", "lose", "spoil", "find")) | ~Q(reason=""),
                                   name="slip_says_why"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "-at", "-id"], name="slip_by_area"),
            models.Index(fields=["batch"], condition=~Q(batch=""), name="slip_by_batch"),
            models.Index(fields=["shared_with"], condition=Q(state="moving"), name="slip_on_its_way"),
        ]

    @classmethod
    def kind(cls) -> str:
        """The subject's name in events."""
        return "slip"

    @property
    def table(self) -> Workflow:
        """The steps of a slip of this sort."""
        return SLIPS[self.sort]

    def __str__(self) -> str:
        """What it does to how many."""
        return f"{self.sort} {self.quantity}"


class Span(models.Model):
    """A run of serials in one place for one time: `serials` and `during` are ranges, and no two rows may cover the same
    serial at the same moment (an exclusion constraint): each serial is in one place, now and at any past moment.
    """

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="12-digit code of the office that answers for them")
    account = models.TextField(choices=[(each, each) for each in sorted(BLANK.states - {"outside"})])
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                              db_constraint=False)
    slip = models.ForeignKey(Slip, on_delete=models.PROTECT, related_name="spans", db_index=False, db_constraint=False)
    serials = BigIntegerRangeField()
    during = DateTimeRangeField(help_text="open at its end: they are there now")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(account__in=sorted(BLANK.states - {"outside"})),
                                   name="span_account_known")]

    def __str__(self) -> str:
        """Where."""
        return f"{self.account} {self.store_id or ''}"


class Entry(models.Model):
    """One side of a movement (分录): so many out of an account, so many into another; the two sides are equal."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="12-digit code of the office of the account")
    account = models.TextField()
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                              db_constraint=False)
    slip = models.ForeignKey(Slip, on_delete=models.PROTECT, related_name="entries", db_constraint=False)
    quantity = models.IntegerField(help_text="into the account; below zero: out of it")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(account__in=sorted(BLANK.states)), name="entry_account_known")]

    def __str__(self) -> str:
        """Account and quantity."""
        return f"{self.account} {self.quantity:+}"


class Count(ProvinceRow, Stateful):
    """A physical count (盘点) of what lies ready in one store, or of the spoiled blanks there (`account`): what was
    found, what the ledger said then, and how it differed.
    """

    workflow = COUNT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="counts", db_constraint=False)
    account = models.TextField(blank=True, default=READY, db_default=READY,
                               help_text="spoiled; empty: those that lie there ready")
    found = models.PositiveIntegerField()
    expected = models.PositiveIntegerField()
    missing = models.JSONField(default=list, help_text="[[first, last], …] that the ledger has there and nobody found")
    surplus = models.JSONField(default=list, help_text="[[first, last], …] that lay there and the ledger has elsewhere")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=sorted(COUNT.states | AGREES.states)),
                                   name="count_state_known"),
            models.CheckConstraint(condition=Q(account__in=(READY, SPOILED)), name="count_account_known"),
            models.CheckConstraint(condition=~Q(state="agrees") | Q(missing=[], surplus=[], found=F("expected")),
                                   name="count_agrees_truly")]

    @property
    def table(self) -> Workflow:
        """A count that agrees is done; one that differs waits for what explains it."""
        return COUNT if self.missing or self.surplus else AGREES

    def __str__(self) -> str:
        """Found of expected."""
        return f"{self.found}/{self.expected}"
