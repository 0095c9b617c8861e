"""Claims and vouchers were added side by side."""

from django.db import migrations


class Migration(migrations.Migration):
    """Nothing to do."""

    dependencies = [("gates", "0004_claims"), ("gates", "0005_voucher_promises")]
    operations = []
