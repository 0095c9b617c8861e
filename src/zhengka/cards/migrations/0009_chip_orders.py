"""What the chips of issued cards are to be told, and their receipts: seen and written in one's own area only."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import ROLE, allow, protect


class Migration(migrations.Migration):
    """Table, sequence, row-level security, rights of the web's role: what an order says stays as it was written."""

    dependencies = [("cards", "0008_as_certified"), ("areas", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        migrations.CreateModel("chiporder", [
            ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
            ("province", models.PositiveSmallIntegerField(editable=False)),
            ("state", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("what", models.TextField(help_text="activate, block or unblock")),
            ("until", models.DateField(help_text="last day of the term that is to be written", null=True)),
            ("ordered_at", models.DateTimeField()),
            ("applied_at", models.DateTimeField(null=True)),
            ("receipt", models.BinaryField(help_text="what the chip vouched for, with its MAC", null=True)),
            ("area", models.ForeignKey(db_column="area", db_index=False,
                                       on_delete=django.db.models.deletion.PROTECT, to="areas.area")),
            ("card", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="chip_orders",
                                       to="cards.card")),
        ], options={"abstract": False, "constraints": [
            models.UniqueConstraint(condition=Q(state="ordered"), fields=("card",), name="chip_order_open_once"),
            models.CheckConstraint(condition=Q(what__in=("activate", "block", "unblock")),
                                   name="chip_order_what_known"),
            models.CheckConstraint(condition=Q(what="activate", until__isnull=False)
                                   | ~Q(what="activate") & Q(until__isnull=True), name="chip_order_has_term"),
            models.CheckConstraint(condition=Q(state="applied", receipt__isnull=False, applied_at__isnull=False)
                                   | ~Q(state="applied") & Q(receipt__isnull=True), name="chip_order_has_receipt"),
            models.CheckConstraint(condition=Q(state__in=["applied", "ordered", "superseded"]),
                                   name="chip_order_state_known"),
        ]}),
        migrations.RunSQL("CREATE SEQUENCE cards_chiporder_ids CACHE 1", "DROP SEQUENCE cards_chiporder_ids"),
        migrations.RunSQL([
            protect("cards_chiporder"),
            allow("SELECT, INSERT", "cards_chiporder"),
            f"GRANT UPDATE (state, version, applied_at, receipt) ON cards_chiporder TO {ROLE}",
            allow("USAGE", "SEQUENCE cards_chiporder_ids"),
        ], migrations.RunSQL.noop),
    ]
