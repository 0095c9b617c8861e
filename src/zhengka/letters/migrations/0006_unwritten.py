"""Letters that could not be written leave a row behind, which the offices of a case see."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import allow, protect, share
from zhengka.letters.rules import UNREACHED


class Migration(migrations.Migration):
    """The table, its wall, the rights of the web's role: what was noted once stays."""

    dependencies = [("letters", "0005_more_kinds")]
    operations = [
        migrations.CreateModel("Unwritten", [
            ("shared_with", models.BigIntegerField(
                null=True, editable=False, help_text="12-digit code of another office that sees the row")),
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area", models.BigIntegerField(help_text="12-digit code of the office whose letter it would have been")),
            ("subject", models.TextField(
                help_text="what it would have been about: kind of a row, such as case or card")),
            ("subject_id", models.BigIntegerField()),
            ("template", models.TextField(help_text="kind of letter: a name of letters.rules.KINDS")),
            ("occasion", models.TextField(help_text="which time, as of a letter")),
            ("channel", models.TextField()),
            ("reason", models.TextField(help_text="code of the refusal, one of letters.rules.UNREACHED")),
            ("slot", models.TextField(blank=True, help_text="what did not fit: a slot of the letter, name or address")),
            ("at", models.DateTimeField()),
        ]),
        migrations.AddConstraint("unwritten", models.UniqueConstraint(
            fields=["subject_id", "template", "occasion", "channel", "subject"], name="unwritten_once_per_occasion")),
        migrations.AddConstraint("unwritten", models.CheckConstraint(
            condition=Q(reason__in=sorted(UNREACHED)), name="unwritten_reason_known")),
        migrations.RunSQL([protect("letters_unwritten"), share("letters_unwritten"),
                           allow("SELECT, INSERT", "letters_unwritten")], migrations.RunSQL.noop),
    ]
