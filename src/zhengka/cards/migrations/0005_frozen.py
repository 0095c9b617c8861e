"""Cards whose certificate is frozen are refused for a time."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.cards.workflow import CARD


class Migration(migrations.Migration):
    """One state more."""

    dependencies = [("cards", "0004_gaps")]
    operations = [
        migrations.RemoveConstraint("card", "card_state_known"),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state__in=sorted(CARD.states)), name="card_state_known")),
    ]
