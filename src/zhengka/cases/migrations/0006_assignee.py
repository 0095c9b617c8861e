"""A case is on somebody's desk (经办人), or on nobody's."""

from datetime import date

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    """Who sees to a case, and an index by which a desk's cases are found by state and day."""

    dependencies = [("cases", "0005_front"), ("accounts", "0006_standing_in")]
    operations = [
        migrations.AddField("case", "assignee", models.ForeignKey(
            "accounts.Officer", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
            db_index=False, help_text="officer who sees to the case; null: whoever comes to it")),
        migrations.AddIndex("case", models.Index(
            F("assignee"), F("state"), Coalesce("due_on", Value(date(9999, 12, 31))), F("id"),
            condition=Q(ended_at__isnull=True, assignee__isnull=False), name="case_by_assignee")),
    ]
