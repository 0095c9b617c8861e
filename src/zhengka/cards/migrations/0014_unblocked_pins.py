"""An officer may ask that the PINs of a card be unblocked. Neither the order nor its receipt holds one."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("activate", "block", "unblock", "update", "upgrade", "pin")
ASKED = ("upgrade", "update", "pin")


class Migration(migrations.Migration):
    """One more kind of order, asked for like two others."""

    dependencies = [("cards", "0013_key_groups")]
    operations = [
        migrations.AlterField("chiporder", "what", models.TextField(
            help_text="activate, block, unblock, update, upgrade or pin")),
        *(migrations.RemoveConstraint("chiporder", name)
          for name in ("chip_order_open_once", "chip_order_asked_once", "chip_order_what_known")),
        migrations.AddConstraint("chiporder", models.UniqueConstraint(
            fields=["card"], condition=Q(state="ordered") & ~Q(what__in=ASKED), name="chip_order_open_once")),
        migrations.AddConstraint("chiporder", models.UniqueConstraint(
            fields=["card", "what"], condition=Q(state="ordered", what__in=ASKED), name="chip_order_asked_once")),
        migrations.AddConstraint("chiporder", models.CheckConstraint(
            condition=Q(what__in=KINDS), name="chip_order_what_known")),
    ]
