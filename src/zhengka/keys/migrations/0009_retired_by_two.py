"""A key on which cards depend is retired by a ceremony that says why."""

from django.db import migrations, models
from django.db.models import Q

KINDS = ("generate", "import", "export", "rotate", "destroy", "recover", "revoke", "retire")


class Migration(migrations.Migration):
    """One more kind of ceremony, and its reason."""

    dependencies = [("keys", "0008_channel")]
    operations = [
        migrations.RemoveConstraint("ceremony", "ceremony_kind_known"),
        migrations.AlterField("ceremony", "aim", models.TextField(choices=[(kind, kind) for kind in KINDS])),
        migrations.AddConstraint("ceremony", models.CheckConstraint(
            condition=Q(aim__in=KINDS), name="ceremony_kind_known")),
        migrations.AddField("ceremony", "reason", models.TextField(
            blank=True, default="", help_text="why a key is retired on which cards depend"), preserve_default=False),
        migrations.AddConstraint("ceremony", models.CheckConstraint(
            condition=Q(aim="retire") & ~Q(reason="") | ~Q(aim="retire") & Q(reason=""),
            name="ceremony_retires_for_a_reason")),
    ]
