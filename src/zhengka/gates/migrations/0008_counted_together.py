"""Checks by programs are counted by one statement for many."""

from django.db import migrations

ONE = "gates_count_check(timestamptz, text, text, bigint)"
MANY = """
CREATE FUNCTION gates_count_checks(times timestamptz[], channels text[], verdicts text[], areas bigint[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    INSERT INTO gates_check (at, channel, verdict, area)
        SELECT * FROM unnest(times, channels, verdicts, areas);
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
REVOKE ALL ON FUNCTION gates_count_checks(timestamptz[], text[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gates_count_checks(timestamptz[], text[], text[], bigint[]) TO zhengka_web;
"""


class Migration(migrations.Migration):
    """The function for many takes the place of the one for one."""

    dependencies = [("gates", "0007_shown")]
    operations = [
        migrations.RunSQL(MANY, "DROP FUNCTION gates_count_checks(timestamptz[], text[], text[], bigint[])"),
        migrations.RunSQL(f"DROP FUNCTION {ONE}", migrations.RunSQL.noop),
    ]
