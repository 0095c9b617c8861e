"""What the database itself keeps for this room: ids unique across provinces, rows seen only in one's own area, and what
the pages may do: papers and portraits come, move on and are never removed."""

from django.db import migrations

from zhengka.core.scope import allow, protect


class Migration(migrations.Migration):
    """Sequences, row-level security, rights of the web's role."""

    dependencies = [("papers", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE papers_paper_ids CACHE 1", "DROP SEQUENCE papers_paper_ids"),
        migrations.RunSQL("CREATE SEQUENCE papers_portrait_ids CACHE 1", "DROP SEQUENCE papers_portrait_ids"),
        migrations.RunSQL([protect("papers_paper"), protect("papers_portrait")], migrations.RunSQL.noop),
        migrations.RunSQL([
            allow("SELECT, INSERT, UPDATE", "papers_paper, papers_portrait"),
            allow("USAGE", "SEQUENCE papers_paper_ids, papers_portrait_ids"),
        ], migrations.RunSQL.noop),
    ]
