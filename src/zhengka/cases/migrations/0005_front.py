"""A case may be received by another office than the one that decides: both see it, and it stays with these two."""

from datetime import date

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from zhengka.core.scope import share

NO_LIMIT = date(9999, 12, 31)

STAYS = """
CREATE FUNCTION cases_offices_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a case stays with its offices' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER cases_offices_stay BEFORE UPDATE OF area, shared_with ON cases_case FOR EACH ROW
    WHEN (OLD.area <> NEW.area OR OLD.shared_with IS DISTINCT FROM NEW.shared_with)
    EXECUTE FUNCTION cases_offices_stay();
"""
"""Who sees a case may change it: without this a front office could take it from the one that decides."""

NO_STAYS = "DROP TRIGGER cases_offices_stay ON cases_case; DROP FUNCTION cases_offices_stay()"


class Migration(migrations.Migration):
    """The front office of a case, its indexes, and what it sees."""

    dependencies = [("cases", "0004_kinds"), ("core", "0006_shared"), ("papers", "0003_shared"),
                    ("letters", "0003_shared"), ("assessment", "0003_shared")]
    operations = [
        migrations.AddField("case", "front", models.ForeignKey(
            "areas.Area", null=True, on_delete=django.db.models.deletion.PROTECT, db_column="shared_with",
            db_index=False, related_name="+", help_text="the office that received it, where another one decides")),
        migrations.AddConstraint("case", models.CheckConstraint(
            condition=~Q(front=F("area")), name="case_front_is_another")),
        migrations.AddIndex("case", models.Index(
            F("front"), Coalesce("due_on", Value(NO_LIMIT)), F("id"), name="case_front_by_due_day",
            condition=Q(ended_at__isnull=True, front__isnull=False))),
        migrations.AddIndex("case", models.Index(
            fields=["front", "ended_at"], name="case_front_ended",
            condition=Q(ended_at__isnull=False, front__isnull=False))),
        migrations.RunSQL([share("cases_case"), STAYS], NO_STAYS),
    ]
