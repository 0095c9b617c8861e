"""Who waits for the exchange and was never written to is noted, as it is since then when the exchange is opened."""

from django.db import migrations

NOTE = """
INSERT INTO letters_unwritten (area, shared_with, subject, subject_id, template, occasion, channel, reason, slot, at)
SELECT area, shared_with, 'case', id, 'exchange-opened', 'once', 'print', 'letter-not-asked', '', now()
FROM cases_case c
WHERE kind_of_case = 'exchange' AND state = 'notified' AND ended_at IS NULL AND NOT EXISTS (
    SELECT FROM letters_letter l
    WHERE l.subject = 'case' AND l.subject_id = c.id AND l.template = 'exchange-opened')
ON CONFLICT DO NOTHING"""


class Migration(migrations.Migration):
    """Rows only: the table is that of the letters."""

    dependencies = [("cases", "0015_search"), ("letters", "0009_settled")]
    operations = [migrations.RunSQL(
        ["SET LOCAL app.lo = '0'", "SET LOCAL app.hi = '999999999999'", NOTE], migrations.RunSQL.noop)]
