"""What a doctor has filled in and not signed is kept with the appointment, sealed, until that comes to its end."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import ROLE

GONE = """
CREATE FUNCTION assessment_drafts_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.drafts := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER assessment_drafts_gone BEFORE UPDATE OF state ON assessment_appointment
    FOR EACH ROW WHEN (NEW.state <> 'booked' AND OLD.drafts IS NOT NULL) EXECUTE FUNCTION assessment_drafts_gone();
"""
"""Signed, missed, called off or given back: no draft outlives its purpose."""


class Migration(migrations.Migration):
    """The column, who clears it, and that nothing stays behind."""

    dependencies = [("assessment", "0006_ended_days")]
    operations = [
        migrations.AddField("appointment", "drafts", models.BinaryField(
            null=True, help_text="sealed as appointment.drafts, JSON: person of a doctor → the form as filled in")),
        migrations.AddConstraint("appointment", models.CheckConstraint(
            condition=Q(drafts__isnull=True) | Q(state="booked"), name="appointment_draft_of_a_booked_one")),
        migrations.RunSQL(f"GRANT UPDATE (drafts) ON assessment_appointment TO {ROLE}", migrations.RunSQL.noop),
        migrations.RunSQL(GONE, "DROP TRIGGER assessment_drafts_gone ON assessment_appointment; "
                                "DROP FUNCTION assessment_drafts_gone()"),
    ]
