"""Holders (持证人), their certificates (残疾人证), and the imports of second-generation records."""

from typing import ClassVar

from django.db import models
from django.db.models import Case, F, Q, Value, When

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, StreamName, state_check
from zhengka.registry.workflow import CERTIFICATE, FROZEN_FOR, HOLDER, IMPORT


class Holder(ProvinceRow, Stateful):
    """A person to whom a disability certificate has been issued (持证人). Sealed fields hold no clear text;
    `id_index` is the keyed blind index of the normalised 18-character ID number (I2).

    Area and source are references that triggers hold for a whole statement, not row by row (0002_promises).
    """

    workflow = HOLDER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False, db_constraint=False)
    name = models.TextField()
    pinyin = models.TextField(help_text="name in pinyin without tones or spaces, for search")
    initials = models.TextField(help_text="first letters of the pinyin")
    sex = models.PositiveSmallIntegerField(help_text="GB/T 2261.1: 1 male, 2 female")
    birth_date = models.DateField()
    ethnicity = models.TextField(blank=True)
    id_number = models.BinaryField(help_text="sealed as holder.id_number")
    id_index = models.BinaryField(help_text="16 bytes")
    phone = models.BinaryField(null=True, help_text="sealed as holder.phone")
    address = models.BinaryField(null=True, help_text="sealed as holder.address")
    guardian = models.BinaryField(null=True, help_text="sealed as holder.guardian: name and phone, JSON")
    wishes = models.BinaryField(null=True, help_text="sealed as holder.wishes: how they ask to be written to")
    street = models.BigIntegerField(null=True, help_text="12-digit code of the street or township of the address, as "
                                                         "far as it names one that is kept; found again each night")
    photo = models.TextField(null=True, help_text="digest in the file store")
    photo_fault = models.TextField(blank=True, help_text="why the photo that came cannot be used")
    registered_at = models.DateTimeField()
    source = models.ForeignKey("Import", null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    source_row = models.PositiveIntegerField(null=True)
    row_digest = models.BinaryField(null=True, help_text="keyed digest of the row that registered the person, 16 bytes")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["id_index"], name="holder_person_once"),
            models.CheckConstraint(condition=Q(sex__in=(1, 2)), name="holder_sex_known"),
            state_check(HOLDER),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "name"], name="holder_by_name"),
            models.Index(fields=["area", "initials", "pinyin"], name="holder_by_initials"),
        ]

    def __str__(self) -> str:
        """Key only: a name does not belong in a log."""
        return f"holder {self.pk}"


class Sighting(models.Model):
    """A later row of a known person that an import took in (并档): the same row again changes nothing."""

    digest = models.BinaryField(primary_key=True, help_text="keyed digest of the row, 16 bytes")
    holder_id = models.BigIntegerField()
    import_id = models.BigIntegerField()

    def __str__(self) -> str:
        """Key of the holder."""
        return f"sighting of holder {self.holder_id}"


IN_FORCE = ("valid", "frozen")
"""States of a certificate that has not ended."""
ONE_IN_FORCE = Case(When(state__in=IN_FORCE, then=Value(0, models.BigIntegerField())), default=F("id"))
"""The last column of a unique index: one certificate in force, and any number that have ended."""


class Certificate(ProvinceRow, Stateful):
    """A certificate (证): the right itself, of the second (paper) or third (card) generation. The number changes with
    a person's life and is therefore no key; old numbers still find the person by `number_index`. Among certificates in
    force a number is there once; a person whose category and grade come back has the number again that they had.

    Area and holder are references that triggers hold for a whole statement (0002_promises).
    """

    workflow = CERTIFICATE
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False, db_constraint=False)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="certificates", db_index=False,
                               db_constraint=False)
    generation = models.PositiveSmallIntegerField(help_text="2 paper, 3 card")
    number = models.BinaryField(help_text="sealed as certificate.number")
    number_index = models.BinaryField(help_text="16 bytes")
    category = models.PositiveSmallIntegerField(help_text="GB/T 26341: 1 visual … 7 multiple")
    grade = models.PositiveSmallIntegerField(help_text="1 is the most severe")
    components = models.JSONField(default=list, help_text="[[category, grade], …] of a multiple disability")
    replacement = models.PositiveSmallIntegerField(default=0, help_text="n of the suffix Bn; 0: first issue")
    issued_on = models.DateField()
    valid_until = models.DateField()
    barred_until = models.DateField(null=True, help_text="last day on which its category may not be applied for again")
    frozen_for = models.TextField(blank=True, default="", db_default="",
                                  help_text="code: why it is frozen, or was when it was cancelled")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(  # also the way from a number, old or new, to all who had it
                F("number_index"), F("generation"), ONE_IN_FORCE, name="certificate_number_once"),
            models.UniqueConstraint(  # also the way from a holder to all certificates: one index less to keep up
                F("holder"), F("generation"), ONE_IN_FORCE, name="certificate_valid_once"),
            models.CheckConstraint(condition=Q(category__range=(1, 7)), name="certificate_category_known"),
            models.CheckConstraint(condition=Q(grade__range=(1, 4)), name="certificate_grade_known"),
            models.CheckConstraint(condition=Q(generation__in=(2, 3)), name="certificate_generation_known"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("issued_on")), name="certificate_term_ordered"),
            models.CheckConstraint(condition=Q(barred_until__isnull=True) | Q(state="cancelled"),
                                   name="certificate_bar_of_cancelled"),
            models.CheckConstraint(condition=Q(state="frozen", frozen_for__in=FROZEN_FOR)
                                   | Q(state="cancelled", frozen_for__in=("", *FROZEN_FOR))
                                   | (~Q(state__in=("frozen", "cancelled")) & Q(frozen_for="")),
                                   name="certificate_frozen_for_a_reason"),
            state_check(CERTIFICATE),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"certificate {self.pk}"

    @property
    def categories(self) -> set[int]:
        """What it certifies, each part of 多重 for itself."""
        return {self.category, *(category for category, _ in self.components)}


class Import(ProvinceRow, Stateful):
    """One file of second-generation records (二代证数据导入): taken whole, or refused with nothing changed."""

    workflow = IMPORT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    filename = models.TextField()
    digest = models.TextField(help_text="SHA-256 of the file; the sealed copy in the file store is `upload`")
    upload = StreamName(blank=True, help_text="digest of the sealed upload, removed when taken")
    form = models.TextField(choices=[("xlsx", "xlsx"), ("csv", "csv")])
    encoding = models.TextField(blank=True, help_text="of a text: utf-8, utf-8-sig or gb18030")
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    merged = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text="reason code → number of rows")
    refused_file = StreamName(blank=True, help_text="digest of the sealed file of refused rows")
    problem = models.TextField(blank=True, help_text="code of the refusal of the whole file")
    problem_facts = models.JSONField(default=dict, help_text="what the refusal met, such as missing columns")
    progress = models.PositiveIntegerField(default=0, help_text="rows read so far")
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    officer_id = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state="done") | Q(rows=F("created") + F("merged") + F("unchanged") + F("refused")),
                name="import_rows_add_up"),
            state_check(IMPORT),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"import {self.pk}"
