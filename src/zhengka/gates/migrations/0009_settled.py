"""What a statement that was sent counts goes on counting: no later log takes it back, and none lets another in."""

from django.db import migrations, models
from django.db.models import Q

SETTLED = """
CREATE FUNCTION gates_visit_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gates_statement s
               WHERE s.id = OLD.statement_id AND s.state IN ('sent', 'disputed', 'agreed', 'closed')) THEN
        RAISE EXCEPTION 'what a statement that was sent counts stays as it is' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER visit_settled BEFORE UPDATE ON gates_visit FOR EACH ROW
    WHEN (OLD.statement_id IS NOT NULL
          AND (OLD.counted, OLD.statement_id) IS DISTINCT FROM (NEW.counted, NEW.statement_id))
    EXECUTE FUNCTION gates_visit_settled();
"""


class Migration(migrations.Migration):
    """A trigger; a use that was paid before its gate was found to have forked keeps both marks."""

    dependencies = [("gates", "0008_counted_together")]
    operations = [
        migrations.RemoveConstraint("visit", "visit_counts_a_service"),
        migrations.AddConstraint("visit", models.CheckConstraint(
            condition=Q(counted=False) | Q(kind__in=("visit", "redeem")) & (
                Q(forked=False) | Q(statement__isnull=False)), name="visit_counts_a_service")),
        migrations.RunSQL(SETTLED, "DROP FUNCTION gates_visit_settled CASCADE"),
    ]
