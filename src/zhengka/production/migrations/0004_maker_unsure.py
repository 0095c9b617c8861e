"""A maker may say that it does not know what became of a card: one more code of a finding."""

from django.db import migrations, models

from zhengka.production.workflow import FINDINGS


class Migration(migrations.Migration):
    """The list of codes; the column stays as it is."""

    dependencies = [("production", "0003_walls")]
    operations = [
        migrations.AlterField("finding", "code", models.TextField(choices=list(FINDINGS.items()))),
    ]
