"""Arrivals are found by name and ID number: their record is another office's until they are over."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.cases.workflow import ARRIVALS

UNRECORDED = Q(holder__isnull=True) | Q(Q(kind_of_case__in=ARRIVALS) & ~Q(state="ordered"))
FRONT = Q(front__isnull=False)


class Migration(migrations.Migration):
    """The two small indexes of cases without a record take the arrivals in."""

    dependencies = [("cases", "0016_uninvited")]
    operations = [
        migrations.RemoveIndex("case", "case_by_applicant"),
        migrations.AddIndex("case", models.Index(
            fields=["area", "name", "id"], condition=UNRECORDED, name="case_by_applicant")),
        migrations.RemoveIndex("case", "case_by_person"),
        migrations.AddIndex("case", models.Index(
            fields=["person_index"], condition=UNRECORDED | FRONT, name="case_by_person")),
    ]
