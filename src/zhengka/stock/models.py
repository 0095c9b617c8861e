"""The ledger of blank cards (空白卡台账): stores, boxes, slips, and for every serial where it was from when to when."""

from typing import ClassVar

from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Shared, Stateful, state_check
from zhengka.core.workflow import Workflow
from zhengka.devices.models import Device
from zhengka.stock.workflow import AGREES, BLANK, COUNT, SLIP_STATES, SLIPS, STORE, STORES


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

    class Meta:
        constraints: ClassVar = [
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
    """A physical count (盘点) of one store: what was found, what the ledger said then, and how it differed."""

    workflow = COUNT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="counts", db_constraint=False)
    found = models.PositiveIntegerField()
    expected = models.PositiveIntegerField()
    missing = models.JSONField(default=list, help_text="[[first, last], …] that the ledger has there and nobody found")
    surplus = models.JSONField(default=list, help_text="[[first, last], …] that lay there and the ledger has elsewhere")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=sorted(COUNT.states | AGREES.states)),
                                   name="count_state_known"),
            models.CheckConstraint(condition=~Q(state="agrees") | Q(missing=[], surplus=[], found=F("expected")),
                                   name="count_agrees_truly")]

    @property
    def table(self) -> Workflow:
        """A count that agrees is done; one that differs waits for what explains it."""
        return COUNT if self.missing or self.surplus else AGREES

    def __str__(self) -> str:
        """Found of expected."""
        return f"{self.found}/{self.expected}"
