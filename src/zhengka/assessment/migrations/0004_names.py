"""A signed assessment names institution and doctors itself: the office that it is shared with sees neither's rows."""

from django.db import migrations, models

from zhengka.core.scope import ROLE

NAMES = """
UPDATE assessment_assessment a SET institution_name = i.name, first_name = f.name,
       second_name = coalesce((SELECT o.name FROM assessment_licence l JOIN accounts_officer o ON o.id = l.officer_id
                               WHERE l.id = a.second_id), '')
FROM assessment_institution i, assessment_licence l, accounts_officer f
WHERE i.id = a.institution_id AND l.id = a.first_id AND f.id = l.officer_id
"""
TABLES = ("assessment_assessment", "assessment_institution", "assessment_licence")


def text(**more: object) -> models.TextField:
    return models.TextField(default="", **more)  # type: ignore[arg-type]


class Migration(migrations.Migration):
    """Names as they were when it was signed; of those signed before, as they are now."""

    dependencies = [("assessment", "0003_shared"), ("accounts", "0006_standing_in")]
    operations = [
        migrations.AddField("assessment", "institution_name", text(
            help_text="of the institution, when it was signed"), preserve_default=False),
        migrations.AddField("assessment", "first_name", text(
            help_text="of the doctor who signed first"), preserve_default=False),
        migrations.AddField("assessment", "second_name", text(blank=True), preserve_default=False),
        migrations.RunSQL(f"GRANT UPDATE (second_name) ON assessment_assessment TO {ROLE}", migrations.RunSQL.noop),
        migrations.RunSQL([f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in TABLES],
                          migrations.RunSQL.noop),
        migrations.RunSQL(NAMES, migrations.RunSQL.noop),
        migrations.RunSQL([f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TABLES],
                          migrations.RunSQL.noop),
    ]
