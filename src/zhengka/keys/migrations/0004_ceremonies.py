"""Ceremonies over keys, the custodians' seats in them, and who holds which component of a key."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import allow, protect

KINDS = ("generate", "import", "export", "rotate", "destroy", "recover")
STATES = ["cancelled", "done", "finishing", "gathering", "opened", "recorded"]
ENDED = ("done", "cancelled")

OF_ONE = """
ALTER TABLE keys_ceremony ADD CONSTRAINT ceremony_of_one UNIQUE (id, area, led_by);
ALTER TABLE keys_seat ADD CONSTRAINT seat_of_its_ceremony FOREIGN KEY (ceremony_id, area, led_by)
    REFERENCES keys_ceremony (id, area, led_by);
"""
"""A seat is in the area of its ceremony, and knows who leads it: a constraint can say that this is another person."""

PROMISES = """
CREATE FUNCTION keys_ceremony_promises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('finishing', 'recorded', 'done') AND
       (SELECT count(DISTINCT person) FROM keys_seat WHERE ceremony_id = NEW.id AND done_at IS NOT NULL) < NEW.needed
    THEN
        RAISE EXCEPTION 'ceremony_two_persons: % of them have not done their part', NEW.needed
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('recorded', 'done', 'cancelled') AND
       EXISTS (SELECT FROM keys_seat WHERE ceremony_id = NEW.id AND component IS NOT NULL)
    THEN
        RAISE EXCEPTION 'ceremony_leaves_nothing: a component is still there' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ceremony_promises AFTER INSERT OR UPDATE ON keys_ceremony
    FOR EACH ROW EXECUTE FUNCTION keys_ceremony_promises();
CREATE FUNCTION keys_seat_promises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.component IS NOT NULL AND
       (SELECT state FROM keys_ceremony WHERE id = NEW.ceremony_id) NOT IN ('opened', 'gathering', 'finishing')
    THEN
        RAISE EXCEPTION 'ceremony_leaves_nothing: it has ended' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER seat_promises AFTER INSERT OR UPDATE ON keys_seat
    FOR EACH ROW EXECUTE FUNCTION keys_seat_promises();
