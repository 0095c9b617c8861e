"""The master key of the loading channels of blank chips; its number is the version of their keys (GlobalPlatform: 1 to
127).
"""

from django.db import migrations, models
from django.db.models import Q

PURPOSES = ("authority", "credential", "status", "batch", "transcript", "transport", "card_master", "blank_card",
            "channel", "status_index")


class Migration(migrations.Migration):
    """One more purpose."""

    dependencies = [("keys", "0007_revocation")]
    operations = [
        migrations.AlterField("key", "purpose", models.TextField(choices=[(one, one) for one in PURPOSES])),
        migrations.RemoveConstraint("key", "key_purpose_known"),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=Q(purpose__in=PURPOSES), name="key_purpose_known")),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=~Q(purpose="channel") | Q(number__gte=1, number__lte=127), name="key_number_fits_a_channel")),
    ]
