"""Statements of this database are not compiled (jit): compiling takes longer than these short ones run (ADR 7)."""

from django.db import migrations

NO_COMPILING = """
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
END $$;
"""


class Migration(migrations.Migration):
    """A setting of the database, for every session that begins after it."""

    dependencies = [("core", "0004_events_by_number")]
    operations = [migrations.RunSQL(NO_COMPILING, migrations.RunSQL.noop)]
