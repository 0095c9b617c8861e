"""A key is revoked by a ceremony, and works no more."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("generate", "import", "export", "rotate", "destroy", "recover", "revoke")
OVER = "UPDATE keys_key SET state = 'retired' WHERE revoked_at IS NOT NULL AND state <> 'destroyed'"
"""A key that was revoked by hand before there was this step."""


class Migration(migrations.Migration):
    dependencies = [("keys", "0006_version_on_chips")]

    operations = [
        migrations.RunSQL(OVER, migrations.RunSQL.noop),
        migrations.RemoveConstraint("ceremony", "ceremony_kind_known"),
        migrations.AlterField("ceremony", "aim", models.TextField(choices=[(kind, kind) for kind in KINDS])),
        migrations.AddConstraint("ceremony", models.CheckConstraint(
            condition=Q(aim__in=KINDS), name="ceremony_kind_known")),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=Q(revoked_at=None) | Q(state__in=("retired", "destroyed"), public__isnull=False),
            name="key_revoked_is_over")),
    ]
