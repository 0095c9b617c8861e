"""A guardian who is a doctor does not assess their ward (回避): an appointment knows the guardian by a blind index."""

from django.db import migrations, models

from zhengka.core.scope import ROLE

FAIR = """
CREATE OR REPLACE FUNCTION assessment_fair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE signers text[] := array_remove(ARRAY[NEW.first_person, NEW.second_person], '');
BEGIN
    IF (SELECT person FROM assessment_licence WHERE id = NEW.first_id) IS DISTINCT FROM NEW.first_person
       OR (SELECT person FROM assessment_licence WHERE id = NEW.second_id)
          IS DISTINCT FROM nullif(NEW.second_person, '') THEN
        RAISE EXCEPTION 'a licence is signed under by its own person' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM assessment_licence
               WHERE id IN (NEW.first_id, NEW.second_id) AND person_index = NEW.person_index) THEN
        RAISE EXCEPTION 'nobody assesses themselves' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM assessment_licence l JOIN assessment_appointment a ON a.guardian_index = l.person_index
               WHERE l.id IN (NEW.first_id, NEW.second_id) AND a.id = NEW.appointment_id) THEN
        RAISE EXCEPTION 'nobody assesses their ward' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM assessment_conflict
               WHERE person_index = NEW.person_index AND assessor_person = ANY (signers)) THEN
        RAISE EXCEPTION 'a conflict was declared' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.dispute AND EXISTS (SELECT FROM assessment_assessment
                               WHERE person_index = NEW.person_index AND id <> NEW.id
                                 AND (first_person = ANY (signers) OR second_person = ANY (signers))) THEN
        RAISE EXCEPTION 'in a dispute nobody assesses again' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    """The column, and the trigger of 0002_promises with one more question."""

    dependencies = [("assessment", "0004_names")]
    operations = [
        migrations.AddField("appointment", "guardian_index", models.BinaryField(
            null=True, help_text="of the guardian's (监护人), where a case names one: who, as a doctor, does not "
                                 "assess their ward")),
        migrations.RunSQL(f"GRANT UPDATE (guardian_index) ON assessment_appointment TO {ROLE}",
                          migrations.RunSQL.noop),  # who answers for the person when the form is signed
        migrations.RunSQL(FAIR, migrations.RunSQL.noop),
    ]
