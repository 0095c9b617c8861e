"""Batches (制卡批次), their items and chunks, and the card maker's results."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.models import ProvinceRow, Stateful, StreamName, state_check
from zhengka.production.workflow import BATCH, DECISIONS, ERASED, FINDINGS, GATES, ITEM_OUTCOMES, LOOKS, PLATES
from zhengka.stock.models import Store


class Maker(models.Model):
    """A card maker (制卡单位) with the public key to which packages are encrypted and by which results are checked."""

    name = models.TextField(primary_key=True)
    suite = models.TextField()
    public = models.BinaryField(help_text="uncompressed point, 65 bytes")
    camera = models.BooleanField(default=False, help_text="a camera looks at every finished card; none is taken unseen")
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                              db_constraint=False, help_text="the machine out of which its blank cards come")
    certificate = models.BinaryField(null=True, help_text="by which it vouches for its key (X.509, DER)")
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True, help_text="from then on nothing is given to it or taken from it")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.TextField(blank=True, default="", db_default="", help_text="person who revoked it")
    text_form = models.TextField(blank=True, default="", db_default="", help_text="its packages hold the text form of "
                                 "older programs, too, in this code")
    pictures = models.TextField(blank=True, default="", db_default="", help_text="the faces as pictures besides PDF: "
                                "png-300, png-600, jpeg-300, jpeg-600; empty: PDF alone")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(certificate__isnull=True, valid_from__isnull=True, valid_until__isnull=True)
                | Q(certificate__isnull=False, valid_from__isnull=False, valid_until__isnull=False,
                    valid_from__lt=models.F("valid_until")), name="maker_certificate_whole"),
            models.CheckConstraint(condition=Q(revoked_at__isnull=True, revoked_by="")
                                   | Q(revoked_at__isnull=False) & ~Q(revoked_by=""), name="maker_revoked_by_somebody"),
            models.CheckConstraint(condition=Q(text_form__in=("", "gbk", "gb18030")), name="maker_text_form_known"),
            models.CheckConstraint(condition=Q(pictures__in=("", *PLATES)), name="maker_pictures_known"),
        ]
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
    result_digest = models.TextField(blank=True, default="", db_default="", help_text="of the results")
    received_at = models.DateTimeField(null=True, help_text="when its results were taken")
    receipt = models.TextField(blank=True, default="", db_default="", help_text="our signed receipt of its results")
    acknowledge_by = models.DateField(null=True, help_text="last day for the card maker's receipt of the package")
    acknowledged_at = models.DateTimeField(null=True, help_text="when the card maker had the package, as it says")
    erase_on = models.DateField(null=True, help_text="day on which what was made for it here is erased")
    erased_at = models.DateTimeField(null=True, help_text="when the last of it was gone")
    officer_id = models.BigIntegerField(null=True)
    keys = ArrayField(models.BigIntegerField(), default=list, help_text="row ids of the masters that it keeps from the "
                                                                        "beginning of its preparation")
    prepared_person = models.TextField(blank=True, default="", db_default="", help_text="who had it prepared")
    sent_person = models.TextField(blank=True, default="", db_default="", help_text="who sent it: another one")
    missed_person = models.TextField(blank=True, default="", db_default="",
                                     help_text="who proposed to declare that it does not come back")
    given_up_person = models.TextField(blank=True, default="", db_default="",
                                       help_text="who declared so: another one")
    undecided = models.PositiveIntegerField(default=0, db_default=0,
                                            help_text="held cards about which nobody has decided yet")
    gate = models.TextField(blank=True, default="", db_default="", choices=[(gate, gate) for gate in GATES],
                            help_text="how its finished cards are looked at before any is ready")
    problem = models.TextField(blank=True, help_text="code of what its preparation failed by last")
    machine = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                                db_constraint=False, help_text="where its blank cards come from, since it was sent")
    wasted = models.PositiveIntegerField(default=0, db_default=0, help_text="blank cards spoiled beside its own")

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
            models.CheckConstraint(condition=Q(acknowledged_at__isnull=True)
                                   | Q(state__in=("sent", "received", "closed")), name="batch_acknowledged_once_sent"),
            models.CheckConstraint(condition=~Q(state__in=("cancelled", "received", "closed"))
                                   | Q(erase_on__isnull=False), name="batch_ended_has_its_day"),
            models.CheckConstraint(condition=Q(erased_at__isnull=True)
                                   | Q(erase_on__isnull=False, package="", proof=""), name="batch_erased_whole"),
            models.CheckConstraint(condition=~Q(state__in=("sent", "received", "closed")) | Q(undecided=0),
                                   name="batch_sent_is_decided"),
            models.CheckConstraint(condition=~Q(state="closed") | Q(gate__in=("", "passed")),
                                   name="batch_closed_was_looked_at"),
            models.CheckConstraint(
                condition=Q(given_up_person="")
                | Q(state="closed", result_id__isnull=True, good=0) & ~Q(missed_person="")
                & ~Q(missed_person=models.F("given_up_person")), name="batch_given_up_by_two"),
            state_check(BATCH),
        ]
        indexes: ClassVar = [models.Index(fields=["erase_on"], condition=Q(erased_at__isnull=True),
                                          name="batch_to_be_erased")]

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
    blank = models.BigIntegerField(null=True, help_text="serial of the blank card of which it was made")
    outcome = models.TextField(default="waiting", choices=[(outcome, outcome) for outcome in ITEM_OUTCOMES])
    reason = models.TextField(blank=True)
    decision = models.TextField(blank=True, default="", db_default="", choices=[(each, each) for each in DECISIONS],
                                help_text="what was decided about it while it is held")
    drawn = models.PositiveIntegerField(null=True, help_text="place among the cards that are looked at, from 1")
    seen = ArrayField(models.TextField(), default=list, db_default=[], help_text="what of it was looked at and matched")
    checked = models.TextField(blank=True, default="", db_default="", choices=[(each, each) for each in (
        "", "passed", "failed")], help_text="what came of looking at it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "drawn"], name="item_drawn_once"),
            models.CheckConstraint(condition=~Q(checked="passed")
                                   | Q(drawn__isnull=False, seen__contains=list(LOOKS)), name="item_passed_was_seen"),
            models.UniqueConstraint(fields=["card"], condition=~Q(outcome="held"), name="item_card_once"),
            models.UniqueConstraint(fields=["batch", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["blank"], condition=Q(blank__isnull=False), name="item_blank_once"),
            models.CheckConstraint(condition=Q(blank__isnull=True) | Q(outcome__in=("good", "spoiled", "suspect")),
                                   name="item_blank_of_a_made_card"),
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


class Erasure(Part):
    """Proof that a piece of a batch's production data is gone from here (销毁证明): what it was, by which rule it went.
    A trigger keeps rows as they are. It is written before the file goes, so that nothing goes unsaid.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="erasures", db_index=False,
                              db_constraint=False)
    what = models.TextField(choices=[(what, zh) for what, zh in ERASED.items()])
    name = models.TextField(help_text="name of the file")
    digest = models.TextField(blank=True, help_text="SHA-256 of the file, of members of the list of their names and "
                                                    "sizes; empty: it was not there any more")
    size = models.BigIntegerField(help_text="bytes")
    rule = models.TextField(help_text="code of the file under data/production by which it went")
    due_on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "what", "name"], name="erasure_once")]

    def __str__(self) -> str:
        """What and which."""
        return f"{self.what} {self.name}"
