"""References are looked up row by row only where they do not lead to neighbours (ADR 7)."""

from django.db import migrations

REFERENCES = """
CREATE OR REPLACE FUNCTION registry_refers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE wrong record;
BEGIN
    SELECT f.area, f.source_id, (SELECT a.code FROM areas_area a WHERE a.code = f.area) IS NULL AS nowhere INTO wrong
    FROM (SELECT DISTINCT area, source_id FROM fresh) f
    WHERE (SELECT a.code FROM areas_area a WHERE a.code = f.area) IS NULL
       OR f.source_id IS NOT NULL AND (SELECT i.id FROM registry_import i WHERE i.id = f.source_id) IS NULL
    LIMIT 1;
    IF wrong.nowhere THEN
        RAISE EXCEPTION 'area % does not exist', wrong.area USING ERRCODE = 'foreign_key_violation';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'import % does not exist', wrong.source_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION registry_certificate_refers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    missing bigint;
    lowest bigint;
    highest bigint;
    many bigint;
BEGIN
    SELECT f.area INTO missing FROM (SELECT DISTINCT area FROM fresh) f
    WHERE (SELECT a.code FROM areas_area a WHERE a.code = f.area) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'area % does not exist', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT min(holder_id), max(holder_id), count(*) INTO lowest, highest, many FROM fresh;
    IF highest - lowest < many THEN
        SELECT count(*) INTO many FROM registry_holder h WHERE h.id BETWEEN lowest AND highest;
        IF many = highest - lowest + 1 THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT f.holder_id INTO missing FROM fresh f
    WHERE (SELECT h.id FROM registry_holder h WHERE h.id = f.holder_id) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'holder % does not exist', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER registry_refers_new ON registry_certificate;
CREATE TRIGGER registry_refers_new AFTER INSERT ON registry_certificate
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION registry_certificate_refers();
"""
"""The same promise as in 0002, for less. The persons that a block of an import brings have numbers that follow one
another: where every number from the lowest to the highest is a holder's, none is missing, and one walk along the index
says so. Areas and imports are gone through once, together."""


class Migration(migrations.Migration):
    """The triggers on new holders and certificates."""

    dependencies = [("registry", "0005_terms")]
    operations = [migrations.RunSQL(REFERENCES, migrations.RunSQL.noop)]
