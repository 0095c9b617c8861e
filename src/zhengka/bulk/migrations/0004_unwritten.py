"""An act keeps how many letters could not be written for it, and why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column: numbers by the code of the reason."""

    dependencies = [("bulk", "0003_web_rights")]
    operations = [
        migrations.AddField("act", "unwritten", models.JSONField(
            default=dict, help_text="letters that could not be written: reason → number")),
    ]
