"""What an operator is paid for a month, line by line, from events that its gates signed; and what is disputed."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.gates.models.visits import Visit
from zhengka.gates.workflow import DISPUTE, STATEMENT


class Statement(ProvinceRow, Stateful):
    """What gates of one operator in one office's area gave in a month (结算单): counts, amount, digest of the events.

    It holds each event that was not in an earlier one: what comes late is settled with the next month.
    """

    workflow = STATEMENT
    area = models.BigIntegerField(help_text="the office that settles; its area is that of the gates")
    operator = models.TextField()
    month = models.DateField(help_text="its first day")
    made_at = models.DateTimeField()
    made_by = models.TextField(help_text="the person")
    sent_by = models.TextField(blank=True)
    closed_by = models.TextField(blank=True)
    events = models.PositiveIntegerField(default=0, help_text="all that it holds, counted or not")
    counted = models.PositiveIntegerField(default=0)
    fen = models.BigIntegerField(default=0)
    digest = models.BinaryField(default=b"", help_text="SHA-256 over the sorted digests of all events that it holds")
    tariff = models.TextField(blank=True, help_text="source of the prices")
    head = models.TextField(blank=True, help_text="what is signed, once it was sent")
    signature = models.BinaryField(null=True)
    key_id = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operator", "month", "area"], condition=~Q(state="discarded"),
                                    name="statement_once_a_month"),
            models.CheckConstraint(condition=Q(fen__gte=0) & Q(counted__lte=F("events")), name="statement_adds_up"),
            models.CheckConstraint(condition=Q(month__day=1), name="statement_of_a_month"),
            models.CheckConstraint(condition=~Q(state="closed") | ~Q(closed_by="") & ~Q(closed_by=F("made_by"))
                                   & ~Q(closed_by=F("sent_by")), name="statement_closed_by_another"),
            state_check(STATEMENT),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="statement_by_area"),
                             models.Index(fields=["id"], name="statement_unsigned",
                                          condition=Q(signature=None) & ~Q(state__in=["draft", "discarded"]))]

    @property
    def area_id(self) -> int:
        """The code by which events and scope know its place."""
        return self.area

    def __str__(self) -> str:
        """Of whom, of when."""
        return f"{self.operator} {self.month:%Y-%m}"


class StatementLine(models.Model):
    """One line: a service under one rule and benefit, how often, and what it comes to, in fen."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField()
    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    service = models.TextField()
    rule = models.TextField()
    gives = models.TextField()
    uses = models.PositiveIntegerField()
    companions = models.PositiveIntegerField()
    fen_each = models.BigIntegerField()
    fen_companion = models.BigIntegerField()
    fen = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["statement", "service", "rule", "gives", "fen_each", "fen_companion"],
                                    name="statement_line_once"),
            models.CheckConstraint(condition=Q(fen=F("uses") * F("fen_each") + F("companions") * F("fen_companion")),
                                   name="statement_line_adds_up"),
        ]

    def __str__(self) -> str:
        """What of."""
        return f"{self.service} {self.rule} {self.gives}"


class Dispute(ProvinceRow, Stateful):
    """The operator, or the office, says that one event of a statement is wrong (争议)."""

    workflow = DISPUTE
    area = models.BigIntegerField()
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    why = models.TextField()
    opened_by = models.TextField(help_text="the person")
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["statement", "visit"], name="dispute_once_an_event"),
            models.CheckConstraint(condition=~Q(why=""), name="dispute_says_why"),
            state_check(DISPUTE),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="dispute_by_area")]

    @property
    def area_id(self) -> int:
        """The code by which events and scope know its place."""
        return self.area

    def __str__(self) -> str:
        """Of which event."""
        return f"dispute of event {self.visit_id}"
