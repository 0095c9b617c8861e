"""The switch that stops issuing (停发), held a second time by the database; cards that are urgent."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import ROLE, allow

WALL = """
ALTER TABLE cards_stop ENABLE ROW LEVEL SECURITY;
ALTER TABLE cards_stop FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON cards_stop
    USING (area <= nullif(current_setting('app.hi', true), '')::bigint
           AND last >= nullif(current_setting('app.lo', true), '')::bigint)
    WITH CHECK (area >= nullif(current_setting('app.lo', true), '')::bigint
                AND last <= nullif(current_setting('app.hi', true), '')::bigint);
"""
"""Everybody whom a stop touches sees it, and who sees its whole area writes it."""
SECOND_WALL = """
CREATE FUNCTION cards_issuing_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    places bigint[];
BEGIN
    SELECT array_agg(DISTINCT n.area) INTO places FROM moved_to n JOIN moved_from o USING (id)
    WHERE n.state <> o.state AND n.state IN ('batched', 'prepared', 'sent', 'issued');
    IF places IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(22281);
    IF EXISTS (SELECT FROM cards_stop s JOIN unnest(places) a (code) ON a.code BETWEEN s.area AND s.last
               WHERE s.state <> 'lifted') THEN
        RAISE EXCEPTION 'issuing is stopped' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cards_issuing_goes_on AFTER UPDATE ON cards_card
    REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION cards_issuing_goes_on();
"""
"""22281 is `services.stopping.STOP_LOCK`."""


class Migration(migrations.Migration):
    """A table, its walls, and the trigger on cards."""

    dependencies = [("cards", "0016_lost_by_two"), ("areas", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        migrations.AddField("card", "urgent", models.TextField(
            blank=True, default="", db_default="",
            help_text="why an officer wants it made before others; empty: nobody does")),
        migrations.CreateModel("Stop", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("state", models.TextField()),
            ("version", models.PositiveIntegerField(default=1)),
            ("area", models.ForeignKey("areas.area", db_column="area", db_index=False,
                                       on_delete=django.db.models.deletion.PROTECT)),
            ("last", models.BigIntegerField(help_text="highest code of the area, for all of which it holds")),
            ("why", models.TextField()),
            ("person", models.TextField(help_text="who threw it")),
            ("at", models.DateTimeField()),
            ("lift_person", models.TextField(blank=True, default="", help_text="who asked that it is lifted")),
            ("lifted_person", models.TextField(blank=True, default="", help_text="who lifted it: another one")),
            ("lifted_at", models.DateTimeField(null=True)),
        ], options={"constraints": [
            models.UniqueConstraint(fields=["area"], condition=~Q(state="lifted"), name="stop_of_area_once"),
            models.CheckConstraint(condition=~Q(why=""), name="stop_says_why"),
            models.CheckConstraint(condition=Q(last__gte=F("area")), name="stop_range_ordered"),
            models.CheckConstraint(condition=Q(state="lifted", lifted_at__isnull=False) & ~Q(lift_person="")
                                   & ~Q(lifted_person="") & ~Q(lifted_person=F("lift_person"))
                                   | ~Q(state="lifted") & Q(lifted_person="", lifted_at__isnull=True),
                                   name="stop_lifted_by_two"),
            models.CheckConstraint(condition=Q(state__in=["lifted", "lifting", "standing"]),
                                   name="issuing_stop_state_known"),
        ]}),
        migrations.RunSQL([WALL, allow("SELECT, INSERT, UPDATE", "cards_stop"),
                           f"GRANT USAGE ON SEQUENCE cards_stop_id_seq TO {ROLE}"], migrations.RunSQL.noop),
        migrations.RunSQL(SECOND_WALL, "DROP TRIGGER cards_issuing_goes_on ON cards_card; "
                                       "DROP FUNCTION cards_issuing_goes_on()"),
    ]
