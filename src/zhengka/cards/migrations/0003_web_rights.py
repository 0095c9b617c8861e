"""What the pages need of the cards: they draw no serial and no place in a status list."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role."""

    dependencies = [("cards", "0002_promises"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT, INSERT, UPDATE", "cards_card"),
        allow("SELECT", "cards_statuspublication"),
        allow("USAGE", "SEQUENCE cards_card_ids"),
    ], migrations.RunSQL.noop)]
