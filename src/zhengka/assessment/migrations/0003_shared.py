"""Assessments of a case that another office received are seen by both offices."""

from django.db import migrations, models

from zhengka.core.scope import share


class Migration(migrations.Migration):
    """The second office of appointments and assessments."""

    dependencies = [("assessment", "0002_promises"), ("core", "0006_shared")]
    operations = [
        *(migrations.AddField(model, "shared_with", models.BigIntegerField(
            null=True, editable=False, help_text="12-digit code of another office that sees the row"))
          for model in ("appointment", "assessment")),
        migrations.RunSQL([share(table) for table in ("assessment_appointment", "assessment_assessment")],
                          migrations.RunSQL.noop),
    ]
