"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """Sequences and row-level security."""

    dependencies = [("registry", "0001_initial"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE registry_holder_ids CACHE 1", "DROP SEQUENCE registry_holder_ids"),
        migrations.RunSQL("CREATE SEQUENCE registry_certificate_ids CACHE 1", "DROP SEQUENCE registry_certificate_ids"),
        migrations.RunSQL("CREATE SEQUENCE registry_import_ids CACHE 1", "DROP SEQUENCE registry_import_ids"),
        migrations.RunSQL(protect("registry_holder"), migrations.RunSQL.noop),
        migrations.RunSQL(protect("registry_certificate"), migrations.RunSQL.noop),
        migrations.RunSQL(protect("registry_import"), migrations.RunSQL.noop),
    ]
