"""Why a certificate is frozen is kept on its row: only that reason's own end lifts it."""

from django.db import migrations, models
from django.db.models import Q

FROZEN_FOR = ("death-reported", "under-inquiry", "left-behind", "left-the-area")
KNOWN = """
SELECT set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true);
UPDATE registry_certificate c SET frozen_for = CASE WHEN EXISTS (
    SELECT FROM core_event e WHERE e.subject = 'certificate' AND e.subject_id = c.id AND e.version = c.version
        AND e.action = 'freeze' AND e.actor_id IS NULL) THEN 'left-behind' ELSE 'under-inquiry' END
WHERE c.state = 'frozen'
"""
"""What the clock froze has no officer in its event. Of the others nobody knows any more: they are taken for what two
persons alone lift."""


class Migration(migrations.Migration):
    """One column, and what it may hold."""

    dependencies = [("registry", "0007_numbers_in_force"), ("core", "0007_parts_of_imports")]
    operations = [
        migrations.AddField("certificate", "frozen_for", models.TextField(
            blank=True, default="", db_default="", help_text="code: why it is frozen, or was when it was cancelled")),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.AddConstraint("certificate", models.CheckConstraint(
            condition=Q(state="frozen", frozen_for__in=FROZEN_FOR)
            | Q(state="cancelled", frozen_for__in=("", *FROZEN_FOR))
            | (~Q(state__in=("frozen", "cancelled")) & Q(frozen_for="")), name="certificate_frozen_for_a_reason")),
    ]
