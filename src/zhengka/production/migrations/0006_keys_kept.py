"""A batch keeps the master versions with which its preparation began, says why that failed, and can be given up."""

import django.contrib.postgres.fields
from django.db import migrations, models

from zhengka.core.scope import ROLE
from zhengka.production.workflow import FINDINGS


class Migration(migrations.Migration):
    """Batches that are being prepared when this comes keep nothing: their chunks use the masters that work.

    Who gives a batch up takes the lease from workers that still have one.
    """

    dependencies = [("production", "0005_shown"), ("cards", "0013_key_groups")]
    operations = [
        migrations.AddField("batch", "keys", django.contrib.postgres.fields.ArrayField(
            models.BigIntegerField(), default=list,
            help_text="row ids of the masters that it keeps from the beginning of its preparation")),
        migrations.AddField("batch", "problem", models.TextField(
            blank=True, default="", help_text="code of what its preparation failed by last"), preserve_default=False),
        migrations.AlterField("finding", "code", models.TextField(choices=list(FINDINGS.items()))),
        migrations.RunSQL(f"GRANT UPDATE (lease) ON production_chunk TO {ROLE}", migrations.RunSQL.noop),
    ]
