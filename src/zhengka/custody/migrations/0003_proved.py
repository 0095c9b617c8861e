"""Receipts that name the list which holders signed by hand, why a name was typed, and an agent's signature; no card
that was in custody is handed over without a receipt, and no case of a late parcel is cleared up before it has moved.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

WHY_TYPED = ("hand", "screen", "sight", "writing")
PROVED = """
CREATE FUNCTION custody_hand_over_proved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM custody_keeping k WHERE k.card_id = NEW.id)
       AND NOT EXISTS (SELECT FROM custody_receipt r WHERE r.card_id = NEW.id) THEN
        RAISE EXCEPTION 'a card is handed over without a receipt' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'hand_over_has_a_receipt';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER custody_hand_over_proved AFTER UPDATE OF state ON cards_card DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state = 'ready' AND NEW.state = 'issued') EXECUTE FUNCTION custody_hand_over_proved();
"""
"""Of a card that never came into custody (made at a desk, handed out there) this room says nothing."""
MOVED = """
CREATE FUNCTION custody_settled_once_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM custody_stay s WHERE s.parcel_id = NEW.parcel_id AND s.until IS NULL
               AND 'parcel-late:' || s.id = NEW.alarm) THEN
        RAISE EXCEPTION 'the parcel is late still' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'late_case_settled_once_moved';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_settled_once_moved BEFORE UPDATE OF state ON custody_trouble
    FOR EACH ROW WHEN (NEW.state = 'settled' AND NEW.sort = 'parcel-late')
    EXECUTE FUNCTION custody_settled_once_moved();
"""


class Migration(migrations.Migration):
    """What a receipt proves is held of every new one (`NOT VALID`): those that were written before stay as they are."""

    dependencies = [("custody", "0002_promises"), ("cards", "0018_arrived")]
    operations = [
        migrations.AddField("receipt", "why_typed", models.TextField(
            blank=True, default="", help_text="why nobody signed: of `workflow.WHY_TYPED`"), preserve_default=False),
        migrations.AddField("receipt", "list_number", models.TextField(
            blank=True, default="", help_text="of the list that holders signed by hand (签领单)"),
            preserve_default=False),
        migrations.AddField("receipt", "list_day", models.DateField(null=True, help_text="on which it was signed")),
        migrations.AlterField("receipt", "proof", models.TextField(choices=[
            ("chip", "读卡并核对照片"), ("signature", "屏幕签名"), ("typed", "键入姓名确认"), ("list", "纸质签领单")])),
        migrations.RemoveConstraint("receipt", "receipt_proof_known"),
        migrations.AddConstraint("receipt", models.CheckConstraint(
            condition=Q(proof__in=["chip", "list", "signature", "typed"]), name="receipt_proof_known")),
        migrations.RemoveConstraint("receipt", "receipt_is_proved"),
        AddConstraintNotValid("receipt", models.CheckConstraint(
            condition=Q(proof="chip", matched=True, reading__isnull=False, signature="", typed=b"") & ~Q(way="agent")
            | Q(proof="chip", way="agent", matched=False, reading__isnull=False, typed=b"") & ~Q(signature="")
            | Q(proof="signature", matched=False, typed=b"") & ~Q(signature="")
            | Q(proof="typed", matched=False, signature="", why_typed__in=WHY_TYPED) & ~Q(typed=b"")
            | Q(proof="list", way__in=("counter", "home"), matched=False, reading=None, signature="", typed=b""),
            name="receipt_is_proved")),
        migrations.AddConstraint("receipt", models.CheckConstraint(
            condition=Q(proof="list", list_day__isnull=False) & ~Q(list_number="")
            | ~Q(proof="list") & Q(list_day=None, list_number=""), name="receipt_names_the_list")),
        migrations.RunSQL(PROVED, "DROP TRIGGER custody_hand_over_proved ON cards_card; "
                                  "DROP FUNCTION custody_hand_over_proved()"),
        migrations.RunSQL(MOVED, "DROP TRIGGER custody_settled_once_moved ON custody_trouble; "
                                 "DROP FUNCTION custody_settled_once_moved()"),
    ]
