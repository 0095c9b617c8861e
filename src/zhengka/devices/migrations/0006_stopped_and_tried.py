"""A reading ends with its reader's stop, before a card that refused us is asked again, or for want of a module in a
second slot; such a refusal is found.
"""

from django.db import migrations, models
from django.db.models import Q

ENDS = (
    "good", "not-our-card", "locked", "gate-refused", "gate-blocked", "not-authentic", "unreadable", "another-chip",
    "unknown-card", "differs", "refused", "psam-missing", "psam-failed", "another-suite", "key-not-read", "key-missing",
    "key-not-yet", "key-retired", "profile-missing", "order-changed",
    "pcsc-missing", "no-reader", "reader-gone", "no-card", "card-removed", "card-mute",
    "card-in-use", "reader-fails", "two-cards", "another-card", "garbled", "wrong-signature", "overtime",
    "reader-stopped", "tried-before", "no-module", "psam-behind")
HEALTHS = (*ENDS, "printed", "not-printed")


class Migration(migrations.Migration):
    """Names of how readings end, and an index."""

    dependencies = [("devices", "0005_named_ends")]
    operations = [
        migrations.RemoveConstraint("device", "device_health_known"),
        migrations.AddConstraint("device", models.CheckConstraint(
            condition=Q(health__in=["", *HEALTHS]), name="device_health_known")),
        migrations.RemoveConstraint("reading", "reading_outcome_known"),
        migrations.AddConstraint("reading", models.CheckConstraint(
            condition=Q(outcome__in=["", *ENDS]), name="reading_outcome_known")),
        migrations.AddIndex("reading", models.Index(
            fields=["subject_id", "id"], name="reading_proved", condition=Q(outcome__in=["good", "gate-refused"]))),
    ]
