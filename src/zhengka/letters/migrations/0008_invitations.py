"""One more kind of letter: the exchange was opened, and the holder is asked to come for it."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.letters.rules import KINDS


class Migration(migrations.Migration):
    """The names of letters that a row may have."""

    dependencies = [("letters", "0007_whole")]
    operations = [
        migrations.RemoveConstraint("letter", "letter_template_known"),
        migrations.AddConstraint("letter", models.CheckConstraint(
            condition=Q(template__in=sorted(KINDS)), name="letter_template_known")),
    ]
