"""A batch may be paused while it is prepared, and withheld once it is."""

from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import ROLE

STATES = ("cancelled", "closed", "open", "paused", "prepared", "preparing", "received", "sent", "stalled", "withheld")


class Migration(migrations.Migration):
    """Two more states, of which one has its counts; who pauses a batch takes the leases of its parts."""

    dependencies = [("production", "0012_looked_at")]
    operations = [
        migrations.RemoveConstraint("batch", "batch_state_known"),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=Q(state__in=list(STATES)), name="batch_state_known")),
        migrations.RemoveConstraint("batch", "batch_in_adds_up"),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=~Q(state__in=("prepared", "withheld", "sent", "received", "closed"))
            | Q(ordered=F("prepared") + F("held")), name="batch_in_adds_up")),
        migrations.RunSQL(f"GRANT UPDATE (state) ON production_chunk TO {ROLE}",
                          f"REVOKE UPDATE (state) ON production_chunk FROM {ROLE}"),
    ]
