"""No card is active whose certificate does not hold, whoever wrote it, and in whichever order two transactions end."""

from django.db import migrations

AS_CERTIFIED = """
CREATE FUNCTION cards_as_certified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM registry_certificate c
        WHERE c.holder_id = NEW.holder_id AND c.state IN ('valid', 'frozen') ORDER BY c.id FOR SHARE;
    IF EXISTS (
        SELECT FROM cards_card k JOIN registry_certificate c ON c.id = k.certificate_id
        WHERE k.holder_id = NEW.holder_id AND k.state = 'active' AND c.state <> 'valid'
          AND NOT (c.state = 'replaced' AND EXISTS (
              SELECT FROM registry_certificate n
              WHERE n.holder_id = k.holder_id AND n.generation = 3 AND n.state = 'valid'))) THEN
        RAISE EXCEPTION 'a card is active whose certificate does not hold'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cards_new_as_certified AFTER INSERT ON cards_card DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'active') EXECUTE FUNCTION cards_as_certified();
CREATE CONSTRAINT TRIGGER cards_as_certified AFTER UPDATE ON cards_card DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'active' AND OLD.state <> 'active') EXECUTE FUNCTION cards_as_certified();
CREATE CONSTRAINT TRIGGER cards_as_certified AFTER UPDATE ON registry_certificate DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.generation = 3 AND OLD.state = 'valid' AND NEW.state <> 'valid')
    EXECUTE FUNCTION cards_as_certified();
"""
"""Asked at the end of a transaction, which stops a certificate first and its cards then. The certificates are locked
before the look: one that another transaction is about to freeze is waited for. A certificate that was replaced is
proved by its card until the new card is activated."""


class Migration(migrations.Migration):
    """A promise over two tables, which no CHECK can hold."""

    dependencies = [("cards", "0007_lapsed"), ("registry", "0007_numbers_in_force")]
    operations = [migrations.RunSQL(AS_CERTIFIED, """
        DROP TRIGGER cards_as_certified ON registry_certificate;
        DROP TRIGGER cards_as_certified ON cards_card;
        DROP TRIGGER cards_new_as_certified ON cards_card;
        DROP FUNCTION cards_as_certified();""")]
