"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """Sequences and row-level security."""

    dependencies = [("cases", "0001_initial"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE cases_case_ids CACHE 1", "DROP SEQUENCE cases_case_ids"),
        migrations.RunSQL(protect("cases_case"), migrations.RunSQL.noop),
    ]
