"""Devices (机具): readers, printers and gates, their security modules (PSAM), and what readers read."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.devices.workflow import DEVICE, FORMS, HEALTHS, KINDS, PSAM, READING_ENDS, SIGNING


class Device(ProvinceRow, Stateful):
    """A reader, printer or gate: whose it is, where it stands, who looks after it, and how it was when last seen.

    A paired reader or gate has a key pair of its own; `public` is what its words are checked by.
    """

    workflow = DEVICE
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    sort = models.TextField(choices=list(KINDS.items()))
    name = models.TextField()
    place = models.TextField(help_text="counter, room, bus stop")
    keeper = models.TextField(help_text="who looks after it")
    number = models.TextField(blank=True, help_text="the maker's serial number")
    registered_at = models.DateTimeField()
    suite = models.TextField(blank=True)
    public = models.BinaryField(null=True, help_text="uncompressed point, 65 bytes")
    key_id = models.BinaryField(null=True, help_text="first 8 bytes of the digest of the point")
    code = models.TextField(blank=True, help_text="digits that pair it, until they were used")
    code_until = models.DateTimeField(null=True)
    nonce = models.BinaryField(null=True, help_text="16 bytes that the reader signs when it is paired")
    health = models.TextField(blank=True, help_text="how the last reading or print job ended")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key_id"], name="device_key_once"),
            models.UniqueConstraint(fields=["area", "name"], name="device_name_once"),
            models.UniqueConstraint(fields=["id", "area"], name="device_in_its_area"),
            models.CheckConstraint(condition=Q(sort__in=sorted(KINDS)), name="device_sort_known"),
            models.CheckConstraint(condition=~Q(state="active") | ~Q(sort__in=SIGNING) | Q(public__isnull=False),
                                   name="device_signs_by_its_key"),
            models.UniqueConstraint(fields=["code"], condition=Q(sort="gate") & ~Q(code=""),
                                    name="device_gate_found_by_code"),
            models.CheckConstraint(condition=Q(public=None, key_id=None, suite="")
                                   | Q(public__isnull=False, key_id__isnull=False) & ~Q(suite=""),
                                   name="device_key_whole"),
            models.CheckConstraint(condition=Q(health__in=["", *HEALTHS]), name="device_health_known"),
            state_check(DEVICE),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="device_by_area")]

    @property
    def signs(self) -> bool:
        """True for what must sign what it says."""
        return self.sort in SIGNING

    def __str__(self) -> str:
        """Its name."""
        return self.name


class Psam(ProvinceRow, Stateful):
    """A security module (PSAM) that answers challenges of cards for one reader. Its keys are in the key store, or in
    the chip; here is only which they are: suite and region.
    """

    workflow = PSAM
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    number = models.TextField(help_text="16 digits: region, running number")
    form = models.TextField(choices=list(FORMS.items()))
    suite = models.TextField(choices=[("SM", "SM"), ("INTL", "INTL")])
    reader = models.ForeignKey(Device, null=True, on_delete=models.PROTECT, related_name="modules", db_index=False)
    check_value = models.TextField(blank=True, help_text="check values of the masters that it draws from, by purpose")
    issued_at = models.DateTimeField()
    uses = models.PositiveBigIntegerField(default=0, help_text="answers given, counted before they are made (I9)")
    stored = models.PositiveBigIntegerField(default=0, db_default=0, help_text="readings for which the key store "
                                            "answered in the place of a chip, counted before it did")
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number"], name="psam_number_once"),
            models.UniqueConstraint(fields=["reader"], condition=Q(state="bound"), name="psam_one_for_a_reader"),
            models.CheckConstraint(condition=Q(state="bound", reader__isnull=False)
                                   | ~Q(state="bound") & Q(reader=None), name="psam_bound_to_a_reader"),
            models.CheckConstraint(condition=Q(form__in=sorted(FORMS)), name="psam_form_known"),
            models.CheckConstraint(condition=Q(suite__in=["SM", "INTL"]), name="psam_suite_known"),
            models.CheckConstraint(condition=Q(form="chip") | Q(stored=0), name="psam_counts_apart"),
            models.CheckConstraint(condition=Q(state="issued") | ~Q(check_value=""), name="psam_initialised"),
            state_check(PSAM),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="psam_by_area")]

    def __str__(self) -> str:
        """Its number."""
        return self.number


class Reading(ProvinceRow):
    """One card on one reader: what was asked, what the chip answered, signed by the reader step by step.

    It begins for one officer on one reader, lives some minutes, and ends once. `exchanges` holds commands and answers
    in hexadecimal digits; what only a proven reader gets to see of a person is not asked for at the desk, and what a
    gate is told of it goes with the seed.
    """

    area = models.BigIntegerField(help_text="12-digit code of the reader's office")
    reader = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="readings", db_constraint=False)
    officer_id = models.BigIntegerField(null=True)
    purpose = models.TextField()
    subject_id = models.BigIntegerField(null=True, help_text="the card that it is for, or turned out to be")
    nonce = models.BinaryField(help_text="16 bytes, signed with every step")
    seed = models.BinaryField(help_text="16 bytes from which our own challenges are drawn, gone once it ended",
                              null=True)
    began_at = models.DateTimeField()
    steps = models.PositiveSmallIntegerField(default=0)
    uid = models.BinaryField(default=b"", help_text="what the chip tells")
    atr = models.BinaryField(default=b"")
    exchanges = models.JSONField(default=list, help_text="[[command, answer], …]")
    answers = models.PositiveSmallIntegerField(default=0, help_text="answers that the security module gave for it")
    outcome = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["nonce"], name="reading_nonce_once"),
            models.CheckConstraint(condition=Q(outcome__in=["", *READING_ENDS]), name="reading_outcome_known"),
            models.CheckConstraint(condition=Q(outcome="", ended_at=None, seed__isnull=False)
                                   | ~Q(outcome="") & Q(ended_at__isnull=False, seed=None), name="reading_ends_once"),
            models.CheckConstraint(condition=~Q(outcome="good") | Q(subject_id__isnull=False, steps__gt=0),
                                   name="reading_good_of_a_card"),
            models.CheckConstraint(condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
                                   name="reading_ordered"),
        ]
        indexes: ClassVar = [models.Index(fields=["reader", "id"], name="reading_by_reader"),
                             models.Index(fields=["area", "began_at"], name="reading_by_age"),
                             models.Index(fields=["began_at"], name="reading_open", condition=Q(outcome="")),
                             models.Index(fields=["subject_id", "id"], name="reading_proved",
                                          condition=Q(outcome__in=["good", "gate-refused"]))]

    def __str__(self) -> str:
        """Key and outcome."""
        return f"reading {self.pk}: {self.outcome or 'open'}"
