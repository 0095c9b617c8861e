"""What gates and phones asked: counted without a person's data."""

from django.db import models


class Check(models.Model):
    """One presentation of a card (核验) and the verdict that was given."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    channel = models.TextField(choices=[(channel, channel) for channel in ("page", "api")])
    verdict = models.TextField()
    area = models.BigIntegerField(null=True, help_text="issuing office of the card; null where no card was found")

    def __str__(self) -> str:
        """Channel and verdict."""
        return f"{self.channel} {self.verdict}"
