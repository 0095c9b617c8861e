"""A dispute names the case whose decision is disputed, is heard once, and needs no record of who was refused."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from zhengka.cases.workflow import DISPUTES, UNHEARD


class Migration(migrations.Migration):
    """What is disputed, as a reference (办法 art. 25)."""

    dependencies = [("cases", "0007_counts")]
    operations = [
        migrations.AddField("case", "disputes", models.ForeignKey(
            "cases.case", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="disputed_by",
            db_index=False, help_text="of a dispute: the case whose decision is disputed")),
        migrations.RemoveConstraint("case", "case_has_holder"),
        migrations.AddConstraint("case", models.CheckConstraint(
            condition=Q(kind_of_case__in=("new", "transfer_in_nation", *DISPUTES)) | Q(holder__isnull=False),
            name="case_has_holder")),
        migrations.AddConstraint("case", models.CheckConstraint(
            condition=Q(disputes__isnull=True) | Q(kind_of_case__in=DISPUTES), name="case_dispute_disputes")),
        migrations.AddConstraint("case", models.UniqueConstraint(
            fields=["disputes"], name="case_disputed_once", condition=Q(
                disputes__isnull=False) & ~Q(state__in=UNHEARD))),
    ]
