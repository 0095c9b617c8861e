"""What gates and phones asked: counted without a person's data."""

from typing import ClassVar

from django.db import models

from zhengka.cards.models import Card

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


class Use(models.Model):
    """A card was used where that counts as its yearly activation (正常使用); kept until the night, then removed.

    Only of a region whose policy says so, and only while the card's window is open: no record of where people go.
    """

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+", db_index=False)
    area = models.BigIntegerField(help_text="issuing office of the card")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["card"], name="use_once_a_card")]

    def __str__(self) -> str:
        """Card."""
        return f"use of card {self.card_id}"
