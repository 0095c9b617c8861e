"""Cards by the end of their activation, and reminders before it: each once. No page reads the reminders."""

import django.db.models.deletion
from django.db import migrations, models

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """An index and a table."""

    dependencies = [("cards", "0005_frozen")]
    operations = [
        migrations.AddIndex("card", models.Index(
            fields=["active_until", "area", "id"], condition=models.Q(state="active"), name="card_active_by_end")),
        migrations.CreateModel("reminder", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area", models.BigIntegerField(help_text="issuing office of the card")),
            ("ends", models.DateField(help_text="last day of the term")),
            ("stage", models.PositiveSmallIntegerField(help_text="days before the end: 60, 30 or 7")),
            ("day", models.DateField(help_text="on which it was due")),
            ("card", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT,
                                       related_name="reminders", to="cards.card")),
        ], options={"constraints": [
            models.UniqueConstraint(fields=["card", "ends", "stage"], name="reminder_once"),
            models.CheckConstraint(condition=models.Q(stage__in=(60, 30, 7)), name="reminder_stage_known"),
        ]}),
        migrations.RunSQL(protect("cards_reminder"), migrations.RunSQL.noop),
    ]
