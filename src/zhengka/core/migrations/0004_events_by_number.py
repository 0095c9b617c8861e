"""Events are kept once per version by an index that compares numbers before it compares words (ADR 7)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The same promise, its columns in another order."""

    dependencies = [("core", "0003_scope")]
    operations = [
        migrations.RemoveConstraint(model_name="event", name="event_once_per_version"),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("subject_id", "version", "subject"),
                                               name="event_once_per_version")),
    ]
