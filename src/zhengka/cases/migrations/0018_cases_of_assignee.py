"""The wall of accounts asks for the cases of an officer, also those that have ended: it finds them by an index."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """One small index: few cases lie on a desk."""

    dependencies = [("cases", "0017_arrivals_found")]
    operations = [migrations.AddIndex("case", models.Index(
        fields=["assignee"], condition=Q(assignee__isnull=False), name="case_of_assignee"))]
