"""The number of a card master is the version of the keys on the chips that are made under it: one byte."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """One constraint."""

    dependencies = [("keys", "0005_transport")]
    operations = [
        migrations.AlterField("key", "number", models.PositiveSmallIntegerField(
            default=1, help_text="version of the key; of a card master also that on the chips")),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=~Q(purpose="card_master") | Q(number__gte=1, number__lte=255), name="key_number_fits_a_chip")),
    ]
