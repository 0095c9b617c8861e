"""Passwords lie apart from accounts: offices below see who may take the next step of a case, and no hash with it."""

import django.db.models.deletion
from django.db import migrations, models

from zhengka.core.scope import allow

MOVE = """
SELECT set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
INSERT INTO accounts_password (officer_id, hash) SELECT id, password FROM accounts_officer;
SET CONSTRAINTS ALL IMMEDIATE
"""
"""Every account's, whatever its area; the foreign key is looked at before the table of accounts is changed."""

WALL = """
ALTER TABLE accounts_password ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts_password FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON accounts_password USING (EXISTS (
    SELECT FROM accounts_officer o WHERE o.id = officer_id
    AND o.area BETWEEN nullif(current_setting('app.lo', true), '')::bigint
                   AND nullif(current_setting('app.hi', true), '')::bigint))
"""
"""Its account's own area, wherever that moves; the policies that show accounts to other offices show no password."""


class Migration(migrations.Migration):
    """A table with the hashes, behind a wall of its own; the column of the accounts goes."""

    dependencies = [("accounts", "0008_area_wall")]
    operations = [
        migrations.CreateModel("Password", [
            ("officer", models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="secret",
                serialize=False, to="accounts.officer")),
            ("hash", models.TextField()),
        ]),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.RemoveField("officer", "password"),
        migrations.RunSQL([WALL, allow("SELECT, INSERT, UPDATE", "accounts_password")], migrations.RunSQL.noop),
    ]
