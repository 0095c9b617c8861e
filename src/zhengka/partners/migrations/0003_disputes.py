"""One more scope: to dispute events of one's own statements."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The scopes that are known, anew."""

    dependencies = [("partners", "0002_promises")]
    operations = [
        migrations.RemoveConstraint("partner", "partner_scopes_known"),
        migrations.AddConstraint("partner", models.CheckConstraint(
            condition=Q(scopes__contained_by=[
                "statement.dispute", "statement.read", "status.read", "verify", "voucher.issue", "voucher.redeem"])
            & ~Q(scopes=[]), name="partner_scopes_known")),
    ]
