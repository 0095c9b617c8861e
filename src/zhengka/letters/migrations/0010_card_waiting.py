"""One more kind of letter: a card waits to be collected."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.letters.rules import KINDS


class Migration(migrations.Migration):
    """The names of letters that a row may have."""

    dependencies = [("letters", "0009_settled")]
    operations = [
        migrations.RemoveConstraint("letter", "letter_template_known"),
        migrations.AddConstraint("letter", models.CheckConstraint(
            condition=Q(template__in=sorted(KINDS)), name="letter_template_known")),
    ]
