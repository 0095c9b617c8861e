"""Events are seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """Row-level security of the events."""

    dependencies = [("core", "0002_promises")]
    operations = [migrations.RunSQL(protect("core_event"), migrations.RunSQL.noop)]
