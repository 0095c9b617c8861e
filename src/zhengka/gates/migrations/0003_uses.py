"""Cards whose use counts as their activation, from the check to the night: the site adds one and reads none."""

import django.db.models.deletion
from django.db import migrations, models

from zhengka.core.scope import allow, protect


class Migration(migrations.Migration):
    """A table, seen only by the office of the card."""

    dependencies = [("gates", "0002_promises"), ("cards", "0004_gaps")]
    operations = [
        migrations.CreateModel("use", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area", models.BigIntegerField(help_text="issuing office of the card")),
            ("at", models.DateTimeField()),
            ("card", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT,
                                       related_name="+", to="cards.card")),
        ], options={"constraints": [models.UniqueConstraint(fields=["card"], name="use_once_a_card")]}),
        migrations.RunSQL([protect("gates_use"), allow("INSERT", "gates_use")], migrations.RunSQL.noop),
    ]
