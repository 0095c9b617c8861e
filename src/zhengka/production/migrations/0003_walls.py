"""Chunks, items and findings carry the area of their batch, and are seen only there."""

import django.db.models.deletion
from django.db import migrations, models

from zhengka.core.scope import allow, protect

PARTS = ("chunk", "item", "finding")

OF_THEIR_BATCH = "".join(f"""
UPDATE production_{part} p SET area = b.area FROM production_batch b WHERE b.id = p.batch_id;
ALTER TABLE production_{part} ALTER COLUMN area SET NOT NULL,
    ADD CONSTRAINT {part}_of_its_batch FOREIGN KEY (batch_id, area) REFERENCES production_batch (id, area);
""" for part in PARTS)
"""One key over both columns: no part of a batch can stand in another area than the batch itself."""


class Migration(migrations.Migration):
    """Areas, row-level security, and what the pages need: workers alone move chunks and judge results."""

    dependencies = [("production", "0002_promises"), ("core", "0005_web_rights")]
    operations = [
        migrations.AddConstraint("batch", models.UniqueConstraint(fields=["id", "area"], name="batch_in_its_area")),
        *(migrations.AddField(part, "area", models.BigIntegerField(null=True)) for part in PARTS),
        *(migrations.AlterField(part, "batch", models.ForeignKey(
            "production.batch", on_delete=django.db.models.deletion.PROTECT, related_name=f"{part}s",
            db_constraint=False, db_index=part == "chunk")) for part in PARTS),
        migrations.RunSQL(OF_THEIR_BATCH, migrations.RunSQL.noop, state_operations=[
            migrations.AlterField(part, "area", models.BigIntegerField(
                editable=False, help_text="12-digit code of the batch's office")) for part in PARTS]),
        migrations.RunSQL([
            *(protect(f"production_{part}") for part in PARTS),
            allow("SELECT, INSERT, UPDATE", "production_batch, production_item"),
            allow("SELECT, INSERT", "production_chunk"),
            allow("SELECT", "production_finding"),
            allow("USAGE", "SEQUENCE production_batch_ids"),
            "REVOKE EXECUTE ON FUNCTION production_known_uids(bytea[]) FROM PUBLIC",
        ], migrations.RunSQL.noop),
    ]
