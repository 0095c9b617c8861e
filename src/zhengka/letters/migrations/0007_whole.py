"""Of a short message the whole letter is kept, for who asks for it on paper or in Braille."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One sealed column; the web's role adds letters and changes no words."""

    dependencies = [("letters", "0006_unwritten")]
    operations = [
        migrations.AddField("letter", "whole", models.BinaryField(
            null=True, help_text="sealed: of a short message the whole letter")),
    ]