"""
"""Nothing is done in the key store before enough persons did their part; what ended keeps no component (I5, I6)."""


def row(*more: tuple[str, models.Field]) -> list[tuple[str, models.Field]]:
    return [("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
            ("province", models.PositiveSmallIntegerField(editable=False)), *more]


def to(model: str, name: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(model, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name=name,
                             **more)


class Migration(migrations.Migration):
    """Three tables with their walls and promises."""

    dependencies = [("keys", "0003_tree"), ("accounts", "0007_custodian"), ("areas", "0001_initial"),
                    ("programme", "0003_web_rights")]

    operations = [
        migrations.CreateModel("Custodian", row(
            ("area", models.BigIntegerField(help_text="12-digit code of the key's region")),
            ("number", models.PositiveSmallIntegerField(help_text="the component's own, 1 to 255")),
            ("person", models.TextField()), ("name", models.TextField()),
            ("check_value", models.TextField(help_text="KCV of the component, not of the key")),
            ("key", to("keys.key", "custodians"))), {"constraints": [
                models.UniqueConstraint(fields=("key", "number"), name="custodian_component_once"),
                models.UniqueConstraint(fields=("key", "person"), name="custodian_person_once")]}),
        migrations.CreateModel("Ceremony", row(
            ("state", models.TextField()), ("version", models.PositiveIntegerField(default=1)),
            ("aim", models.TextField(choices=[(kind, kind) for kind in KINDS])),
            ("purpose", models.TextField()), ("suite", models.TextField()), ("slot", models.TextField(blank=True)),
            ("place", models.BigIntegerField()),
            ("number", models.PositiveSmallIntegerField(help_text="of the key version that it makes or is about")),
            ("label", models.TextField(help_text="of that version")),
            ("needed", models.PositiveSmallIntegerField(help_text="custodians who suffice")),
            ("among", models.PositiveSmallIntegerField(help_text="custodians there are")),
            ("check_value", models.TextField(
                blank=True, help_text="KCV of the whole key: drawn here, or told on another way")),
            ("exportable", models.BooleanField(default=False)),
            ("activates", models.BooleanField(
                default=True, help_text="the key works at once, and replaces the one before it")),
            ("overlap_until", models.DateField(
                help_text="last day on which the version before goes on reading", null=True)),
            ("transport", models.BinaryField(help_text="public key under which the key leaves, 65 bytes", null=True)),
            ("wrapped", models.BinaryField(help_text="the key under the transport key", null=True)),
            ("led_by", models.TextField(help_text="person who leads it")), ("led_by_name", models.TextField()),
            ("problem", models.TextField(blank=True, help_text="code of what went wrong last")),
            ("transcript", models.TextField(blank=True)),
            ("signature", models.BinaryField(help_text="on the transcript", null=True)),
            ("signed_by", models.TextField(blank=True, help_text="label of the key that signed it")),
            ("opened_at", models.DateTimeField()), ("ended_at", models.DateTimeField(null=True)),
            ("area", models.ForeignKey("areas.area", db_column="area", db_index=False,
                                       on_delete=django.db.models.deletion.PROTECT)),
            ("key", to("keys.key", "ceremonies", null=True))), {"constraints": [
                models.CheckConstraint(condition=Q(state__in=STATES), name="key_ceremony_state_known"),
                models.CheckConstraint(condition=Q(aim__in=KINDS), name="ceremony_kind_known"),
                models.CheckConstraint(condition=Q(among__gte=F("needed"), needed__gte=2),
                                       name="ceremony_two_persons"),
                models.CheckConstraint(condition=~Q(aim="export") | Q(transport__isnull=False),
                                       name="ceremony_export_to_whom"),
                models.CheckConstraint(condition=Q(wrapped=None) | Q(aim="export"), name="ceremony_wraps_on_export"),
                models.CheckConstraint(condition=~Q(state__in=("recorded", "done")) | ~Q(transcript="") & Q(
                    key__isnull=False), name="ceremony_written_down"),
                models.CheckConstraint(condition=~Q(state="done") | Q(signature__isnull=False) & ~Q(signed_by=""),
                                       name="ceremony_signed"),
                models.CheckConstraint(condition=Q(ended_at__isnull=False, state__in=ENDED) | ~Q(
                    state__in=ENDED) & Q(ended_at=None), name="ceremony_ended_at"),
                models.UniqueConstraint(condition=~Q(state__in=ENDED), fields=("purpose", "suite", "place", "slot"),
                                        name="ceremony_one_at_a_time")]}),
        migrations.CreateModel("Seat", row(
            ("area", models.BigIntegerField(help_text="of the ceremony")),
            ("led_by", models.TextField(help_text="of the ceremony")),
            ("number", models.PositiveSmallIntegerField(
                help_text="the seat, and of a drawn component its number")),
            ("person", models.TextField()), ("name", models.TextField()),
            ("component", models.BinaryField(help_text="sealed", null=True)),
            ("check_value", models.TextField(blank=True, help_text="KCV of the component")),
            ("seen_at", models.DateTimeField(null=True)), ("done_at", models.DateTimeField(null=True)),
            ("ceremony", to("keys.ceremony", "seats")), ("officer", to("accounts.officer", "+"))), {"constraints": [
                models.UniqueConstraint(fields=("ceremony", "number"), name="seat_once"),
                models.UniqueConstraint(fields=("ceremony", "person"), name="seat_one_person_once"),
                models.CheckConstraint(condition=~Q(person=F("led_by")), name="seat_not_who_leads"),
                models.CheckConstraint(condition=Q(number__gte=1, number__lte=255), name="seat_number_of_a_share")]}),
        migrations.RunSQL(OF_ONE, migrations.RunSQL.noop),
        migrations.RunSQL(PROMISES, migrations.RunSQL.noop),
        *(migrations.RunSQL(sql, undo) for table in ("ceremony", "seat", "custodian") for sql, undo in (
            (f"CREATE SEQUENCE keys_{table}_ids CACHE 1", f"DROP SEQUENCE keys_{table}_ids"),
            (protect(f"keys_{table}"), migrations.RunSQL.noop))),
        migrations.RunSQL([
            allow("SELECT, INSERT, UPDATE", "keys_ceremony, keys_seat"),
            allow("SELECT", "keys_custodian"),
            # a site that was broken into can stop keys, and cannot put another public key in the place of one
            allow("SELECT, UPDATE (state, version, reads_until)", "keys_key"),
            allow("USAGE", "SEQUENCE keys_ceremony_ids"), allow("USAGE", "SEQUENCE keys_seat_ids"),
        ], migrations.RunSQL.noop),
    ]
