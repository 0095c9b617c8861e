"""What the key store answers in the place of a module that is a chip is counted beside that module's own answers."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A counter of a module."""

    dependencies = [("devices", "0006_stopped_and_tried")]
    operations = [
        migrations.AddField("psam", "stored", models.PositiveBigIntegerField(
            default=0, db_default=0, help_text="readings for which the key store answered in the place of a chip, "
            "counted before it did")),
        migrations.AddConstraint("psam", models.CheckConstraint(
            condition=Q(form="chip") | Q(stored=0), name="psam_counts_apart")),
    ]
