"""A card maker's blank cards come from a machine of the ledger, and each card keeps the blank of which it was made."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import ROLE
from zhengka.production.workflow import FINDINGS


def _machine(help_text: str) -> models.Field:
    return models.ForeignKey("stock.store", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                             db_index=False, db_constraint=False, help_text=help_text)


class Migration(migrations.Migration):
    """Of makers without a machine, and of batches that were sent before, nothing is asked."""

    dependencies = [("production", "0008_unseen"), ("stock", "0002_promises")]
    operations = [
        migrations.AddField("maker", "store", _machine("the machine out of which its blank cards come")),
        migrations.AddField("batch", "machine", _machine("where its blank cards come from, since it was sent")),
        migrations.AddField("batch", "wasted", models.PositiveIntegerField(
            default=0, db_default=0, help_text="blank cards spoiled beside its own")),
        migrations.AddField("item", "blank", models.BigIntegerField(
            null=True, help_text="serial of the blank card of which it was made")),
        migrations.AddConstraint("item", models.UniqueConstraint(
            fields=["blank"], condition=Q(blank__isnull=False), name="item_blank_once")),
        migrations.AddConstraint("item", models.CheckConstraint(
            condition=Q(blank__isnull=True) | Q(outcome__in=("good", "spoiled", "suspect")),
            name="item_blank_of_a_made_card")),
        migrations.AlterField("finding", "code", models.TextField(choices=list(FINDINGS.items()))),
        migrations.RunSQL(f"GRANT UPDATE (store_id) ON production_maker TO {ROLE}", migrations.RunSQL.noop),
    ]
