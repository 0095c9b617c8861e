"""Orders that an officer asks for: new data, new files and keys. They wait beside those that follow from the card."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("activate", "block", "unblock", "update", "upgrade")
ASKED = ("upgrade", "update")


class Migration(migrations.Migration):
    """Two more kinds, the profile of an upgrade, and one open order of each kind that is asked for."""

    dependencies = [("cards", "0009_chip_orders")]
    operations = [
        migrations.AlterField("chiporder", "what", models.TextField(
            help_text="activate, block, unblock, update or upgrade")),
        migrations.AddField("chiporder", "profile", models.TextField(
            default="", help_text="of an upgrade, the card profile to which the card is brought")),
        migrations.RemoveConstraint("chiporder", "chip_order_open_once"),
        migrations.RemoveConstraint("chiporder", "chip_order_what_known"),
        migrations.AddConstraint("chiporder", models.UniqueConstraint(
            fields=["card"], condition=Q(state="ordered") & ~Q(what__in=ASKED), name="chip_order_open_once")),
        migrations.AddConstraint("chiporder", models.UniqueConstraint(
            fields=["card", "what"], condition=Q(state="ordered", what__in=ASKED), name="chip_order_asked_once")),
        migrations.AddConstraint("chiporder", models.CheckConstraint(
            condition=Q(what__in=KINDS), name="chip_order_what_known")),
        migrations.AddConstraint("chiporder", models.CheckConstraint(
            condition=Q(what="upgrade") & ~Q(profile="") | ~Q(what="upgrade") & Q(profile=""),
            name="chip_order_has_profile")),
    ]
