"""Cards that came from their maker and are looked at before any is ready."""

from django.db import migrations, models
from django.db.models import Q

STATES = ("active", "arrived", "batched", "cancelled", "destroyed", "frozen", "held", "issued", "lost", "missing",
          "ordered", "prepared", "ready", "sent", "spoiled", "suspect", "suspended")
IN_PRODUCTION = ("ordered", "batched", "held", "prepared", "sent", "arrived", "ready", "issued")


class Migration(migrations.Migration):
    """One state more, in which a card is on its way as well."""

    dependencies = [("cards", "0017_stops")]
    operations = [
        migrations.RemoveConstraint("card", "card_state_known"),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state__in=STATES), name="card_state_known")),
        migrations.RemoveConstraint("card", "card_on_its_way_once"),
        migrations.AddConstraint("card", models.UniqueConstraint(
            fields=["holder"], condition=Q(state__in=IN_PRODUCTION), name="card_on_its_way_once")),
    ]
