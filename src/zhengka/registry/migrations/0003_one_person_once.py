"""One index keeps a person once, and one finds the certificates of a holder and keeps the valid one alone (ADR 7)."""

import django.db.models.deletion
from django.db import migrations, models

VALID_ONCE = models.Case(models.When(state="valid", then=models.Value(0, models.BigIntegerField())),
                         default=models.F("id"))


class Migration(migrations.Migration):
    """Fewer indexes to keep up at each import."""

    dependencies = [("areas", "0001_initial"), ("registry", "0002_promises")]
    operations = [
        migrations.DeleteModel(name="PersonKey"),
        migrations.RemoveConstraint(model_name="certificate", name="certificate_valid_once"),
        migrations.AlterField(
            model_name="certificate", name="holder",
            field=models.ForeignKey(db_constraint=False, db_index=False, to="registry.holder",
                                    on_delete=django.db.models.deletion.PROTECT, related_name="certificates")),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(models.F("holder"), models.F("generation"), VALID_ONCE,
                                               name="certificate_valid_once")),
    ]
