"""What a finished card must show, and which makers look: print = chip = QR = record before a card is taken."""

from django.db import migrations, models

from zhengka.production.workflow import FINDINGS


class Migration(migrations.Migration):
    """Digests beside the read-back; batches that were prepared before have none, and are matched by the chip alone."""

    dependencies = [("production", "0004_stalled")]
    operations = [
        migrations.AddField("maker", "camera", models.BooleanField(
            default=False, help_text="a camera looks at every finished card; none is taken unseen")),
        *(migrations.AddField("item", name, models.BinaryField(null=True, help_text=words)) for name, words in (
            ("texts", "what its print must show (formats.shown), 16 bytes"),
            ("photo", "the same of its photo"),
            ("code", "the same of its QR code"),
            ("record", "blind index of the record from which it was prepared, 16 bytes"))),
        migrations.AddConstraint("item", models.CheckConstraint(
            condition=~models.Q(outcome="prepared") | models.Q(readback__isnull=False),
            name="item_prepared_can_be_read_back")),
        migrations.AlterField("finding", "code", models.TextField(choices=list(FINDINGS.items()))),
    ]
