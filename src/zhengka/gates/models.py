"""What gates and phones asked: counted without a person's data."""

from typing import ClassVar

from django.db import models

CHANNELS = ("page", "api")


class Check(models.Model):
    """One presentation of a card (核验) and the verdict that was given."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    channel = models.TextField(choices=[(channel, channel) for channel in CHANNELS])
    verdict = models.TextField()
    area = models.BigIntegerField(null=True, help_text="issuing office of the card; null where no card was found")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(channel__in=CHANNELS), name="check_channel_known")]
        indexes: ClassVar = [models.Index(fields=["area", "at"], name="check_by_area_time")]

    def __str__(self) -> str:
        """Channel and verdict."""
        return f"{self.channel} {self.verdict}"
