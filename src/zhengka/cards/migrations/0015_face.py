"""What a card's face says besides the record: its numbers at partners, and that a long name is shortened."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One sealed column; a card without it shows what the record says."""

    dependencies = [("cards", "0014_unblocked_pins")]
    operations = [migrations.AddField("card", "face", models.BinaryField(
        null=True, help_text="what its face says besides the record, sealed as card.face: numbers at partners, a name "
                             "shortened by the rule"))]
