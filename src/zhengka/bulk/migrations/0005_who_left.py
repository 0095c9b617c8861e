"""Who was left alone is named, and not only counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column: ids and codes."""

    dependencies = [("bulk", "0004_unwritten")]
    operations = [migrations.AddField("act", "who_left", models.JSONField(
        default=dict, help_text="the first rows left alone: id → code of the reason"))]
