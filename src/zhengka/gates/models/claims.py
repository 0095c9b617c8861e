"""Lists of claims (资格表) as they were published to operators."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class ClaimPublication(models.Model):
    """One version of the list that tells, of the cards of a status list, whose holders fulfil a condition. The row is
    written before the signature (I9), `digest` and `size` after: a version that was never published is a gap in the
    numbers, never a number used twice.
    """

    id = models.BigAutoField(primary_key=True)
    claim = models.TextField(help_text="name of the condition, as rulebooks have it")
    list_number = models.PositiveIntegerField()
    number = models.PositiveBigIntegerField(help_text="monotonic version of the list")
    published_at = models.DateTimeField()
    content = models.TextField(help_text="digest of what it says, by which a repeat is known")
    holding = models.PositiveIntegerField(help_text="cards whose holders fulfil the condition")
    digest = models.TextField(blank=True, help_text="digest in the file store; empty until published")
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["claim", "list_number", "number"], name="claim_version_once"),
            models.CheckConstraint(condition=Q(claim__regex=r"^[0-9a-f]{8}$"), name="claim_named"),
            models.CheckConstraint(condition=Q(digest="", size=0) | ~Q(digest="") & Q(size__gt=0),
                                   name="claim_published_whole"),
        ]

    def __str__(self) -> str:
        """Claim, list and version."""
        return f"claim {self.claim} of list {self.list_number} v{self.number}"
