"""What happens to a shipment of blank cards is seen by both offices."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.models import SHARING


class Migration(migrations.Migration):
    """One more subject that two offices may share."""

    dependencies = [("core", "0007_parts_of_imports")]
    operations = [
        migrations.RemoveConstraint("event", "event_shared_of_case"),
        migrations.AddConstraint("event", models.CheckConstraint(
            condition=Q(shared_with__isnull=True) | Q(subject__in=SHARING), name="event_shared_of_case")),
    ]
