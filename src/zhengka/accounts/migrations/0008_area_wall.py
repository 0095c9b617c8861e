"""Accounts stand behind the wall by area, too: one's own offices', and of offices above it those that one may ask."""

from django.db import migrations

from zhengka.core.scope import protect

ABOVE = """
CREATE POLICY above ON accounts_officer FOR SELECT USING (EXISTS (
    SELECT FROM areas_area a WHERE a.code = accounts_officer.area
    AND a.code <= nullif(current_setting('app.lo', true), '')::bigint
    AND a.last >= nullif(current_setting('app.hi', true), '')::bigint))
"""
"""Who may take the next step of a case may sit in an office above (`queries.able`): its name is read, nothing more."""


class Migration(migrations.Migration):
    """Row-level security. A name that logs in is looked up by the platform itself, before any area is known."""

    dependencies = [("accounts", "0007_custodian"), ("areas", "0001_initial"), ("core", "0003_scope")]
    operations = [
        migrations.RunSQL(protect("accounts_officer"), migrations.RunSQL.noop),
        migrations.RunSQL(ABOVE, "DROP POLICY above ON accounts_officer"),
    ]
