"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect

KNOWN_UIDS = """
CREATE FUNCTION production_known_uids(asked bytea[]) RETURNS SETOF bytea LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public SET app.lo = '0' SET app.hi = '999999999999'
AS $$ SELECT uid FROM cards_card WHERE uid = ANY(asked) $$;
"""
"""A chip that another office's card has already is found, though its row is not seen: one bit leaves the other area."""


class Migration(migrations.Migration):
    """Sequences and row-level security."""

    dependencies = [("production", "0001_initial"), ("cards", "0002_promises"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE production_batch_ids CACHE 1", "DROP SEQUENCE production_batch_ids"),
        migrations.RunSQL(protect("production_batch"), migrations.RunSQL.noop),
        migrations.RunSQL(KNOWN_UIDS, "DROP FUNCTION production_known_uids(bytea[])"),
    ]
