"""What the database itself keeps: events that nobody changes, and the web's role."""

from django.db import migrations

EVENTS_STAY = """
CREATE FUNCTION core_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER core_event_stays BEFORE UPDATE OR DELETE ON core_event
    FOR EACH ROW EXECUTE FUNCTION core_event_stays();
"""

WEB_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zhengka_web') THEN
        CREATE ROLE zhengka_web NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- roles belong to the whole server
END $$;
GRANT USAGE ON SCHEMA public TO zhengka_web;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO zhengka_web;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO zhengka_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO zhengka_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO zhengka_web;
REVOKE UPDATE ON core_event FROM zhengka_web;
"""

UNDO = """
DROP TRIGGER core_event_stays ON core_event;
DROP FUNCTION core_event_stays();
"""


class Migration(migrations.Migration):
    """Triggers, role, row-level security of the events."""

    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.RunSQL(EVENTS_STAY, UNDO),
        migrations.RunSQL(WEB_ROLE, migrations.RunSQL.noop),
    ]
