"""Cases (办理): the only rows that start a change for a person."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases.workflow import EXCHANGE
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.registry.models import Certificate, Holder


class Case(ProvinceRow, Stateful):
    """One case of a holder. `reviewer_person` and `approver_person` are persons, not accounts (I6)."""

    workflow = EXCHANGE
    kind_of_case = models.TextField(choices=[("exchange", "exchange")], default="exchange")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="cases")
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, db_index=False)
    card = models.ForeignKey(Card, null=True, on_delete=models.PROTECT)
    phase = models.PositiveSmallIntegerField(help_text="phase of the programme under which it was opened")
    reviewer_person = models.TextField(blank=True)
    approver_person = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holder", "kind_of_case"], condition=~Q(state="closed"),
                                    name="case_open_once"),
            models.CheckConstraint(condition=Q(approver_person="") | ~Q(approver_person=F("reviewer_person")),
                                   name="case_two_persons"),
            models.CheckConstraint(condition=~Q(state__in=("approved", "ordered"))
                                   | (~Q(reviewer_person="") & ~Q(approver_person="")), name="case_decided_by_two"),
            models.CheckConstraint(condition=~Q(state="ordered") | Q(card__isnull=False), name="case_ordered_has_card"),
            state_check(EXCHANGE),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "area", "id"], name="case_by_state_area")]

    def __str__(self) -> str:
        """Key only."""
        return f"case {self.pk}"
