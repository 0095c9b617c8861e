"""A reading may end because the card's keys are of a version that is not read, or because its order was overtaken."""

from django.db import migrations, models
from django.db.models import Q

ENDS = (
    "good", "not-our-card", "locked", "gate-refused", "gate-blocked", "not-authentic", "unreadable", "another-chip",
    "unknown-card", "differs", "refused", "psam-failed", "key-not-read", "order-changed",
    "pcsc-missing", "no-reader", "reader-gone", "no-card", "card-removed", "card-mute",
    "card-in-use", "reader-fails", "two-cards", "another-card", "garbled", "wrong-signature", "overtime")


class Migration(migrations.Migration):
    """Two more names of how a reading ends."""

    dependencies = [("devices", "0002_promises")]
    operations = [
        migrations.RemoveConstraint("device", "device_health_known"),
        migrations.AddConstraint("device", models.CheckConstraint(
            condition=Q(health__in=["", *ENDS]), name="device_health_known")),
        migrations.RemoveConstraint("reading", "reading_outcome_known"),
        migrations.AddConstraint("reading", models.CheckConstraint(
            condition=Q(outcome__in=["", *ENDS]), name="reading_outcome_known")),
    ]
