"""Keys become rows of a tree that move by steps: an id of their own, level, parent, rule; one works at a time."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

PURPOSES = ("authority", "credential", "status", "batch", "transcript", "card_master", "blank_card", "status_index")
KEPT = ("file", "token", "hybrid", "drawn", "none")
STATES = ["active", "created", "destroyed", "retired", "retiring"]

NEW_KEY = """
CREATE SEQUENCE keys_key_ids CACHE 1;
ALTER TABLE keys_key ADD COLUMN id bigint, ADD COLUMN province smallint CHECK (province >= 0);
UPDATE keys_key SET province = area / 10000000000,
    id = area / 10000000000 * 10000000000000 + nextval('keys_key_ids');
DO $$
DECLARE found text;
BEGIN
    FOR found IN SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = 'keys_key'::regclass LOOP
        EXECUTE format('ALTER TABLE keys_keycertificate DROP CONSTRAINT %I', found);
    END LOOP;
    FOR found IN SELECT indexname FROM pg_indexes WHERE tablename = 'keys_key' AND indexname LIKE '%\\_like' LOOP
        EXECUTE format('DROP INDEX %I', found);
    END LOOP;
END $$;
ALTER TABLE keys_key DROP CONSTRAINT keys_key_pkey, ALTER id SET NOT NULL, ALTER province SET NOT NULL,
    ADD PRIMARY KEY (id), ADD CONSTRAINT key_label_once UNIQUE (label);
ALTER TABLE keys_keycertificate
    ADD CONSTRAINT keys_keycertificate_of_key FOREIGN KEY (key_id) REFERENCES keys_key (label)
        DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT keys_keycertificate_by_key FOREIGN KEY (issuer_id) REFERENCES keys_key (label)
        DEFERRABLE INITIALLY DEFERRED;
"""
"""The label was the primary key; events and links know rows by numbers. Certificates go on naming keys by label."""

FILLED = """
UPDATE keys_key SET level = CASE WHEN area = 0 THEN 'nation' WHEN area % 10000000000 = 0 THEN 'province'
    ELSE 'city' END;
UPDATE keys_key k SET state = 'retiring', reads_until = works_until + 366 WHERE state = 'active' AND EXISTS (
    SELECT FROM keys_key n WHERE (n.purpose, n.suite, n.area, n.slot) = (k.purpose, k.suite, k.area, k.slot)
        AND n.number > k.number AND n.state = 'active');
INSERT INTO core_event (province, area, subject, subject_id, version, action, source, target, actor_name, person,
                        request_id, at, facts)
SELECT province, area, 'key', id, 1, 'make', '', state, 'zhengka', 'system', gen_random_uuid(), now(), '{}'
FROM keys_key;
"""
"""The events of keys begin here: what was before them was not told."""


def certified(name: str) -> models.ForeignKey:
    return models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name=name,
                             to="keys.key", to_field="label")


def told(values: tuple[str, ...], **more: object) -> models.TextField:
    return models.TextField(choices=[(one, one) for one in values], **more)


class Migration(migrations.Migration):
    """Primary key, columns, constraints."""

    dependencies = [("keys", "0002_token_and_certificates"), ("core", "0007_parts_of_imports")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(NEW_KEY, elidable=False)],
            state_operations=[
                migrations.AddField("key", "id", models.BigIntegerField(
                    editable=False, primary_key=True, serialize=False), preserve_default=False),
                migrations.AlterField("key", "label", models.TextField()),
                migrations.AddField("key", "province", models.PositiveSmallIntegerField(editable=False, default=0),
                                    preserve_default=False),
                migrations.AddConstraint("key", models.UniqueConstraint(fields=["label"], name="key_label_once")),
                migrations.AlterField("keycertificate", "key", certified("certificates")),
                migrations.AlterField("keycertificate", "issuer", certified("issued"))]),
        *(migrations.RemoveConstraint("key", f"key_{name}_known") for name in ("purpose", "kept", "state")),
        migrations.AlterField("key", "purpose", told(PURPOSES)),
        migrations.AlterField("key", "suite", told(("SM", "INTL"))),
        migrations.AlterField("key", "state", models.TextField(default="created")),
        migrations.AlterField("key", "kept", told(
            KEPT, default="file", help_text="where it lives: a file, a token, sealed by a token and opened in memory, "
                                            "drawn when it is needed, or nowhere any more")),
        migrations.AlterField("key", "area", models.BigIntegerField(
            help_text="12-digit code of the region that the key serves; 0 is the nation")),
        migrations.AddField("key", "version", models.PositiveIntegerField(default=1)),
        migrations.AddField("key", "level", models.TextField(
            default="", help_text="nation, province or city (also an issuing unit)"), preserve_default=False),
        migrations.AddField("key", "parent", models.ForeignKey(
            db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="children",
            to="keys.key")),
        migrations.AddField("key", "rule", models.TextField(
            blank=True, default="", help_text="rule by which it is drawn from its parent; empty: a value of its own"),
            preserve_default=False),
        migrations.AddField("key", "exportable", models.BooleanField(
            default=False, help_text="may leave under a transport key")),
        migrations.AddField("key", "reads_until", models.DateField(
            help_text="last day of the overlap, once another version works", null=True)),
        migrations.RunSQL(FILLED, migrations.RunSQL.noop),
        migrations.AddIndex("key", models.Index(
            condition=Q(parent__isnull=False), fields=["parent"], name="key_by_parent")),
        *(migrations.AddConstraint("key", one) for one in (
            models.UniqueConstraint(condition=Q(state="active"), fields=("purpose", "suite", "area", "slot"),
                                    name="key_active_once"),
            models.CheckConstraint(condition=Q(purpose__in=PURPOSES), name="key_purpose_known"),
            models.CheckConstraint(condition=Q(kept__in=KEPT), name="key_kept_known"),
            models.CheckConstraint(condition=Q(kept="none", state="destroyed") | ~Q(state="destroyed") & ~Q(
                kept="none"), name="key_destroyed_has_no_value"),
            models.CheckConstraint(condition=~Q(state="retiring") | Q(reads_until__isnull=False),
                                   name="key_retiring_until"),
            models.CheckConstraint(condition=Q(area=0, level="nation") | Q(area__gt=0, level="province") | Q(
                area__gt=0, level="city"), name="key_level_of_area"),
            models.CheckConstraint(condition=Q(rule="") & ~Q(kept="drawn") | Q(
                kept__in=("drawn", "none"), parent__isnull=False) & (Q(rule="SM4", suite="SM") | Q(
                    rule="AES", suite="INTL")), name="key_drawn_from_parent"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="key_state_known"))),
    ]
