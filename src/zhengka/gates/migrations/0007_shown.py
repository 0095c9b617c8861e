"""A card that is shown is looked up, with the key that signed it, by one question, and counted by one more."""

from django.db import migrations

SHOWN = """
CREATE FUNCTION gates_shown(signer bytea, asked bytea) RETURNS TABLE (
    purpose text, suite text, public bytea, not_before date, not_after date, revoked_at timestamptz,
    id bigint, area bigint, state text, certificate text, issued_on date, valid_until date, active_until date)
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN  -- not by SET in the head: that asks for a superuser
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    RETURN QUERY
        SELECT k.purpose, k.suite, k.public, k.not_before, k.not_after, k.revoked_at,
               c.id, c.area, c.state, p.state, c.issued_on, c.valid_until, c.active_until
        FROM (SELECT 1) AS once
        LEFT JOIN keys_key k ON k.key_id = signer
        LEFT JOIN cards_card c ON c.token = asked
        LEFT JOIN registry_certificate p ON p.id = c.certificate_id;
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
REVOKE ALL ON FUNCTION gates_shown(bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gates_shown(bytea, bytea) TO zhengka_web;
"""
"""Of the card that it looks up it tells what a gate must know: no name, no number, no category."""

COUNT = """
CREATE FUNCTION gates_count_check(told_at timestamptz, told_channel text, told_verdict text, told_area bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    INSERT INTO gates_check (at, channel, verdict, area) VALUES (told_at, told_channel, told_verdict, told_area);
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
REVOKE ALL ON FUNCTION gates_count_check(timestamptz, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gates_count_check(timestamptz, text, text, bigint) TO zhengka_web;
"""


class Migration(migrations.Migration):
    """Both functions."""

    dependencies = [("gates", "0006_voucher_promises"), ("cards", "0002_promises"), ("keys", "0003_tree")]
    operations = [
        migrations.RunSQL(SHOWN, "DROP FUNCTION gates_shown(bytea, bytea)"),
        migrations.RunSQL(COUNT, "DROP FUNCTION gates_count_check(timestamptz, text, text, bigint)"),
    ]
