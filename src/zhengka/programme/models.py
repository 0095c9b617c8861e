"""The programme (试点): what was planned for each issuing unit, on which day."""

from typing import ClassVar

from django.db import models

from zhengka.areas.models import Area


class Programme(models.Model):
    """A programme such as the Hunan pilot of 2018, loaded from a dated file."""

    code = models.TextField(primary_key=True)
    title = models.TextField()
    title_en = models.TextField()
    counted_on = models.DateField(help_text="day of the holder count")
    budget_fen = models.BigIntegerField()

    def __str__(self) -> str:
        """The title."""
        return self.title


class Target(models.Model):
    """The plan for one issuing unit: holders at the count, phase one or two."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="targets")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area")
    holders = models.PositiveIntegerField()
    phase = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["programme", "area"], name="target_once")]

    def __str__(self) -> str:
        """Unit and phase."""
        return f"{self.area_id} phase {self.phase}"
