"""Who sees a doctor's licence sees the doctor's name, though the doctor's office is another one."""

from django.db import migrations

LICENSED = """
CREATE POLICY licensed ON accounts_officer FOR SELECT USING (
    EXISTS (SELECT FROM assessment_licence l WHERE l.officer_id = accounts_officer.id))
"""
"""The inner query is bound by the wall of licences itself."""


class Migration(migrations.Migration):
    """One more policy on accounts, for reading alone."""

    dependencies = [("assessment", "0007_drafts"), ("accounts", "0008_area_wall")]
    operations = [migrations.RunSQL(LICENSED, "DROP POLICY licensed ON accounts_officer")]
