"""Bulk acts (批量办理): what an officer asked for that is too long for a web request, and how far it is."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.bulk.workflow import ACT
from zhengka.core.models import ProvinceRow, Stateful, StreamName, state_check


class Act(ProvinceRow, Stateful):
    """One act over many rows, asked for by an officer and carried out by workers, group by group.

    Each group is a transaction with the counts below in it, so that a kill in the middle loses and doubles nothing.
    The row holds ids, codes and numbers, and no data of a person.
    """

    workflow = ACT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    task = models.TextField(help_text="name of the task that carries it out: what kind of act it is")
    subject_id = models.BigIntegerField(null=True, help_text="the one row that it is about, such as a batch")
    asked = models.JSONField(default=dict, help_text="what was asked for besides, as codes")
    permissions = models.JSONField(help_text="what the officer was permitted when asking; it holds to the end")
    officer_id = models.BigIntegerField(null=True)
    upload = StreamName(blank=True, help_text="digest of the sealed upload, removed at the end")
    total = models.PositiveIntegerField(default=0, help_text="rows expected when it was asked for; 0: not known")
    done = models.PositiveIntegerField(default=0, help_text="rows looked at so far")
    moved = models.PositiveIntegerField(default=0, help_text="those of them with which it was done")
    left_alone = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text="why rows were left alone: code → number of rows")
    who_left = models.JSONField(default=dict, help_text="the first rows left alone: id → code of the reason")
    unwritten = models.JSONField(default=dict, help_text="letters that could not be written: reason → number")
    groups = models.PositiveIntegerField(default=0, help_text="groups that are done")
    place = models.JSONField(null=True, help_text="where the next group begins, in the terms of the task")
    problem = models.TextField(blank=True, help_text="code of the refusal that ended it")
    problem_facts = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(done=F("moved") + F("left_alone")), name="bulk_act_adds_up"),
            models.CheckConstraint(condition=Q(state="waiting") | Q(finished_at__isnull=False),
                                   name="bulk_act_ended_at"),
            models.CheckConstraint(condition=Q(problem="") ^ Q(state="refused"), name="bulk_act_refused_why"),
            state_check(ACT),
        ]
        indexes: ClassVar = [models.Index(fields=["task", "subject_id"], name="bulk_act_by_subject")]

    def __str__(self) -> str:
        """Key only."""
        return f"bulk act {self.pk}"
