"""Of accounts of offices above, who may take a step is named, and no row of theirs is seen any more."""

from django.db import migrations

ABLE = """
CREATE FUNCTION accounts_able(roles text[], code bigint, last bigint, day date, but text, most int)
RETURNS TABLE (id bigint, name text, role text, area bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public AS $$
DECLARE
    lo text := coalesce(current_setting('app.lo', true), '');
    hi text := coalesce(current_setting('app.hi', true), '');
BEGIN
    PERFORM set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
    RETURN QUERY SELECT o.id, o.name, o.role, o.area FROM accounts_officer o JOIN areas_area a ON a.code = o.area
        WHERE o.state = 'active' AND o.person <> but AND a.code <= accounts_able.code AND a.last >= accounts_able.last
        AND (o.role = ANY(roles) OR EXISTS (
            SELECT FROM accounts_delegation d WHERE d.deputy_id = o.id AND d.state = 'lent' AND d.role = ANY(roles)
            AND d.first_day <= day AND d.last_day >= day))
        ORDER BY a.last - a.code, o.name, o.id LIMIT most;
    PERFORM set_config('app.lo', lo, true), set_config('app.hi', hi, true);
END $$;
GRANT EXECUTE ON FUNCTION accounts_able(text[], bigint, bigint, date, text, int) TO zhengka_web;
"""
"""The office above is asked by name: neither login names and staff numbers nor who gave whom which role are told."""
OLD = """
CREATE POLICY above ON accounts_officer FOR SELECT USING (EXISTS (
    SELECT FROM areas_area a WHERE a.code = accounts_officer.area
    AND a.code <= nullif(current_setting('app.lo', true), '')::bigint
    AND a.last >= nullif(current_setting('app.hi', true), '')::bigint))
"""


class Migration(migrations.Migration):
    """A function in place of a policy."""

    dependencies = [("accounts", "0009_passwords_apart")]
    operations = [
        migrations.RunSQL(ABLE, "DROP FUNCTION accounts_able(text[], bigint, bigint, date, text, int)"),
        migrations.RunSQL("DROP POLICY above ON accounts_officer", OLD),
    ]
