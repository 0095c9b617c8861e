"""A holder is told once that an activation lapsed, too."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """One stage more."""

    dependencies = [("cards", "0006_reminders")]
    operations = [
        migrations.RemoveConstraint("reminder", "reminder_stage_known"),
        migrations.AlterField("reminder", "stage", models.PositiveSmallIntegerField(
            help_text="days before the end: 60, 30 or 7; 0: it lapsed")),
        migrations.AddConstraint("reminder", models.CheckConstraint(
            condition=Q(stage__in=(60, 30, 7, 0)), name="reminder_stage_known")),
    ]
