"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect

KNOWN_UIDS = """
CREATE FUNCTION production_known_uids(asked bytea[]) RETURNS SETOF bytea LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN  -- not by SET in the head: that asks for a superuser
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    RETURN QUERY SELECT uid FROM cards_card WHERE uid = ANY(asked);
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
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
