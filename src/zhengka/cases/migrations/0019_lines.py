"""Cases are counted, and listed, by all that says which step comes next: policy, kind, minority, front office."""

from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from zhengka.cases.models import NO_LIMIT

KEY = "area, policy, kind_of_case, minor, fronted, state, ended, day"
ROWS = """
SELECT area, policy, kind_of_case, minor, shared_with IS NOT NULL AS fronted, state, ended_at IS NOT NULL AS ended,
       CASE WHEN ended_at IS NULL THEN coalesce(due_on, '9999-12-31')
            ELSE (ended_at AT TIME ZONE 'Asia/Shanghai')::date END AS day, {} AS number
FROM {}"""
COUNT = f"""
INSERT INTO cases_tally ({KEY}, number)
SELECT {KEY}, sum(number) FROM ({{}}) r GROUP BY {KEY} HAVING sum(number) <> 0"""
MORE, FEWER = ROWS.format(1, "after"), ROWS.format(-1, "before")
COUNTED = f"""
CREATE OR REPLACE FUNCTION cases_counted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {COUNT.format(MORE)};
    ELSIF TG_OP = 'DELETE' THEN {COUNT.format(FEWER)};
    ELSE {COUNT.format(f"{MORE} UNION ALL {FEWER}")};
    END IF;
    RETURN NULL;
END $$
"""
"""As in 0007_counts, with the new columns; the triggers stay. The lock keeps whoever would write a row without them."""
WALLED = ("cases_case", "cases_tally")


class Migration(migrations.Migration):
    """The counts are written anew, by one statement; the index of the worklists is made anew."""

    dependencies = [("cases", "0018_cases_of_assignee")]
    operations = [
        migrations.RunSQL(["LOCK TABLE cases_case IN SHARE ROW EXCLUSIVE MODE",
                           *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in WALLED),
                           "DELETE FROM cases_tally"], migrations.RunSQL.noop),
        *(migrations.AddField("tally", name, field) for name, field in (
            ("policy", models.TextField()), ("minor", models.BooleanField()),
            ("fronted", models.BooleanField(help_text="received by another office")))),
        migrations.RunSQL([COUNT.format(ROWS.format(1, "cases_case")),
                           *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in WALLED), COUNTED],
                          migrations.RunSQL.noop),
        migrations.RemoveIndex("case", "case_by_due_day"),
        migrations.AddIndex("case", models.Index(
            F("area"), F("state"), F("kind_of_case"), F("policy"), F("minor"),
            IsNull(F("front"), False),
            Coalesce("due_on", Value(NO_LIMIT)), F("id"), condition=Q(ended_at__isnull=True), name="case_by_due_day")),
    ]
