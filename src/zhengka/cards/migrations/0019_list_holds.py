"""Mass blocks wait for two persons (I13), bundles have versions, and gates say which list they have."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q, Value

from zhengka.core.scope import ROLE, allow, protect

THRESHOLD = """
CREATE FUNCTION cards_few_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.newly > 500 AND NEW.newly > 0.005 * (SELECT count(*) FROM cards_card WHERE state = 'active') THEN
        RAISE EXCEPTION 'a status list would block too many cards at once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_few_blocks BEFORE INSERT OR UPDATE OF newly ON cards_statuspublication
    FOR EACH ROW EXECUTE FUNCTION cards_few_blocks();
"""
"""The figures of `rules.most_blocked`, a second time."""


class Migration(migrations.Migration):
    """Five tables with their walls and rights, and what a version says of the blocks in it."""

    dependencies = [
        ('cards', '0018_arrived'),
    ]

    operations = [
        migrations.CreateModel("BundlePublication", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("bundle", models.TextField(help_text="public, or the operator's code")),
            ("number", models.PositiveBigIntegerField(help_text="monotonic version of the bundle")),
            ("published_at", models.DateTimeField()),
            ("content", models.TextField(help_text="digest of what it names, by which a repeat is known")),
            ("digest", models.TextField(blank=True,
                                        help_text="SHA-256 of the signed manifest; empty until published")),
            ("size", models.PositiveIntegerField(default=0)),
        ], options={"constraints": [models.UniqueConstraint(fields=["bundle", "number"], name="bundle_version_once")]}),
        migrations.CreateModel("ListHold", [
            ("state", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area_id", models.BigIntegerField(db_column="area",
                                               help_text="the smallest area in which all of its cards are")),
            ("at", models.DateTimeField()),
            ("cards", models.PositiveIntegerField()),
            ("asked_person", models.TextField(blank=True, default="", help_text="who asked that it is released")),
            ("released_person", models.TextField(blank=True, default="", help_text="who released it: another one")),
            ("ended_at", models.DateTimeField(null=True)),
        ], options={"constraints": [
            models.CheckConstraint(condition=Q(state="released") & ~Q(asked_person="") & ~Q(released_person="")
                                   & ~Q(released_person=F("asked_person"))
                                   | ~Q(state="released") & Q(released_person=""), name="list_hold_released_by_two"),
            models.CheckConstraint(condition=Q(state__in=("released", "undone"), ended_at__isnull=False)
                                   | ~Q(state__in=("released", "undone")) & Q(ended_at__isnull=True),
                                   name="list_hold_ended"),
            models.CheckConstraint(condition=Q(cards__gt=0), name="list_hold_of_cards"),
            models.CheckConstraint(condition=Q(state__in=["asked", "held", "released", "undone"]),
                                   name="list_hold_state_known"),
        ]}),
        migrations.CreateModel("HeldBack", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("hold", models.ForeignKey("cards.listhold", on_delete=django.db.models.deletion.PROTECT,
                                       related_name="held")),
            ("card", models.ForeignKey("cards.card", on_delete=django.db.models.deletion.PROTECT, related_name="+")),
            ("area", models.BigIntegerField(help_text="issuing office of the card")),
            ("cause", models.TextField(help_text="by which act and whom it was blocked")),
            ("out_at", models.DateTimeField(null=True)),
        ], options={"constraints": [
            models.UniqueConstraint(fields=["card"], condition=Q(out_at__isnull=True), name="held_back_once")]}),
        migrations.CreateModel("LossTold", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area", models.BigIntegerField(help_text="issuing office of the card")),
            ("list_number", models.PositiveIntegerField()),
            ("number", models.PositiveBigIntegerField(help_text="first version that tells of it")),
            ("reported_at", models.DateTimeField()),
            ("written_at", models.DateTimeField()),
        ], options={
            "constraints": [models.CheckConstraint(condition=Q(written_at__gte=F("reported_at")),
                                                   name="loss_told_after_report")],
            "indexes": [models.Index(fields=["reported_at"], name="loss_told_by_time")]}),
        migrations.CreateModel("ListReceipt", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("operator", models.TextField(help_text="code of the operator")),
            ("gate", models.BigIntegerField(default=0,
                                            help_text="the gate's row id as a device; 0: the operator itself")),
            ("list_number", models.PositiveIntegerField()),
            ("number", models.PositiveBigIntegerField(help_text="version of the list")),
            ("seen_at", models.DateTimeField()),
            ("in_force_at", models.DateTimeField(null=True)),
        ], options={
            "constraints": [
                models.UniqueConstraint(fields=["operator", "gate", "list_number", "number"],
                                        name="list_receipt_once"),
                models.CheckConstraint(condition=~Q(operator=""), name="list_receipt_of_somebody"),
                models.CheckConstraint(condition=Q(in_force_at__isnull=True) | Q(in_force_at__gte=F("seen_at")),
                                       name="list_receipt_ordered")],
            "indexes": [models.Index(fields=["list_number", "number"], name="list_receipt_by_version"),
                        models.Index(fields=["seen_at"], name="list_receipt_by_time")]}),
        migrations.AddField("statuspublication", "newly", models.PositiveIntegerField(
            db_default=0, default=0,
            help_text="cards in use that it blocks, the one before did not, and no two persons released")),
        migrations.AddField("statuspublication", "causes", models.JSONField(
            db_default=Value({}, models.JSONField()), default=dict,
            help_text="who blocked these by which act, as a digest → how many")),
        migrations.AddField("statuspublication", "held", models.PositiveIntegerField(
            db_default=0, default=0, help_text="blocked cards that it does not tell of yet")),
        migrations.AddField("statuspublication", "signatures", models.PositiveSmallIntegerField(
            db_default=1, default=1,
            help_text="that are made for it: the list's, and that of the delta from the one before")),
        migrations.AddField("statuspublication", "written_at", models.DateTimeField(
            null=True, help_text="when its file was there for gates")),
        migrations.AddIndex("statuspublication", models.Index(
            fields=["published_at"], condition=Q(newly__gt=0), name="status_blocks_by_time")),
        migrations.RunSQL([
            protect("cards_listhold"), protect("cards_heldback"), protect("cards_losstold"),
            allow("SELECT, UPDATE", "cards_listhold"), allow("SELECT", "cards_heldback"),
            allow("SELECT", "cards_losstold"),
            allow("SELECT", "cards_bundlepublication"), allow("SELECT, INSERT, UPDATE", "cards_listreceipt"),
            f"GRANT USAGE ON SEQUENCE cards_listreceipt_id_seq TO {ROLE}",
        ], migrations.RunSQL.noop),
        migrations.RunSQL(THRESHOLD, "DROP TRIGGER cards_few_blocks ON cards_statuspublication; "
                                     "DROP FUNCTION cards_few_blocks()"),
    ]
