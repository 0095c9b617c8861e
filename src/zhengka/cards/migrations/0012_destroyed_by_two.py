"""A card is destroyed by two persons: who proposed it, and another one who did it."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Two columns, and the promise that no card is destroyed by one person alone."""

    dependencies = [("cards", "0011_handed_over")]
    operations = [
        migrations.AddField("card", "condemned_person", models.TextField(
            blank=True, default="", db_default="", help_text="who proposed that it is destroyed")),
        migrations.AddField("card", "destroyed_person", models.TextField(
            blank=True, default="", db_default="", help_text="who destroyed it: another one")),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state="destroyed") & ~Q(condemned_person="") & ~Q(destroyed_person="")
            & ~Q(destroyed_person=F("condemned_person")) | ~Q(state="destroyed") & Q(destroyed_person=""),
            name="card_destroyed_by_two")),
    ]
