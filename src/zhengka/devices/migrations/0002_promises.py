"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area, a
reading that ended stays as it is, and uses of a module are never counted backwards."""

from django.db import migrations

from zhengka.core.scope import allow, protect

TABLES = ("devices_device", "devices_psam", "devices_reading")
ENDED = """
CREATE FUNCTION devices_reading_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome <> '' THEN RAISE EXCEPTION 'a reading that ended is never changed' USING ERRCODE = '23514'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reading_ended BEFORE UPDATE ON devices_reading FOR EACH ROW EXECUTE FUNCTION devices_reading_ended();
"""
COUNTED = """
CREATE FUNCTION devices_psam_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.uses < OLD.uses THEN RAISE EXCEPTION 'uses are never counted backwards' USING ERRCODE = '23514'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER psam_counted BEFORE UPDATE OF uses ON devices_psam FOR EACH ROW EXECUTE FUNCTION devices_psam_counted();
"""
PLACE = """
ALTER TABLE devices_reading ADD CONSTRAINT reading_in_its_readers_area
    FOREIGN KEY (reader_id, area) REFERENCES devices_device (id, area)
"""


class Migration(migrations.Migration):
    """Sequences, row-level security, rights of the pages, triggers."""

    dependencies = [("devices", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        *(migrations.RunSQL(f"CREATE SEQUENCE {table}_ids CACHE 1", f"DROP SEQUENCE {table}_ids") for table in TABLES),
        *(migrations.RunSQL(protect(table), migrations.RunSQL.noop) for table in TABLES),
        *(migrations.RunSQL(allow("SELECT, INSERT, UPDATE", table), migrations.RunSQL.noop) for table in TABLES),
        *(migrations.RunSQL(allow("USAGE", f"SEQUENCE {table}_ids"), migrations.RunSQL.noop)
          for table in TABLES),
        migrations.RunSQL(PLACE, "ALTER TABLE devices_reading DROP CONSTRAINT reading_in_its_readers_area"),
        migrations.RunSQL(ENDED, "DROP FUNCTION devices_reading_ended CASCADE"),
        migrations.RunSQL(COUNTED, "DROP FUNCTION devices_psam_counted CASCADE"),
    ]
