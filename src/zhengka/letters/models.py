"""The outbox (发件箱): one row for each letter on each way."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Shared, Stateful, state_check
from zhengka.letters.rules import KINDS, LANGUAGES, OCCASION, UNREACHED
from zhengka.letters.workflow import CHANNELS, LETTER


class Letter(Shared, ProvinceRow, Stateful):
    """One letter on one way. What it says and to whom is sealed; what it says never changes. A person is told of one
    occasion in one way once, however often anybody asks.
    """

    workflow = LETTER
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    template = models.TextField(help_text="kind of letter: a name of letters.rules.KINDS")
    template_from = models.DateField(help_text="the wording is the one in force since this day")
    subject = models.TextField(help_text="what it is about: kind of a row, such as case or card")
    subject_id = models.BigIntegerField()
    occasion = models.TextField(help_text="which time, such as 2026-60: a slug without personal data")
    channel = models.TextField()
    language = models.TextField()
    recipient = models.BinaryField(help_text="sealed: name, phone, address, how they read")
    words = models.BinaryField(help_text="sealed: title and paragraphs with their slots filled")
    whole = models.BinaryField(null=True, help_text="sealed: of a short message the whole letter")
    tries = models.PositiveSmallIntegerField(default=0)
    sender = models.TextField(blank=True, help_text="who carried it: store, folder, provider or office")
    reference = models.TextField(blank=True, help_text="the carrier's own reference")
    problem = models.TextField(blank=True, help_text="why it failed, a code of letters.senders.REASONS")
    run = models.UUIDField(null=True, help_text="the print run that it went with")
    written_at = models.DateTimeField()
    queued_at = models.DateTimeField(help_text="since when it waits for its present try")
    sending_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True, help_text="when it is tried again by itself")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_id", "template", "occasion", "channel", "subject"],
                                    name="letter_once_per_occasion"),
            models.CheckConstraint(condition=Q(template__in=sorted(KINDS)), name="letter_template_known"),
            models.CheckConstraint(condition=Q(channel__in=sorted(CHANNELS)), name="letter_channel_known"),
            models.CheckConstraint(condition=Q(language__in=sorted(LANGUAGES)), name="letter_language_known"),
            models.CheckConstraint(condition=Q(occasion__regex=f"^{OCCASION}$"), name="letter_occasion_slug"),
            models.CheckConstraint(condition=~Q(state__in=["sent", "delivered"]) | Q(sent_at__isnull=False),
                                   name="letter_sent_at"),
            models.CheckConstraint(condition=~Q(state__in=["sending", "unknown"]) | Q(sending_at__isnull=False),
                                   name="letter_sending_at"),
            models.CheckConstraint(condition=Q(problem="") ^ Q(state="failed"), name="letter_failed_why"),
            models.CheckConstraint(condition=Q(retry_at__isnull=True) | Q(state="failed"), name="letter_retry_failed"),
            state_check(LETTER),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "area", "id"], name="letter_by_state_area"),
            models.Index(fields=["retry_at"], condition=Q(state="failed", retry_at__isnull=False),
                         name="letter_to_retry"),
            models.Index(fields=["sending_at"], condition=Q(state="sending"), name="letter_sending"),
            models.Index(fields=["run"], condition=Q(run__isnull=False), name="letter_by_run"),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"letter {self.pk}"


class Unwritten(Shared):
    """A letter that could not be written on one way (未能拟发): the person was not told of this occasion in this way,
    and an officer has to do it. It stands until a later letter of the same kind about the same row is written, or until
    the matter has passed by itself: nothing is told by being forgotten.
    """

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="12-digit code of the office whose letter it would have been")
    subject = models.TextField(help_text="what it would have been about: kind of a row, such as case or card")
    subject_id = models.BigIntegerField()
    template = models.TextField(help_text="kind of letter: a name of letters.rules.KINDS")
    occasion = models.TextField(help_text="which time, as of a letter")
    channel = models.TextField()
    reason = models.TextField(help_text="code of the refusal, one of letters.rules.UNREACHED")
    slot = models.TextField(blank=True, help_text="what did not fit: a slot of the letter, name or address")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="since when nothing is missing any more")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["template", "area", "id"], condition=Q(settled_at__isnull=True),
                         name="unwritten_by_kind"),
            models.Index(fields=["id"], condition=Q(settled_at__isnull=True), name="unwritten_newest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_id", "template", "occasion", "channel", "subject"],
                                    name="unwritten_once_per_occasion"),
            models.CheckConstraint(condition=Q(reason__in=sorted(UNREACHED)), name="unwritten_reason_known"),
        ]

    def __str__(self) -> str:
        """Kind and reason, without personal data."""
        return f"unwritten {self.template}: {self.reason}"
