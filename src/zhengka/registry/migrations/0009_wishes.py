"""How a holder asks to be written to: on paper, in large type, in Braille, in English. Sealed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One sealed column."""

    dependencies = [("registry", "0008_frozen_for")]
    operations = [
        migrations.AddField("holder", "wishes", models.BinaryField(
            null=True, help_text="sealed as holder.wishes: how they ask to be written to")),
    ]
