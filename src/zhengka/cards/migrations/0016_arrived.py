"""Cards that came from their maker and are looked at before any is ready."""

from django.db import migrations, models
from django.db.models import Q

from zhengka.cards.workflow import CARD, IN_PRODUCTION


class Migration(migrations.Migration):
    """One state more, in which a card is on its way as well."""

    dependencies = [("cards", "0015_face")]
    operations = [
        migrations.RemoveConstraint("card", "card_state_known"),
        migrations.AddConstraint("card", models.CheckConstraint(
            condition=Q(state__in=sorted(CARD.states)), name="card_state_known")),
        migrations.RemoveConstraint("card", "card_on_its_way_once"),
        migrations.AddConstraint("card", models.UniqueConstraint(
            fields=["holder"], condition=Q(state__in=IN_PRODUCTION), name="card_on_its_way_once")),
    ]
