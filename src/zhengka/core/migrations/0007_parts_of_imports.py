"""An event that a row of an import left names the import, and has no request id of its own (ADR 7)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The same promise for every id there is; events that have one keep it."""

    dependencies = [("core", "0006_shared")]
    operations = [
        migrations.RemoveConstraint(model_name="event", name="event_once_per_request"),
        migrations.AlterField(
            model_name="event", name="request_id",
            field=models.UUIDField(null=True, help_text="null: a row of the import that the facts name")),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("request_id",), condition=models.Q(request_id__isnull=False),
                                               name="event_once_per_request")),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(request_id__isnull=False) | models.Q(facts__has_key="import"),
                name="event_asked_for")),
    ]
