"""Each card names the key versions under which it was made. Of cards made before this, nobody wrote it down."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """A table of groups, which pages read and an upgrade of a chip adds to; a card's own; the index for counts."""

    dependencies = [("cards", "0012_destroyed_by_two")]
    operations = [
        migrations.CreateModel("KeyGroup", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("keys", django.contrib.postgres.fields.ArrayField(
                models.BigIntegerField(), unique=True, help_text="row ids of key versions, ascending")),
        ]),
        migrations.AddField("card", "key_group", models.ForeignKey(
            "cards.keygroup", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", db_index=False,
            help_text="key versions under which it was prepared or upgraded; empty before")),
        migrations.AddIndex("card", models.Index(fields=["key_group", "state", "area"], name="card_by_keys")),
        migrations.RunSQL(allow("SELECT, INSERT", "cards_keygroup"), migrations.RunSQL.noop),
    ]
