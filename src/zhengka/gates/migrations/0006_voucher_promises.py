"""What the database itself keeps of gates' logs: rows seen only in one's own area, ids unique across provinces, and an
event that is kept as it was signed.
"""

from django.db import migrations

from zhengka.core.scope import allow, protect, share

NUMBERED = ("gates_post", "gates_voucher", "gates_statement", "gates_dispute")
RIGHTS = {
    "gates_post": "SELECT, INSERT, UPDATE", "gates_voucher": "SELECT, INSERT, UPDATE",
    "gates_visit": "SELECT, INSERT, UPDATE", "gates_upload": "SELECT, INSERT", "gates_gatekey": "SELECT, INSERT",
    "gates_doubleuse": "SELECT, INSERT, UPDATE, DELETE", "gates_statement": "SELECT, INSERT, UPDATE",
    "gates_statementline": "SELECT, INSERT, DELETE", "gates_dispute": "SELECT, INSERT, UPDATE"}
AS_SIGNED = """
CREATE FUNCTION gates_visit_as_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.gate_id, NEW.seq, NEW.digest, NEW.text, NEW.kind, NEW.at, NEW.voucher, NEW.received_at)
       IS DISTINCT FROM (OLD.gate_id, OLD.seq, OLD.digest, OLD.text, OLD.kind, OLD.at, OLD.voucher, OLD.received_at)
       OR OLD.signature IS NOT NULL AND NEW.signature IS DISTINCT FROM OLD.signature THEN
        RAISE EXCEPTION 'an event stays as its gate signed it' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER visit_as_signed BEFORE UPDATE OR DELETE ON gates_visit
    FOR EACH ROW EXECUTE FUNCTION gates_visit_as_signed();
"""


class Migration(migrations.Migration):
    """Sequences, row-level security, rights of the pages, a trigger."""

    dependencies = [("gates", "0005_vouchers"), ("core", "0005_web_rights")]
    operations = [
        *(migrations.RunSQL(f"CREATE SEQUENCE {one}_ids CACHE 1", f"DROP SEQUENCE {one}_ids") for one in NUMBERED),
        migrations.RunSQL("CREATE SEQUENCE gates_own_events", "DROP SEQUENCE gates_own_events"),
        *(migrations.RunSQL(protect(table), migrations.RunSQL.noop) for table in RIGHTS),
        migrations.RunSQL(share("gates_doubleuse"), migrations.RunSQL.noop),
        *(migrations.RunSQL(allow(rights, table), migrations.RunSQL.noop) for table, rights in RIGHTS.items()),
        *(migrations.RunSQL(allow("USAGE", f"SEQUENCE {table}"), migrations.RunSQL.noop)
          for table in (*(f"{one}_ids" for one in NUMBERED), "gates_own_events")),
        migrations.RunSQL(AS_SIGNED, "DROP FUNCTION gates_visit_as_signed CASCADE"),
    ]
