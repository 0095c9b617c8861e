"""Papers of a case that another office received are seen by both offices."""

from django.db import migrations, models

from zhengka.core.scope import share


class Migration(migrations.Migration):
    """The second office of papers and portraits."""

    dependencies = [("papers", "0002_promises"), ("core", "0006_shared")]
    operations = [
        *(migrations.AddField(model, "shared_with", models.BigIntegerField(
            null=True, editable=False, help_text="12-digit code of another office that sees the row"))
          for model in ("paper", "portrait")),
        migrations.RunSQL([share(table) for table in ("papers_paper", "papers_portrait")], migrations.RunSQL.noop),
    ]
