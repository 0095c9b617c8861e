"""Who sees a case sees the name of the officer in charge of it, also of one that another office received for theirs."""

from django.db import migrations

IN_CHARGE = """
CREATE POLICY in_charge ON accounts_officer FOR SELECT USING (
    EXISTS (SELECT FROM cases_case c WHERE c.assignee_id = accounts_officer.id))
"""
"""The inner query is bound by the wall of cases itself."""


class Migration(migrations.Migration):
    """One more policy on accounts, for reading alone."""

    dependencies = [("cases", "0013_guardians"), ("accounts", "0008_area_wall")]
    operations = [migrations.RunSQL(IN_CHARGE, "DROP POLICY in_charge ON accounts_officer")]
