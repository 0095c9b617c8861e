"""A batch may be declared, by two persons, not to come back from its maker."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Who proposed it, who declared it."""

    dependencies = [("production", "0013_paused")]
    operations = [
        migrations.AddField("batch", "missed_person", models.TextField(
            blank=True, default="", db_default="", help_text="who proposed to declare that it does not come back")),
        migrations.AddField("batch", "given_up_person", models.TextField(
            blank=True, default="", db_default="", help_text="who declared so: another one")),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=Q(given_up_person="") | Q(state="closed", result_id__isnull=True, good=0)
            & ~Q(missed_person="") & ~Q(missed_person=F("given_up_person")), name="batch_given_up_by_two")),
    ]
