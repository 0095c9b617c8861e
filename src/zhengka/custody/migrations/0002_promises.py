"""What the database itself keeps of custody: a parcel in one place at every moment, lists and receipts that stay as
they were written, no card left in a parcel that was opened; rows seen only in one's own area, or where a parcel goes.
"""

from django.db import migrations

from zhengka.core.scope import allow, protect, share

NUMBERED = ("custody_parcel", "custody_keeping", "custody_trouble", "custody_booklet", "custody_pulping")
SHARED = ("custody_parcel", "custody_listed", "custody_stay", "custody_keeping", "custody_trouble")
TABLES = (*SHARED, "custody_receipt", "custody_booklet", "custody_pulping")
ONE_PLACE = """
ALTER TABLE custody_stay ADD CONSTRAINT stay_forward CHECK (until IS NULL OR until >= since);
ALTER TABLE custody_stay ADD CONSTRAINT stay_one_place
    EXCLUDE USING gist (int8range(parcel_id, parcel_id, '[]') WITH &&, tstzrange(since, until) WITH &&);
"""
STAYS = """
CREATE FUNCTION custody_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free text[] := TG_ARGV[0]::text[];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - free = to_jsonb(OLD) - free
       AND (TG_TABLE_NAME <> 'custody_stay' OR to_jsonb(OLD) ->> 'until' IS NULL
            OR to_jsonb(OLD) ->> 'until' = to_jsonb(NEW) ->> 'until')
       AND (TG_TABLE_NAME <> 'custody_listed' OR to_jsonb(OLD) ->> 'outcome' = ''
            OR to_jsonb(OLD) ->> 'outcome' = to_jsonb(NEW) ->> 'outcome') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what % says is never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(f"""
CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION custody_stays('{{{free}}}');
""" for table, free in (("custody_stay", "until,shared_with"), ("custody_listed", "outcome,shared_with"),
                        ("custody_parcel", "state,version,passed,shared_with"), ("custody_receipt", "")))
EMPTIED = """
CREATE FUNCTION custody_parcel_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM custody_keeping WHERE parcel_id = NEW.id AND state = 'packed') THEN
        RAISE EXCEPTION 'a card is left in parcel %, which was opened', NEW.id USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER custody_parcel_emptied AFTER UPDATE ON custody_parcel DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state IN ('unpacked', 'lost')) EXECUTE FUNCTION custody_parcel_emptied();
"""


class Migration(migrations.Migration):
    """Exclusion constraint, triggers, sequences, row-level security, rights of the pages."""

    dependencies = [("custody", "0001_initial"), ("core", "0009_parcels")]
    operations = [
        migrations.RunSQL(ONE_PLACE, "ALTER TABLE custody_stay DROP CONSTRAINT stay_one_place"),
        migrations.RunSQL(STAYS, "DROP FUNCTION custody_stays CASCADE"),
        migrations.RunSQL(EMPTIED, "DROP FUNCTION custody_parcel_emptied CASCADE"),
        *(migrations.RunSQL(f"CREATE SEQUENCE {table}_ids CACHE 1", f"DROP SEQUENCE {table}_ids")
          for table in NUMBERED),
        *(migrations.RunSQL(protect(table), migrations.RunSQL.noop) for table in TABLES),
        *(migrations.RunSQL(share(table), migrations.RunSQL.noop) for table in SHARED),
        *(migrations.RunSQL(allow("SELECT, INSERT, UPDATE", table), migrations.RunSQL.noop)
          for table in TABLES if table != "custody_receipt"),
        migrations.RunSQL(allow("SELECT, INSERT", "custody_receipt"), migrations.RunSQL.noop),
        *(migrations.RunSQL(allow("USAGE", f"SEQUENCE {table}_ids"), migrations.RunSQL.noop) for table in NUMBERED),
    ]
