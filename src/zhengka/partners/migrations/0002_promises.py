"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area; what was
granted, signed or told never changes; a webhook is of its client's operator and office.
"""

from django.db import migrations

from zhengka.core.scope import ROLE, allow, protect

TABLES = ("partners_partner", "partners_secret", "partners_webhook", "partners_delivery", "partners_answered")
NUMBERED = ("partners_partner", "partners_webhook")
RIGHTS = {
    "partners_partner": "state, version, permitted_by, secrets_made", "partners_secret": "ends_at",
    "partners_webhook": "state, version", "partners_answered": "answer",
    "partners_delivery": "next_at, given_up_at, tries, problem",
}
FROZEN = {
    "partners_partner": ("area", "operator", "client_id", "scopes", "asked_by"),
    "partners_secret": ("partner_id", "area", "number", "digest", "made_at"),
    "partners_webhook": ("area", "partner_id", "operator", "url", "events", "secret"),
    "partners_delivery": ("webhook_id", "area", "message", "event", "body", "told_at"),
    "partners_answered": ("partner_id", "area", "key", "digest"),
}
OWN = """
ALTER TABLE partners_partner ADD CONSTRAINT partner_of_an_operator UNIQUE (id, area, operator);
ALTER TABLE partners_webhook ADD CONSTRAINT webhook_of_its_partner
    FOREIGN KEY (partner_id, area, operator) REFERENCES partners_partner (id, area, operator)
"""
ENDED = """
CREATE FUNCTION partners_delivery_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.delivered_at IS NOT NULL THEN
        RAISE EXCEPTION 'a delivery that was taken is never changed' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delivery_taken BEFORE UPDATE ON partners_delivery
    FOR EACH ROW EXECUTE FUNCTION partners_delivery_taken();
"""


def frozen(table: str) -> str:
    """SQL of a trigger that lets no update change these columns."""
    old, new = (", ".join(f"{side}.{column}" for column in FROZEN[table]) for side in ("OLD", "NEW"))
    return f"""
        CREATE FUNCTION {table}_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF ({old}) IS DISTINCT FROM ({new}) THEN
                RAISE EXCEPTION 'what was granted or told is never changed' USING ERRCODE = '23514';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER frozen BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_frozen();
    """


class Migration(migrations.Migration):
    """Sequences, row-level security, rights of the web's role, triggers."""

    dependencies = [("partners", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        *(migrations.RunSQL(f"CREATE SEQUENCE {table}_ids CACHE 1", f"DROP SEQUENCE {table}_ids")
          for table in NUMBERED),
        *(migrations.RunSQL([protect(table), allow("SELECT, INSERT", table),
                             f"GRANT UPDATE ({RIGHTS[table]}) ON {table} TO {ROLE}"], migrations.RunSQL.noop)
          for table in TABLES),
        *(migrations.RunSQL(allow("USAGE", f"SEQUENCE {table}_ids"), migrations.RunSQL.noop) for table in NUMBERED),
        *(migrations.RunSQL(frozen(table), f"DROP FUNCTION {table}_frozen CASCADE") for table in TABLES),
        migrations.RunSQL(OWN, "ALTER TABLE partners_webhook DROP CONSTRAINT webhook_of_its_partner; "
                               "ALTER TABLE partners_partner DROP CONSTRAINT partner_of_an_operator"),
        migrations.RunSQL(ENDED, "DROP FUNCTION partners_delivery_taken CASCADE"),
    ]
