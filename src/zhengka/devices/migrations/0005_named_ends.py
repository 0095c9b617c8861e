"""A reading may end because no module answers, or no key or profile is there; a printer's last job is how it is; and
readings that were left open are found.
"""

from django.db import migrations, models
from django.db.models import Q

ENDS = (
    "good", "not-our-card", "locked", "gate-refused", "gate-blocked", "not-authentic", "unreadable", "another-chip",
    "unknown-card", "differs", "refused", "psam-missing", "psam-failed", "another-suite", "key-not-read", "key-missing",
    "key-not-yet", "key-retired", "profile-missing", "order-changed",
    "pcsc-missing", "no-reader", "reader-gone", "no-card", "card-removed", "card-mute",
    "card-in-use", "reader-fails", "two-cards", "another-card", "garbled", "wrong-signature", "overtime")
HEALTHS = (*ENDS, "printed", "not-printed")


class Migration(migrations.Migration):
    """Names of how readings and print jobs end, and an index."""

    dependencies = [("devices", "0004_readings_by_age")]
    operations = [
        migrations.RemoveConstraint("device", "device_health_known"),
        migrations.AddConstraint("device", models.CheckConstraint(
            condition=Q(health__in=["", *HEALTHS]), name="device_health_known")),
        migrations.RemoveConstraint("reading", "reading_outcome_known"),
        migrations.AddConstraint("reading", models.CheckConstraint(
            condition=Q(outcome__in=["", *ENDS]), name="reading_outcome_known")),
        migrations.AddIndex("reading", models.Index(
            fields=["began_at"], name="reading_open", condition=Q(outcome=""))),
        migrations.AlterField("device", "health", models.TextField(
            blank=True, help_text="how the last reading or print job ended")),
    ]
