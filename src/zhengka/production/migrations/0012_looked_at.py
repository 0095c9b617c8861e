"""Held cards are decided before a batch is sent, and a sample of it is looked at before any of its cards is ready."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import Q

from zhengka.core.scope import allow

LOOKS = ("number", "code", "chip")
AFTER = ("sent", "received", "closed")
GATE = """
CREATE FUNCTION production_gate_passes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM production_item i JOIN cards_card k ON k.id = i.card_id
               WHERE i.batch_id = NEW.id AND k.state = 'arrived' AND i.outcome = 'good' AND i.checked = ''
                 AND (i.drawn IS NOT NULL OR EXISTS (SELECT FROM production_item f
                                                     WHERE f.batch_id = NEW.id AND f.checked = 'failed'))) THEN
        RAISE EXCEPTION 'a card of the batch was not looked at' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'gate_passes_when_all_was_seen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER production_gate_passes BEFORE UPDATE OF gate ON production_batch
    FOR EACH ROW WHEN (NEW.gate = 'passed') EXECUTE FUNCTION production_gate_passes();
CREATE FUNCTION production_ready_passed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM production_item i JOIN production_batch b ON b.id = i.batch_id
                   WHERE i.card_id = NEW.id AND i.outcome = 'good' AND b.gate = 'passed') THEN
        RAISE EXCEPTION 'the batch of the card was not looked at' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ready_once_its_batch_passed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER production_ready_passed BEFORE UPDATE OF state ON cards_card
    FOR EACH ROW WHEN (OLD.state = 'arrived' AND NEW.state = 'ready') EXECUTE FUNCTION production_ready_passed();
"""
UNDO = """
DROP TRIGGER production_ready_passed ON cards_card; DROP FUNCTION production_ready_passed();
DROP TRIGGER production_gate_passes ON production_batch; DROP FUNCTION production_gate_passes();
"""


def _choices(*words: str) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


class Migration(migrations.Migration):
    """Columns, constraints, two triggers over what no constraint of one row can hold; a page writes what is found."""

    dependencies = [("production", "0011_pictures"), ("cards", "0018_arrived")]
    operations = [
        migrations.AddField("batch", "undecided", models.PositiveIntegerField(
            default=0, db_default=0, help_text="held cards about which nobody has decided yet")),
        migrations.AddField("batch", "gate", models.TextField(
            blank=True, default="", db_default="", choices=_choices("", "sample", "whole", "passed"),
            help_text="how its finished cards are looked at before any is ready")),
        migrations.AddField("item", "decision", models.TextField(
            blank=True, default="", db_default="", choices=_choices("", "released", "shortened", "wait", "out"),
            help_text="what was decided about it while it is held")),
        migrations.AddField("item", "drawn", models.PositiveIntegerField(
            null=True, help_text="place among the cards that are looked at, from 1")),
        migrations.AddField("item", "seen", ArrayField(
            models.TextField(), default=list, db_default=[], help_text="what of it was looked at and matched")),
        migrations.AddField("item", "checked", models.TextField(
            blank=True, default="", db_default="", choices=_choices("", "passed", "failed"),
            help_text="what came of looking at it")),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=~Q(state__in=AFTER) | Q(undecided=0), name="batch_sent_is_decided")),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=~Q(state="closed") | Q(gate__in=("", "passed")), name="batch_closed_was_looked_at")),
        migrations.AddConstraint("item", models.UniqueConstraint(fields=["batch", "drawn"], name="item_drawn_once")),
        migrations.AddConstraint("item", models.CheckConstraint(
            condition=~Q(checked="passed") | Q(drawn__isnull=False, seen__contains=list(LOOKS)),
            name="item_passed_was_seen")),
        migrations.RunSQL(GATE, UNDO),
        migrations.RunSQL(allow("SELECT, INSERT", "production_finding"), migrations.RunSQL.noop),
    ]
