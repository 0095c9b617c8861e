"""A letter that could not be written is settled by a later one of its kind; what is missing is quickly found."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import allow
from zhengka.letters.rules import UNREACHED

SETTLED = """
UPDATE letters_unwritten u SET settled_at = l.written_at
FROM (SELECT subject, subject_id, template, max(written_at) AS written_at FROM letters_letter
      WHERE state <> 'cancelled' GROUP BY subject, subject_id, template) l
WHERE (l.subject, l.subject_id, l.template) = (u.subject, u.subject_id, u.template) AND l.written_at > u.at"""


class Migration(migrations.Migration):
    """One column, which the web's role may set, and one more reason; what was settled before it."""

    dependencies = [("letters", "0008_invitations")]
    operations = [
        migrations.AddField("unwritten", "settled_at", models.DateTimeField(
            null=True, help_text="since when nothing is missing any more")),
        migrations.RemoveConstraint("unwritten", "unwritten_reason_known"),
        migrations.AddConstraint("unwritten", models.CheckConstraint(
            condition=Q(reason__in=sorted(UNREACHED)), name="unwritten_reason_known")),
        migrations.RunSQL([
            "SET LOCAL app.lo = '0'", "SET LOCAL app.hi = '999999999999'", SETTLED,
            allow("SELECT, INSERT, UPDATE (settled_at)", "letters_unwritten")], migrations.RunSQL.noop),
        migrations.AddIndex("unwritten", models.Index(
            fields=["template", "area", "id"], condition=Q(settled_at__isnull=True), name="unwritten_by_kind")),
        migrations.AddIndex("unwritten", models.Index(
            fields=["id"], condition=Q(settled_at__isnull=True), name="unwritten_newest")),
    ]
