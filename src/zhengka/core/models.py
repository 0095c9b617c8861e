"""What every room shares: ids that are unique across provinces, rows with a state, the append-only event."""

from collections.abc import Collection
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import connection, models
from django.db.models import Q

from zhengka.core.workflow import Workflow

PROVINCE_FACTOR = 10**13
"""id = province (two digits of GB/T 2260) × 10^13 + a number of the table's sequence: unique in the nation without
talking to anybody, and still exact in a JavaScript number (< 2^53)."""


def sequence(model: type[models.Model]) -> str:
    """Name of the sequence that feeds the ids of `model`."""
    return f"{model._meta.db_table}_ids"


def new_ids(model: type[models.Model], province: int, count: int = 1) -> list[int]:
    """`count` new ids of `model` in `province` (two digits)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::bigint + nextval(%s) FROM generate_series(1, %s)",
                       [province * PROVINCE_FACTOR, sequence(model), count])
        return [row[0] for row in cursor.fetchall()]


class StreamName(models.TextField):  # type: ignore[type-arg]
    """A column that names a sealed stream of the file store (`files.put_sealed_stream`), or nothing. What no column of
    this kind names is swept (`core.sweeping`).
    """

    def deconstruct(self) -> Any:
        """For migrations it is text."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


def province_of(area: int) -> int:
    """The two digits of the province in a 12-digit area code."""
    return area // 10**10


class ProvinceRow(models.Model):
    """A row of a province: `id` carries the province, `province` lets the table be partitioned without a new model."""

    id = models.BigIntegerField(primary_key=True, editable=False)
    province = models.PositiveSmallIntegerField(editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Give a new row its id before the first save."""
        if self.id is None:
            self.id = new_ids(type(self), self.province)[0]
        super().save(*args, **kwargs)


class Stateful(models.Model):
    """A row that moves by a workflow: only `core.events.perform` and its set-based twin write `state` and `version`."""

    workflow: ClassVar[Workflow]
    state = models.TextField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

    @property
    def table(self) -> Workflow:
        """The steps that are open to this row: those of its class, where rows of a class do not differ."""
        return type(self).workflow

    @classmethod
    def kind(cls) -> str:
        """The subject's name in events: the workflow's name."""
        return cls.workflow.name

    @classmethod
    def get(cls, pk: int) -> Self:
        """The row by its key."""
        return cls._default_manager.get(pk=pk)


def state_check(workflow: Workflow) -> models.CheckConstraint:
    """The database's own copy of the table's states."""
    return states_check(workflow.name, workflow.states)


def states_check(name: str, states: Collection[str]) -> models.CheckConstraint:
    """The database's own list of the states that a row may be in."""
    return models.CheckConstraint(condition=models.Q(state__in=sorted(states)),
                                  name=f"{name.replace('-', '_')}_state_known")


class Shared(models.Model):
    """A row that belongs to a case: the case's other office sees it, too (`core.scope.share`)."""

    shared_with = models.BigIntegerField(null=True, editable=False,
                                         help_text="12-digit code of another office that sees the row")

    class Meta:
        abstract = True


SHARING = ("appointment", "assessment", "case", "custody", "custody-case", "letter", "paper", "parcel", "portrait",
           "slip")
"""Subjects that two offices may share: a case, and what belongs to one; a shipment of blank cards; a parcel of finished
ones, what is in it and what is amiss with it.
"""


class Event(Shared):
    """One thing that happened to one subject: never changed, never removed (a trigger refuses both)."""

    id = models.BigAutoField(primary_key=True)
    province = models.PositiveSmallIntegerField()
    area = models.BigIntegerField(help_text="12-digit code of the issuing office")
    subject = models.TextField(help_text="kind of the subject: holder, certificate, case, card, batch …")
    subject_id = models.BigIntegerField()
    version = models.PositiveIntegerField(help_text="the subject's version after the event")
    action = models.TextField()
    source = models.TextField(blank=True, help_text="state before; empty for a beginning")
    target = models.TextField(blank=True)
    actor_id = models.BigIntegerField(null=True, help_text="officer; null is the platform itself")
    actor_name = models.TextField()
    person = models.TextField(help_text="the person behind the account")
    request_id = models.UUIDField(null=True, help_text="null: a row of the import that the facts name")
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_id", "version", "subject"], name="event_once_per_version"),
            models.CheckConstraint(condition=Q(shared_with__isnull=True) | Q(subject__in=SHARING),
                                   name="event_shared_of_case"),
            models.UniqueConstraint(fields=["request_id"], condition=Q(request_id__isnull=False),
                                    name="event_once_per_request"),
            models.CheckConstraint(condition=Q(request_id__isnull=False) | Q(facts__has_key="import"),
                                   name="event_asked_for"),
        ]

    @property
    def request(self) -> UUID:
        """The request id of an event that has one; ValueError for that of an import's row."""
        if self.request_id is None:
            raise ValueError(f"{self} was not asked for by itself")
        return self.request_id

    def __str__(self) -> str:
        """Subject and action, without personal data."""
        return f"{self.subject} {self.subject_id} v{self.version} {self.action}"
