"""What the database itself keeps for this room: ids unique across provinces, letters seen only in one's own area, and
from the site only new letters and what an officer's steps change: the words of a letter stay as they were written.
"""

from django.db import migrations

from zhengka.core.scope import ROLE, allow, protect


class Migration(migrations.Migration):
    """Sequence, row-level security, rights of the web's role."""

    dependencies = [("letters", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE letters_letter_ids CACHE 1", "DROP SEQUENCE letters_letter_ids"),
        migrations.RunSQL([
            protect("letters_letter"),
            allow("SELECT, INSERT", "letters_letter"),
            "GRANT UPDATE (state, version, tries, sender, problem, run, queued_at, sent_at, retry_at) "
            f"ON letters_letter TO {ROLE}",
            allow("USAGE", "SEQUENCE letters_letter_ids"),
        ], migrations.RunSQL.noop),
    ]
