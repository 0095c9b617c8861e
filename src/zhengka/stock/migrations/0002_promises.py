"""What the database itself keeps of the ledger: each serial in one place at every moment, both sides of each movement
equal, nothing of it ever changed or removed; rows seen only in one's own area."""

from django.db import migrations

from zhengka.core.scope import allow, protect, share

NUMBERED = ("stock_store", "stock_slip", "stock_count")
TABLES = ("stock_store", "stock_box", "stock_slip", "stock_span", "stock_entry", "stock_count")
ONE_PLACE = """
ALTER TABLE stock_span ADD CONSTRAINT span_not_empty CHECK (NOT isempty(serials) AND lower(serials) > 0);
ALTER TABLE stock_span ADD CONSTRAINT span_one_place EXCLUDE USING gist (serials WITH &&, during WITH &&);
CREATE INDEX span_by_store ON stock_span (store_id, account) WHERE upper_inf(during);
CREATE INDEX span_of_office ON stock_span (area, account) WHERE upper_inf(during) AND store_id IS NULL;
CREATE INDEX entry_by_store ON stock_entry (store_id, account, at) INCLUDE (quantity);
CREATE INDEX entry_by_office ON stock_entry (area, account, at) INCLUDE (quantity);
"""
SPAN_STAYS = """
CREATE FUNCTION stock_span_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND upper_inf(OLD.during) AND NOT upper_inf(NEW.during)
       AND (isempty(NEW.during) OR lower(NEW.during) = lower(OLD.during))
       AND (NEW.id, NEW.area, NEW.account, NEW.slip_id, NEW.serials)
           = (OLD.id, OLD.area, OLD.account, OLD.slip_id, OLD.serials)
       AND NEW.store_id IS NOT DISTINCT FROM OLD.store_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'where a piece was is never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER stock_span_stays BEFORE UPDATE OR DELETE ON stock_span
    FOR EACH ROW EXECUTE FUNCTION stock_span_stays();
"""
ENTRIES_STAY = """
CREATE FUNCTION stock_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER stock_entry_stays BEFORE UPDATE OR DELETE ON stock_entry
    FOR EACH ROW EXECUTE FUNCTION stock_entry_stays();
CREATE FUNCTION stock_entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(quantity) FROM stock_entry WHERE slip_id = NEW.slip_id) <> 0 THEN
        RAISE EXCEPTION 'both sides of slip % must be equal', NEW.slip_id USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stock_entry_balanced AFTER INSERT ON stock_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_entry_balanced();
"""
SLIP_STAYS = """
CREATE FUNCTION stock_slip_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{state,version,confirmed_by}'::text[]
       = to_jsonb(OLD) - '{state,version,confirmed_by}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a slip is never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER stock_slip_stays BEFORE UPDATE OR DELETE ON stock_slip
    FOR EACH ROW EXECUTE FUNCTION stock_slip_stays();
"""


class Migration(migrations.Migration):
    """Exclusion constraint, triggers, indexes, sequences, row-level security, rights of the pages."""

    dependencies = [("stock", "0001_initial"), ("core", "0008_shipments")]
    operations = [
        migrations.RunSQL(ONE_PLACE, "ALTER TABLE stock_span DROP CONSTRAINT span_one_place"),
        migrations.RunSQL(SPAN_STAYS, "DROP FUNCTION stock_span_stays CASCADE"),
        migrations.RunSQL(ENTRIES_STAY, "DROP FUNCTION stock_entry_stays, stock_entry_balanced CASCADE"),
        migrations.RunSQL(SLIP_STAYS, "DROP FUNCTION stock_slip_stays CASCADE"),
        *(migrations.RunSQL(f"CREATE SEQUENCE {table}_ids CACHE 1", f"DROP SEQUENCE {table}_ids")
          for table in NUMBERED),
        *(migrations.RunSQL(protect(table), migrations.RunSQL.noop) for table in TABLES),
        migrations.RunSQL(share("stock_slip"), migrations.RunSQL.noop),
        *(migrations.RunSQL(allow(rights, table), migrations.RunSQL.noop) for table, rights in (
            ("stock_store", "SELECT, INSERT, UPDATE"), ("stock_box", "SELECT, INSERT"),
            ("stock_slip", "SELECT, INSERT, UPDATE"), ("stock_span", "SELECT, INSERT, UPDATE"),
            ("stock_entry", "SELECT, INSERT"), ("stock_count", "SELECT, INSERT, UPDATE"))),
        *(migrations.RunSQL(allow("USAGE", f"SEQUENCE {table}_ids"), migrations.RunSQL.noop) for table in NUMBERED),
    ]
