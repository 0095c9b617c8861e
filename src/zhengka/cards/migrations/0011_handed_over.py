"""No card is handed over whose certificate does not hold, whoever wrote it."""

from django.db import migrations

HANDED_OVER = """
CREATE FUNCTION cards_handed_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM registry_certificate c WHERE c.id = NEW.certificate_id FOR SHARE;
    IF NOT EXISTS (SELECT FROM registry_certificate c WHERE c.id = NEW.certificate_id AND c.state = 'valid') THEN
        RAISE EXCEPTION 'a card is handed over whose certificate does not hold'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cards_handed_over AFTER UPDATE OF state ON cards_card
    FOR EACH ROW WHEN (NEW.state = 'issued' AND OLD.state <> 'issued') EXECUTE FUNCTION cards_handed_over();
"""
"""The certificate is locked before the look, as `registry.services.hold` does for who hands over: one that another
transaction is about to freeze is waited for."""


class Migration(migrations.Migration):
    """A promise over two tables, which no CHECK can hold."""

    dependencies = [("cards", "0010_chip_orders_asked"), ("registry", "0008_frozen_for")]
    operations = [migrations.RunSQL(HANDED_OVER, """
        DROP TRIGGER cards_handed_over ON cards_card;
        DROP FUNCTION cards_handed_over();""")]
