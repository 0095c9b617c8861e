"""What happens to a case that another office received is seen by both offices."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.models import SHARING
from zhengka.core.scope import share


class Migration(migrations.Migration):
    """The second office of an event: of a case and of what belongs to one, of nothing else."""

    dependencies = [("core", "0005_web_rights")]
    operations = [
        migrations.AddField("event", "shared_with", models.BigIntegerField(
            null=True, editable=False, help_text="12-digit code of another office that sees the row")),
        migrations.AddConstraint("event", models.CheckConstraint(
            condition=Q(shared_with__isnull=True) | Q(subject__in=SHARING), name="event_shared_of_case")),
        migrations.RunSQL(share("core_event"), migrations.RunSQL.noop),
    ]
