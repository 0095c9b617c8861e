"""The street or township in which a holder lives, as the sealed address names it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column; the nightly task fills it."""

    dependencies = [("registry", "0009_wishes")]
    operations = [
        migrations.AddField("holder", "street", models.BigIntegerField(
            null=True, help_text="12-digit code of the street or township of the address, as far as it names one that "
                                 "is kept; found again each night")),
    ]
