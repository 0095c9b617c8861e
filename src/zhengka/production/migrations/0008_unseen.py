"""A finished card at which no camera has looked is known: an officer looks before it is handed over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Of cards that came before, nothing is known, and they are handed over as before."""

    dependencies = [("production", "0007_sent_by_two")]
    operations = [migrations.AddField("item", "unseen", models.BooleanField(
        default=False, db_default=False, help_text="good by its chip alone: no camera of the maker has looked at it"))]
