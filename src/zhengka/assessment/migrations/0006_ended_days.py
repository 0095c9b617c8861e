"""An appointment that the office calls off is told from one that is given back and from a no-show; no day of
assessments is opened, and none booked, that has ended.
"""

from django.db import migrations, models
from django.db.models import ExpressionWrapper, F, Func, Q, Value

OPENED = """
UPDATE assessment_session s SET opened_at = least(
    coalesce((SELECT e.at FROM core_event e WHERE e.subject = 'session' AND e.subject_id = s.id AND e.version = 1),
             (s.day + s.starts) AT TIME ZONE 'Asia/Shanghai'),
    (s.day + s.ends) AT TIME ZONE 'Asia/Shanghai' - interval '1 second')
"""
"""As the event says; of a day that had ended when it was opened, the last moment of it, for such a day stays as it is.
"""
TABLES = ("assessment_session", "core_event")
TAKEN = """
CREATE OR REPLACE FUNCTION assessment_place_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assessment_session SET taken = taken + 1
    WHERE id = NEW.session_id AND state = 'open' AND NEW.area BETWEEN area AND last
      AND NEW.category = ANY (categories) AND NEW.booked_at < (day + ends) AT TIME ZONE 'Asia/Shanghai';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session % does not take this case', NEW.session_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER assessment_place_given_back ON assessment_appointment;
CREATE TRIGGER assessment_place_given_back AFTER UPDATE OF state ON assessment_appointment
    FOR EACH ROW WHEN (OLD.state = 'booked' AND NEW.state IN ('called_off', 'cancelled'))
    EXECUTE FUNCTION assessment_place_given_back();
"""
"""The triggers of 0002_promises: a day that has ended takes nobody, and a place that is called off is free again."""

END = Func(Value("Asia/Shanghai"), ExpressionWrapper(F("day") + F("ends"), models.DateTimeField()), function="timezone",
           output_field=models.DateTimeField())


def wall(verb: str) -> list[str]:
    return [f"ALTER TABLE {table} {verb} ROW LEVEL SECURITY" for table in TABLES]


class Migration(migrations.Migration):
    """The state, the moment of opening, and what the database keeps of both."""

    dependencies = [("assessment", "0005_guardians"), ("core", "0007_parts_of_imports")]
    operations = [
        migrations.RemoveConstraint("appointment", "appointment_state_known"),
        migrations.AddConstraint("appointment", models.CheckConstraint(
            condition=Q(state__in=["booked", "called_off", "cancelled", "done", "missed"]),
            name="appointment_state_known")),
        migrations.AddField("session", "opened_at", models.DateTimeField(null=True)),
        migrations.RunSQL(wall("NO FORCE"), migrations.RunSQL.noop),
        migrations.RunSQL(OPENED, migrations.RunSQL.noop),
        migrations.RunSQL(wall("FORCE"), migrations.RunSQL.noop),
        migrations.AlterField("session", "opened_at", models.DateTimeField()),
        migrations.AddConstraint("session", models.CheckConstraint(
            condition=Q(opened_at__lt=END), name="session_opened_before_its_end")),
        migrations.RunSQL(TAKEN, migrations.RunSQL.noop),
    ]
