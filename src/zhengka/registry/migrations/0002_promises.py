"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import protect

REFERENCES = """
CREATE FUNCTION registry_refers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE missing bigint;
BEGIN
    SELECT f.area INTO missing FROM (SELECT DISTINCT area FROM fresh) f
    WHERE (SELECT a.code FROM areas_area a WHERE a.code = f.area) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'area % does not exist', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF TG_TABLE_NAME = 'registry_certificate' THEN
        SELECT f.holder_id INTO missing FROM fresh f
        WHERE (SELECT h.id FROM registry_holder h WHERE h.id = f.holder_id) IS NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'holder % does not exist', missing USING ERRCODE = 'foreign_key_violation';
        END IF;
    ELSE
        SELECT f.source_id INTO missing FROM (SELECT DISTINCT source_id FROM fresh) f
        WHERE source_id IS NOT NULL AND (SELECT i.id FROM registry_import i WHERE i.id = f.source_id) IS NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'import % does not exist', missing USING ERRCODE = 'foreign_key_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER registry_refers_new AFTER INSERT ON registry_holder
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry_refers();
CREATE TRIGGER registry_refers_new AFTER INSERT ON registry_certificate
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry_refers();
CREATE FUNCTION registry_refers_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM areas_area a WHERE a.code = NEW.area) THEN
        RAISE EXCEPTION 'area % does not exist', NEW.area USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION registry_holder_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a certificate stays with its holder' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER registry_refers_anew AFTER UPDATE OF area ON registry_holder
    FOR EACH ROW WHEN (OLD.area <> NEW.area) EXECUTE FUNCTION registry_refers_anew();
CREATE TRIGGER registry_refers_anew AFTER UPDATE OF area ON registry_certificate
    FOR EACH ROW WHEN (OLD.area <> NEW.area) EXECUTE FUNCTION registry_refers_anew();
CREATE TRIGGER registry_holder_stays BEFORE UPDATE OF holder_id ON registry_certificate
    FOR EACH ROW WHEN (OLD.holder_id <> NEW.holder_id) EXECUTE FUNCTION registry_holder_stays();
"""
"""A foreign key asks once for each row; a file has a hundred thousand rows and one area. The same promise, asked once
for each statement that adds rows (1 µs a row, not 16). Written as look-ups, one by one by index, and not as a join: its
plan is kept from the first call on, when the tables may be empty. Areas, holders, imports are never removed: STAYS."""

STAYS = """
CREATE FUNCTION registry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never removed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER registry_stays BEFORE DELETE ON areas_area FOR EACH STATEMENT EXECUTE FUNCTION registry_stays();
CREATE TRIGGER registry_stays BEFORE DELETE ON registry_import FOR EACH STATEMENT EXECUTE FUNCTION registry_stays();
CREATE TRIGGER registry_stays BEFORE DELETE ON registry_holder FOR EACH STATEMENT EXECUTE FUNCTION registry_stays();
"""


class Migration(migrations.Migration):
    """Sequences and row-level security."""

    dependencies = [("registry", "0001_initial"), ("core", "0002_promises")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE registry_holder_ids CACHE 1", "DROP SEQUENCE registry_holder_ids"),
        migrations.RunSQL("CREATE SEQUENCE registry_certificate_ids CACHE 1", "DROP SEQUENCE registry_certificate_ids"),
        migrations.RunSQL("CREATE SEQUENCE registry_import_ids CACHE 1", "DROP SEQUENCE registry_import_ids"),
        migrations.RunSQL(REFERENCES, migrations.RunSQL.noop),
        migrations.RunSQL(STAYS, migrations.RunSQL.noop),
        migrations.RunSQL(protect("registry_holder"), migrations.RunSQL.noop),
        migrations.RunSQL(protect("registry_certificate"), migrations.RunSQL.noop),
        migrations.RunSQL(protect("registry_import"), migrations.RunSQL.noop),
    ]
