"""Numbers that are left out after a restore: no page reads them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Gaps."""

    dependencies = [("cards", "0003_web_rights")]
    operations = [
        migrations.CreateModel("gap", [
            ("state", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("first_serial", models.PositiveIntegerField()),
            ("last_serial", models.PositiveIntegerField()),
            ("first_place", models.PositiveIntegerField()),
            ("last_place", models.PositiveIntegerField()),
            ("at", models.DateTimeField()),
        ], options={"constraints": [
            models.CheckConstraint(condition=models.Q(
                first_serial__lte=models.F("last_serial"), first_place__lte=models.F("last_place")),
                name="gap_ordered"),
            models.CheckConstraint(condition=models.Q(state__in=["left_out"]), name="gap_state_known"),
        ]}),
    ]
