"""Papers (材料) and portraits (照片) that people bring, for a row of another room: its kind and id, and its area."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Shared, Stateful, StreamName, state_check
from zhengka.papers.rules import PAPERS
from zhengka.papers.workflow import PAPER, PORTRAIT


class Paper(Shared, ProvinceRow, Stateful):
    """A paper of a person (证明材料), made anew and kept sealed; withdrawn, its file is removed and its row stays."""

    workflow = PAPER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    subject = models.TextField(help_text="kind of the row that it belongs to: case, holder")
    subject_id = models.BigIntegerField()
    kind_of_paper = models.TextField(choices=[(code, english) for code, (_, english) in PAPERS.items()])
    file = StreamName(blank=True, help_text="name of the sealed file in the file store")
    name = models.BinaryField(help_text="name that the file came under, sealed as paper.name")
    media = models.TextField(help_text="application/pdf or image/jpeg")
    size = models.PositiveIntegerField(help_text="bytes")
    pages = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind_of_paper__in=sorted(PAPERS)) & ~Q(kind_of_paper="photo"),
                                   name="paper_kind_known"),
            models.CheckConstraint(condition=Q(state="received", withdrawn_at=None) & ~Q(file="")
                                   | Q(state="withdrawn", withdrawn_at__isnull=False, file=""),
                                   name="paper_withdrawn_is_gone"),
            models.CheckConstraint(condition=Q(pages__gte=1, size__gte=1), name="paper_holds_something"),
            state_check(PAPER),
        ]
        indexes: ClassVar = [models.Index(fields=["subject_id", "subject"], name="paper_by_subject")]

    def __str__(self) -> str:
        """Key only."""
        return f"paper {self.pk}"


class Portrait(Shared, ProvinceRow, Stateful):
    """One taking of a portrait (照片采集): what was measured, by which standard, and what became of it. A person has at
    most one that is kept and one that waits; the next one replaces it, and its file is then removed.
    """

    workflow = PORTRAIT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    subject = models.TextField(help_text="kind of the row that it belongs to: case, holder")
    subject_id = models.BigIntegerField()
    file = StreamName(blank=True, help_text="name of the sealed file in the file store")
    standard = models.TextField(help_text="code of the photo standard")
    dark_glasses = models.BooleanField(help_text="allowed to the person (视力)")
    fits = models.BooleanField(help_text="no check failed")
    findings = models.JSONField(help_text="[[check, value, least, most, outcome], …]")
    face = models.JSONField(null=True, help_text="box of the face: left, top, width, height, in pixels")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_id", "subject", "state"], condition=~Q(state="replaced"),
                                    name="portrait_once"),
            models.CheckConstraint(condition=Q(state="replaced") ^ ~Q(file=""), name="portrait_replaced_is_gone"),
            state_check(PORTRAIT),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"portrait {self.pk}"
