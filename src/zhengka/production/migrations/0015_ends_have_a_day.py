"""Every batch that ends has a day on which what was made for it is erased; members that wait are erased with proof."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import allow

DUE = """
UPDATE production_batch SET erase_on = current_date
WHERE erase_on IS NULL AND state IN ('cancelled', 'received', 'closed');
"""


class Migration(migrations.Migration):
    """What older versions kept of such batches is due now: the next night it goes, with proof of each piece.

    Officers give batches up, and the proof that members go is of the same transaction.
    """

    dependencies = [("production", "0014_unanswered")]
    operations = [
        migrations.RunSQL(["SET CONSTRAINTS ALL IMMEDIATE", DUE], migrations.RunSQL.noop),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=~Q(state__in=("cancelled", "received", "closed")) | Q(erase_on__isnull=False),
            name="batch_ended_has_its_day")),
        migrations.AlterField("erasure", "digest", models.TextField(
            blank=True, help_text="SHA-256 of the file, of members of the list of their names and sizes; empty: it was "
                                  "not there any more")),
        migrations.RunSQL(allow("SELECT, INSERT", "production_erasure"), migrations.RunSQL.noop),
    ]
