"""A card that never came is missing, not destroyed; that it is lost is said by two persons."""

from django.db import migrations, models
from django.db.models import F, Q

STATES = ("active", "batched", "cancelled", "destroyed", "frozen", "held", "issued", "lost", "missing", "ordered",
          "prepared", "ready", "sent", "spoiled", "suspect", "suspended")


class Migration(migrations.Migration):
    """Two states more, two columns, and the promise that no card is declared lost by one person alone."""

    dependencies = [("cards", "0015_face")]
    operations = [
        migrations.AddField("card", "missed_person", models.TextField(
            blank=True, default="", db_default="", help_text="who proposed that it is declared lost")),
        migrations.AddField("card", "lost_person", models.TextField(
            blank=True, default="", db_default="", help_text="who declared it lost: another one")),
        migrations.RemoveConstraint("card", "card_state_known"),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state__in=STATES), name="card_state_known")),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state="lost") & ~Q(missed_person="") & ~Q(lost_person="")
            & ~Q(lost_person=F("missed_person")) | ~Q(state="lost") & Q(lost_person=""), name="card_lost_by_two")),
    ]
