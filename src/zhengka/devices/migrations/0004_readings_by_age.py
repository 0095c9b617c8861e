"""Old readings are found by office and age."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """An index for the nightly deletion."""

    dependencies = [("devices", "0003_key_versions")]
    operations = [migrations.AddIndex("reading", models.Index(fields=["area", "began_at"], name="reading_by_age"))]
