"""What happens to a parcel of finished cards is seen by both offices, and so is what is amiss with it."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.models import SHARING


class Migration(migrations.Migration):
    """More subjects that two offices may share."""

    dependencies = [("core", "0008_shipments")]
    operations = [
        migrations.RemoveConstraint("event", "event_shared_of_case"),
        migrations.AddConstraint("event", models.CheckConstraint(
            condition=Q(shared_with__isnull=True) | Q(subject__in=SHARING), name="event_shared_of_case")),
    ]
