"""The key of a province that signs vouchers and statements of operators."""

from django.db import migrations, models
from django.db.models import Q

PURPOSES = ("authority", "credential", "status", "batch", "transcript", "transport", "card_master", "blank_card",
            "channel", "status_index", "voucher")


class Migration(migrations.Migration):
    """One more purpose."""

    dependencies = [("keys", "0010_nations_by_two")]
    operations = [
        migrations.AlterField("key", "purpose", models.TextField(choices=[(one, one) for one in PURPOSES])),
        migrations.RemoveConstraint("key", "key_purpose_known"),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=Q(purpose__in=PURPOSES), name="key_purpose_known")),
    ]
