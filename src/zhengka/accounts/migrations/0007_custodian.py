"""Custodians of keys (密钥保管员) have accounts of their own."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.accounts.roles import ROLES


class Migration(migrations.Migration):
    """One role more."""

    dependencies = [("accounts", "0006_standing_in")]
    operations = [
        migrations.RemoveConstraint("officer", "officer_role_known"),
        migrations.RemoveConstraint("officer", "officer_wanted_known"),
        migrations.AlterField("officer", "role", models.TextField(
            choices=[(role, zh) for role, (zh, _) in ROLES.items()])),
        migrations.AddConstraint("officer", models.CheckConstraint(
            condition=Q(role__in=sorted(ROLES)), name="officer_role_known")),
        migrations.AddConstraint("officer", models.CheckConstraint(
            condition=Q(wanted__in=["", *sorted(ROLES)]), name="officer_wanted_known")),
    ]
