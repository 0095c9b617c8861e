"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area, and
nothing of an act changed by the site: it asks, workers count."""

from django.db import migrations

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """Sequence, row-level security, rights taken back."""

    dependencies = [("bulk", "0001_initial"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE bulk_act_ids CACHE 1", "DROP SEQUENCE bulk_act_ids"),
        migrations.RunSQL(protect("bulk_act"), migrations.RunSQL.noop),
        migrations.RunSQL("REVOKE UPDATE ON bulk_act FROM zhengka_web", "GRANT UPDATE ON bulk_act TO zhengka_web"),
    ]
