"""A batch is released by two persons: who had it prepared, and another one who sent it."""

from django.db import migrations, models
from django.db.models import F, Q

TABLES = ("production_batch", "core_event")
"""What is read and written across all areas."""
KNOWN = """
UPDATE production_batch b SET prepared_person = coalesce((
    SELECT e.person FROM core_event e WHERE e.subject = 'batch' AND e.subject_id = b.id AND e.action = 'prepare'), ''),
    sent_person = coalesce((
    SELECT e.person FROM core_event e WHERE e.subject = 'batch' AND e.subject_id = b.id AND e.action = 'send'), '')
"""
"""Who prepared and sent the batches that there are, as their events tell it."""
BEFORE = "UPDATE production_batch SET prepared_person = '' WHERE sent_person <> '' AND sent_person = prepared_person"
"""Of one that the same person prepared and sent, when that was allowed, the events tell it and the row does not."""


class Migration(migrations.Migration):
    """Two columns, and the promise that no batch goes to a card maker by one person alone."""

    dependencies = [("production", "0006_keys_kept"), ("core", "0001_initial")]
    operations = [
        migrations.AddField("batch", "prepared_person", models.TextField(
            blank=True, default="", db_default="", help_text="who had it prepared")),
        migrations.AddField("batch", "sent_person", models.TextField(
            blank=True, default="", db_default="", help_text="who sent it: another one")),
        migrations.RunSQL([f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in TABLES],
                          migrations.RunSQL.noop),
        migrations.RunSQL([KNOWN, BEFORE], migrations.RunSQL.noop),
        migrations.RunSQL([f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TABLES],
                          migrations.RunSQL.noop),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=Q(state__in=("sent", "received", "closed")) & ~Q(sent_person="")
            & ~Q(sent_person=F("prepared_person"))
            | ~Q(state__in=("sent", "received", "closed")) & Q(sent_person=""), name="batch_sent_by_two")),
    ]
