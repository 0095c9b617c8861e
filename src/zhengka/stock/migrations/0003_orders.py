"""Orders of blank cards from suppliers, which two persons write and approve; deliveries are held against them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import allow, protect

STATES = ["complete", "declined", "ended", "open", "proposed"]
CHECKS = {
    "blank_order_state_known": Q(state__in=STATES),
    "order_of_something": Q(quantity__gt=0),
    "order_two_persons": Q(state__in=("proposed", "declined"), delivered=0)
    | Q(state__in=("open", "complete", "ended"), approved_at__isnull=False) & ~Q(approved_by="")
    & ~Q(approved_by=F("person")),
    "order_complete_truly": ~Q(state="complete") & (Q(delivered__lt=F("quantity")))
    | Q(state="complete", delivered__gte=F("quantity")),
    "order_ended_why": ~Q(state="ended") | ~Q(reason=""),
}


class Migration(migrations.Migration):
    """The table, its walls, and the rights of the pages."""

    dependencies = [("areas", "0001_initial"), ("stock", "0002_promises")]
    operations = [
        migrations.CreateModel(name="Order", fields=[
            ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
            ("province", models.PositiveSmallIntegerField(editable=False)),
            ("state", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("supplier", models.TextField()),
            ("quantity", models.PositiveIntegerField()),
            ("price_fen", models.PositiveIntegerField(help_text="of one card, in fen (分)")),
            ("due", models.DateField(help_text="last day on which it is to come")),
            ("reason", models.TextField(blank=True, help_text="why it was ended before all had come")),
            ("person", models.TextField(help_text="who wrote it")),
            ("approved_by", models.TextField(blank=True)),
            ("at", models.DateTimeField()),
            ("approved_at", models.DateTimeField(null=True)),
            ("delivered", models.PositiveIntegerField(default=0, help_text="blank cards that came for it")),
            ("delivered_at", models.DateTimeField(help_text="when the last of them came", null=True)),
            ("area", models.ForeignKey(
                "areas.area", db_column="area", db_index=False, on_delete=django.db.models.deletion.PROTECT)),
            ("store", models.ForeignKey(
                "stock.store", db_constraint=False, on_delete=django.db.models.deletion.PROTECT,
                related_name="orders")),
        ]),
        migrations.AddField("slip", "order", models.ForeignKey(
            "stock.order", db_constraint=False, help_text="for which it was received", null=True,
            on_delete=django.db.models.deletion.PROTECT, related_name="slips")),
        migrations.AddConstraint("slip", models.CheckConstraint(
            condition=Q(order__isnull=True) | Q(sort="receive"), name="slip_of_order_receives")),
        migrations.AddIndex("order", models.Index(fields=["area", "-at", "-id"], name="order_by_area")),
        *(migrations.AddConstraint("order", models.CheckConstraint(condition=condition, name=name))
          for name, condition in CHECKS.items()),
        migrations.RunSQL("CREATE SEQUENCE stock_order_ids CACHE 1", "DROP SEQUENCE stock_order_ids"),
        migrations.RunSQL(protect("stock_order"), migrations.RunSQL.noop),
        migrations.RunSQL(allow("SELECT, INSERT, UPDATE", "stock_order"), migrations.RunSQL.noop),
        migrations.RunSQL(allow("USAGE", "SEQUENCE stock_order_ids"), migrations.RunSQL.noop),
    ]
