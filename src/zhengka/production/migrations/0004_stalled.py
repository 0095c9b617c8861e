"""A batch may say that its preparation failed at every try; a card may have ended while it was made."""

from django.db import migrations, models

from zhengka.core.models import state_check
from zhengka.production.workflow import BATCH, FINDINGS


class Migration(migrations.Migration):
    """The database's own list of states, and the kinds of findings."""

    dependencies = [("production", "0003_walls")]
    operations = [
        migrations.RemoveConstraint("batch", "batch_state_known"),
        migrations.AddConstraint("batch", state_check(BATCH)),
        migrations.AlterField("finding", "code", models.TextField(choices=list(FINDINGS.items()))),
    ]
