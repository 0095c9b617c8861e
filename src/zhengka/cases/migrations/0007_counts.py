"""How many cases there are, kept beside them by the database itself; an index that holds the queues of worklists."""

from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from zhengka.cases.models import NO_LIMIT
from zhengka.core.scope import allow, protect

ROWS = """
SELECT area, kind_of_case, state, ended_at IS NOT NULL AS ended, CASE WHEN ended_at IS NULL
       THEN coalesce(due_on, '9999-12-31') ELSE (ended_at AT TIME ZONE 'Asia/Shanghai')::date END AS day, {} AS number
FROM {}"""
COUNT = """
INSERT INTO cases_tally (area, kind_of_case, state, ended, day, number)
SELECT area, kind_of_case, state, ended, day, sum(number) FROM ({}) r
GROUP BY area, kind_of_case, state, ended, day HAVING sum(number) <> 0"""
MORE, FEWER = ROWS.format(1, "after"), ROWS.format(-1, "before")
EVENTS = {"INSERT": "NEW TABLE AS after", "DELETE": "OLD TABLE AS before",
          "UPDATE": "OLD TABLE AS before NEW TABLE AS after"}
TRIGGERS = f"""
CREATE FUNCTION cases_counted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {COUNT.format(MORE)};
    ELSIF TG_OP = 'DELETE' THEN {COUNT.format(FEWER)};
    ELSE {COUNT.format(f"{MORE} UNION ALL {FEWER}")};
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION cases_counted() FROM PUBLIC;
CREATE POLICY counted ON cases_tally FOR INSERT WITH CHECK (true);
""" + "".join(f"""
CREATE TRIGGER cases_counted_{event.lower()} AFTER {event} ON cases_case
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION cases_counted();
""" for event, tables in EVENTS.items())
"""A statement adds rows and changes none, so nobody who moves a case waits for another who does. Only this function
writes them, for whoever changes a case: the web's role reads the counts of its area."""
NO_TRIGGERS = "".join(f"DROP TRIGGER cases_counted_{event.lower()} ON cases_case; " for event in EVENTS) + (
    "DROP FUNCTION cases_counted()")


class Migration(migrations.Migration):
    """The table of counts, what fills it, and the index of the worklists."""

    dependencies = [("cases", "0006_assignee")]
    operations = [
        migrations.CreateModel("Tally", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("area", models.BigIntegerField(help_text="12-digit code of the issuing office")),
            ("kind_of_case", models.TextField()), ("state", models.TextField()), ("ended", models.BooleanField()),
            ("day", models.DateField(help_text="of an open case the last day for its step, of an ended one its end")),
            ("number", models.IntegerField(help_text="so many cases more, or fewer"))]),
        migrations.AddConstraint("tally", models.CheckConstraint(condition=~Q(number=0), name="tally_counts")),
        migrations.AddIndex("tally", models.Index(fields=["area", "ended", "day"], name="tally_by_area")),
        migrations.RunSQL(protect("cases_tally"), migrations.RunSQL.noop),
        migrations.RunSQL(allow("SELECT", "cases_tally"), migrations.RunSQL.noop),
        migrations.RunSQL([f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in (
            "cases_case", "cases_tally")], migrations.RunSQL.noop),
        migrations.RunSQL(COUNT.format(ROWS.format(1, "cases_case")), migrations.RunSQL.noop),
        migrations.RunSQL([f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in (
            "cases_case", "cases_tally")], migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.RemoveIndex("case", "case_by_due_day"),
        migrations.RemoveIndex("case", "case_open_by_state"),
        migrations.AddIndex("case", models.Index(
            F("area"), F("state"), F("kind_of_case"), Coalesce("due_on", Value(NO_LIMIT)), F("id"),
            condition=Q(ended_at__isnull=True), name="case_by_due_day")),
    ]
