"""Cases of people without a record are found by name and ID number, and those received for others by name."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Three small indexes: nearly every case has a record, which is found instead."""

    dependencies = [("cases", "0014_officers_in_charge")]
    operations = [
        migrations.AddIndex("case", models.Index(
            fields=["area", "name", "id"], condition=Q(holder__isnull=True), name="case_by_applicant")),
        migrations.AddIndex("case", models.Index(
            fields=["front", "name", "id"], condition=Q(front__isnull=False), name="case_front_by_name")),
        migrations.AddIndex("case", models.Index(
            fields=["person_index"], condition=Q(holder__isnull=True) | Q(front__isnull=False),
            name="case_by_person")),
    ]
