"""A key that all provinces hang on is retired at work by a ceremony of two, and by nobody alone."""

from django.db import migrations

PROMISE = """
CREATE FUNCTION keys_nation_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM keys_ceremony WHERE key_id = NEW.id AND aim IN ('retire', 'revoke')
                   AND state = 'finishing') THEN
        RAISE EXCEPTION 'key_nation_by_two: % is retired by two custodians', NEW.label
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER nation_by_two AFTER UPDATE OF state ON keys_key FOR EACH ROW
    WHEN (OLD.state = 'active' AND NEW.state = 'retired' AND NEW.area = 0
          AND NEW.purpose IN ('authority', 'card_master', 'blank_card', 'channel'))
    EXECUTE FUNCTION keys_nation_by_two();
"""
"""One that was replaced is retired by the calendar, too, when its overlap is over: the database knows no calendar."""


class Migration(migrations.Migration):
    """One trigger."""

    dependencies = [("keys", "0009_retired_by_two")]
    operations = [migrations.RunSQL(
        PROMISE, "DROP TRIGGER nation_by_two ON keys_key; DROP FUNCTION keys_nation_by_two")]
