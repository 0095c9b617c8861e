"""What the database itself keeps for this room: ids unique across provinces, who sees and changes what, no place given
twice, and no assessment by the person themselves, by who declared a conflict, or again by the same doctor in a dispute.
"""

from django.db import migrations

from zhengka.core.scope import POLICY, allow, protect

TABLES = ("institution", "licence", "session", "appointment", "assessment", "conflict")
LO, HI = (f"nullif(current_setting('app.{end}', true), '')::bigint" for end in ("lo", "hi"))
SERVES = f"{POLICY} OR (area <= {LO} AND last >= {HI})"
"""A row of one's own area, or of an area above that serves it: a city's hospital is everybody's in the city."""

INSTITUTIONS = f"""
ALTER TABLE assessment_institution ENABLE ROW LEVEL SECURITY;
ALTER TABLE assessment_institution FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON assessment_institution USING ({SERVES}) WITH CHECK ({POLICY});
"""

SESSIONS = protect("assessment_session") + f""";
CREATE POLICY below ON assessment_session FOR SELECT USING ({SERVES});
CREATE POLICY counted ON assessment_session FOR UPDATE USING ({SERVES}) WITH CHECK ({SERVES});
CREATE FUNCTION assessment_session_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a day of another office is not changed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER assessment_session_stays BEFORE UPDATE OF state, version ON assessment_session
    FOR EACH ROW WHEN (NEW.area NOT BETWEEN {LO} AND {HI}) EXECUTE FUNCTION assessment_session_stays();
"""
"""An office below takes a place on a day of the area above: it changes the count, and nothing else."""

PLACES = """
CREATE FUNCTION assessment_place_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assessment_session SET taken = taken + 1
    WHERE id = NEW.session_id AND state = 'open' AND NEW.area BETWEEN area AND last
      AND NEW.category = ANY (categories);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session % does not take this case', NEW.session_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION assessment_place_given_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assessment_session SET taken = taken - 1 WHERE id = NEW.session_id;
    RETURN NULL;
END $$;
CREATE TRIGGER assessment_place_taken AFTER INSERT ON assessment_appointment
    FOR EACH ROW EXECUTE FUNCTION assessment_place_taken();
CREATE TRIGGER assessment_place_given_back AFTER UPDATE OF state ON assessment_appointment
    FOR EACH ROW WHEN (OLD.state = 'booked' AND NEW.state = 'cancelled')
    EXECUTE FUNCTION assessment_place_given_back();
"""
"""The count locks the day's row, and its own CHECK keeps it within the capacity, whoever books at the same moment. Who
did not come had their place; who cancelled gives it back.
"""

FAIR = """
CREATE FUNCTION assessment_fair() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER assessment_fair AFTER INSERT OR UPDATE OF second_id, second_person ON assessment_assessment
    FOR EACH ROW EXECUTE FUNCTION assessment_fair();
"""

RIGHTS = [
    allow("SELECT, INSERT, UPDATE (state, version)", "assessment_institution"),
    allow("SELECT, INSERT, UPDATE (state, version)", "assessment_licence"),
    allow("SELECT, INSERT, UPDATE (state, version, taken)", "assessment_session"),
    allow("SELECT, INSERT, UPDATE (state, version)", "assessment_appointment"),
    allow("SELECT, INSERT, UPDATE (state, version, second_id, second_person, second_at)", "assessment_assessment"),
    allow("SELECT (person_index, assessor_person), INSERT", "assessment_conflict"),
    *(allow("USAGE", f"SEQUENCE assessment_{table}_ids") for table in TABLES),
]
"""What the pages need; nothing that was signed is ever changed by them."""


class Migration(migrations.Migration):
    """Sequences, row-level security, triggers, rights of the web's role."""

    dependencies = [("assessment", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        *(migrations.RunSQL(f"CREATE SEQUENCE assessment_{table}_ids CACHE 1", f"DROP SEQUENCE assessment_{table}_ids")
          for table in TABLES),
        *(migrations.RunSQL(protect(f"assessment_{table}"), migrations.RunSQL.noop)
          for table in ("licence", "appointment", "assessment")),
        migrations.RunSQL([INSTITUTIONS, SESSIONS, PLACES, FAIR], migrations.RunSQL.noop),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
