"""A gate signs what it says with a key of its own, as a reader does: one that never got any waits to be paired."""

from django.db import migrations, models
from django.db.models import Q

KEYLESS = "UPDATE devices_device SET state = 'stopped' WHERE sort = 'gate' AND state = 'active' AND public IS NULL"


class Migration(migrations.Migration):
    """Constraints on gates."""

    dependencies = [("devices", "0007_answers_of_the_store")]
    operations = [
        migrations.RunSQL(KEYLESS, migrations.RunSQL.noop),
        migrations.RemoveConstraint("device", "device_reader_has_key"),
        migrations.AddConstraint("device", models.CheckConstraint(
            condition=~Q(state="active") | ~Q(sort__in=("reader", "gate")) | Q(public__isnull=False),
            name="device_signs_by_its_key")),
        migrations.AddConstraint("device", models.UniqueConstraint(
            fields=["code"], condition=Q(sort="gate") & ~Q(code=""), name="device_gate_found_by_code")),
        migrations.AlterField("device", "code", models.TextField(
            blank=True, help_text="digits that pair it, until they were used")),
    ]
