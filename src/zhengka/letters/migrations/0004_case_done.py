"""One kind of letter more: 办结通知."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.letters.rules import KINDS


class Migration(migrations.Migration):
    """The names of letters that a row may have."""

    dependencies = [("letters", "0003_shared")]
    operations = [
        migrations.RemoveConstraint("letter", "letter_template_known"),
        migrations.AddConstraint("letter", models.CheckConstraint(
            condition=Q(template__in=sorted(KINDS)), name="letter_template_known")),
    ]
