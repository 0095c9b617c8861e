"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect


class Migration(migrations.Migration):
    """Sequences and row-level security."""

    dependencies = [("cards", "0001_initial"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE cards_card_ids CACHE 1", "DROP SEQUENCE cards_card_ids"),
        migrations.RunSQL(protect("cards_card"), migrations.RunSQL.noop),
        migrations.RunSQL("CREATE SEQUENCE cards_serial_numbers MAXVALUE 999999999",
                          "DROP SEQUENCE cards_serial_numbers"),
        migrations.RunSQL("CREATE SEQUENCE cards_status_places MINVALUE 0", "DROP SEQUENCE cards_status_places"),
    ]
