"""Batches (制卡批次), their items and chunks, and the card maker's results."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.models import ProvinceRow, Stateful, StreamName, state_check
from zhengka.production.workflow import BATCH, FINDINGS, ITEM_OUTCOMES


class Maker(models.Model):
    """A card maker (制卡单位) with the public key to which packages are encrypted and by which results are checked."""

    name = models.TextField(primary_key=True)
    suite = models.TextField()
    public = models.BinaryField(help_text="uncompressed point, 65 bytes")
    camera = models.BooleanField(default=False, help_text="a camera looks at every finished card; none is taken unseen")

    def __str__(self) -> str:
        """The maker's name."""
        return self.name


class Batch(ProvinceRow, Stateful):
    """One batch: a unit of proof, count in = count out. Counts are written once, when their step is taken."""

    workflow = BATCH
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    number = models.TextField(help_text="readable number: unit, date, running number")
    profile = models.TextField()
    maker = models.ForeignKey(Maker, on_delete=models.PROTECT)
    opened_at = models.DateTimeField()
    ordered = models.PositiveIntegerField(default=0, help_text="cards that entered the batch")
    prepared = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(default=0)
    spoiled = models.PositiveIntegerField(default=0)
    suspect = models.PositiveIntegerField(default=0)
    package = models.TextField(blank=True, help_text="name of the package file under the home's packages folder")
    manifest_digest = models.TextField(blank=True)
    content_key = models.BinaryField(null=True, help_text="sealed as batch.content_key; gone once the package is there")
    proof = StreamName(blank=True, help_text="digest of the sealed proof sheet (PDF)")
    result_id = models.UUIDField(null=True)
    officer_id = models.BigIntegerField(null=True)
    keys = ArrayField(models.BigIntegerField(), default=list, help_text="row ids of the masters that it keeps from the "
                                                                        "beginning of its preparation")
    prepared_person = models.TextField(blank=True, default="", db_default="", help_text="who had it prepared")
    sent_person = models.TextField(blank=True, default="", db_default="", help_text="who sent it: another one")
    problem = models.TextField(blank=True, help_text="code of what its preparation failed by last")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number"], name="batch_number_once"),
            models.UniqueConstraint(fields=["result_id"], name="batch_result_once"),
            models.UniqueConstraint(fields=["id", "area"], name="batch_in_its_area"),  # what its parts refer to
            models.CheckConstraint(condition=~Q(state__in=("prepared", "withheld", "sent", "received", "closed"))
                                   | Q(ordered=models.F("prepared") + models.F("held")), name="batch_in_adds_up"),
            models.CheckConstraint(condition=~Q(state__in=("received", "closed"))
                                   | Q(prepared=models.F("good") + models.F("spoiled") + models.F("suspect")),
                                   name="batch_out_adds_up"),
            models.CheckConstraint(
                condition=Q(state__in=("sent", "received", "closed")) & ~Q(sent_person="")
                & ~Q(sent_person=models.F("prepared_person"))
                | ~Q(state__in=("sent", "received", "closed")) & Q(sent_person=""), name="batch_sent_by_two"),
            state_check(BATCH),
        ]

    def __str__(self) -> str:
        """The batch's number."""
        return self.number


class Part(models.Model):
    """What belongs to one batch. A foreign key over both columns keeps it in the batch's own area (0003_walls)."""

    area = models.BigIntegerField(editable=False, help_text="12-digit code of the batch's office")

    class Meta:
        abstract = True


class Chunk(Part):
    """A piece of a batch for one worker at a time. `lease` is the fencing token: a worker commits only under the
    lease it took, so a frozen one that wakes up late makes nothing a second time (I10).
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="chunks", db_constraint=False)
    number = models.PositiveIntegerField()
    state = models.TextField(default="waiting", choices=[(s, s) for s in ("waiting", "working", "done")])
    lease = models.PositiveIntegerField(default=0)
    leased_at = models.DateTimeField(null=True)
    cards = models.PositiveIntegerField(default=0, help_text="cards prepared in it")
    member = models.TextField(blank=True, help_text="folder of the members written for it; empty: all were held")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "number"], name="chunk_once")]

    def __str__(self) -> str:
        """Batch and chunk number."""
        return f"batch {self.batch_id} chunk {self.number}"


class Item(Part):
    """One card in one batch."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items", db_index=False,
                              db_constraint=False)
    chunk = models.ForeignKey(Chunk, on_delete=models.PROTECT, related_name="items", db_index=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField(help_text="place in the batch, from 1")
    readback = models.BinaryField(null=True, help_text="digest that the finished card must read back to, 32 bytes")
    texts = models.BinaryField(null=True, help_text="what its print must show (formats.shown), 16 bytes")
    photo = models.BinaryField(null=True, help_text="the same of its photo")
    code = models.BinaryField(null=True, help_text="the same of its QR code")
    record = models.BinaryField(null=True, help_text="blind index of the record from which it was prepared, 16 bytes")
    unseen = models.BooleanField(default=False, db_default=False,
                                 help_text="good by its chip alone: no camera of the maker has looked at it")
    outcome = models.TextField(default="waiting", choices=[(outcome, outcome) for outcome in ITEM_OUTCOMES])
    reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["card"], condition=~Q(outcome="held"), name="item_card_once"),
            models.UniqueConstraint(fields=["batch", "position"], name="item_position_once"),
            models.CheckConstraint(condition=~Q(outcome="prepared") | Q(readback__isnull=False),
                                   name="item_prepared_can_be_read_back"),
        ]
        indexes: ClassVar = [models.Index(fields=["chunk"], name="item_by_chunk")]

    def __str__(self) -> str:
        """Batch and position."""
        return f"batch {self.batch_id} item {self.position}"


class Finding(Part):
    """Something in a card maker's results that needs a person: a card that was not ordered, a UID seen twice …"""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="findings", db_index=False,
                              db_constraint=False)
    code = models.TextField(choices=[(code, zh) for code, zh in FINDINGS.items()])
    serial = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["batch"], name="finding_by_batch")]

    def __str__(self) -> str:
        """Code and serial."""
        return f"{self.code} {self.serial}"
