"""A shipment that came short stays open; what was lost on its way names it; spoiled blanks are counted, too."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

STATES = ["arrived", "confirmed", "declined", "ended", "moving", "posted", "proposed", "short"]


class Migration(migrations.Migration):
    """Two states, two columns, and what the database keeps of them."""

    dependencies = [("stock", "0003_orders")]
    operations = [
        migrations.RemoveConstraint("slip", "slip_state_known"),
        migrations.AddConstraint("slip", models.CheckConstraint(condition=Q(state__in=STATES),
                                                                name="slip_state_known")),
        migrations.AddField("slip", "shipment", models.ForeignKey(
            "stock.slip", db_constraint=False, db_index=False, help_text="on whose way they were lost", null=True,
            on_delete=django.db.models.deletion.PROTECT, related_name="losses")),
        migrations.AddConstraint("slip", models.CheckConstraint(
            condition=Q(shipment__isnull=True) | Q(sort="lose", account="moving"), name="slip_of_shipment_loses")),
        migrations.AddField("count", "account", models.TextField(
            blank=True, db_default="", default="", help_text="spoiled; empty: those that lie there ready")),
        migrations.AddConstraint("count", models.CheckConstraint(
            condition=Q(account__in=("", "spoiled")), name="count_account_known")),
    ]
