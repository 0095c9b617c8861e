"""A key pair to which others wrap keys for us; a ceremony may bring a key in that came wrapped. A key says whether a
ceremony made it.
"""

from django.db import migrations, models
from django.db.models import Q

PURPOSES = ("authority", "credential", "status", "batch", "transcript", "transport", "card_master", "blank_card",
            "status_index")


BY_CEREMONY = """
WITH RECURSIVE held AS (
    SELECT key_id AS id FROM keys_ceremony WHERE state = 'done' AND aim IN ('generate', 'rotate', 'import')
    UNION SELECT k.id FROM keys_key k JOIN held h ON k.parent_id = h.id WHERE k.rule <> ''
)
UPDATE keys_key SET by_ceremony = true WHERE id IN (SELECT id FROM held)
"""


class Migration(migrations.Migration):
    """One more purpose; a wrapped key is taken in only with a check value that came on another way."""

    dependencies = [("keys", "0004_ceremonies")]
    operations = [
        migrations.AlterField("key", "purpose", models.TextField(choices=[(one, one) for one in PURPOSES])),
        migrations.AlterField("key", "public", models.BinaryField(
            null=True, help_text="uncompressed point, 65 bytes, of a key pair")),
        migrations.AlterField("ceremony", "transport", models.BinaryField(
            null=True, help_text="public key under which the key leaves or came, 65 bytes")),
        migrations.AddField("key", "by_ceremony", models.BooleanField(
            default=False, help_text="made or brought in by a ceremony, or drawn from such a key; else the platform "
                                     "made it alone, at first use")),
        migrations.RunSQL(BY_CEREMONY, migrations.RunSQL.noop),
        migrations.RemoveConstraint("key", "key_purpose_known"),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=Q(purpose__in=PURPOSES), name="key_purpose_known")),
        migrations.RemoveConstraint("ceremony", "ceremony_wraps_on_export"),
        migrations.AddConstraint("ceremony", models.CheckConstraint(
            condition=Q(wrapped=None) | Q(aim="export") | Q(aim="import", transport__isnull=False) & ~Q(check_value=""),
            name="ceremony_wrapped_and_told")),
    ]
