"""A number is there once among certificates in force: who comes back to a category and grade has the number again."""

from django.db import migrations, models

ONE_IN_FORCE = models.Case(models.When(state__in=("valid", "frozen"), then=models.Value(0, models.BigIntegerField())),
                           default=models.F("id"))


class Migration(migrations.Migration):
    """The index over numbers keeps one in force, and still finds a person by an old one."""

    dependencies = [("registry", "0006_neighbours")]
    operations = [
        migrations.RemoveConstraint("certificate", "certificate_number_once"),
        migrations.AddConstraint("certificate", models.UniqueConstraint(
            models.F("number_index"), models.F("generation"), ONE_IN_FORCE, name="certificate_number_once")),
    ]
