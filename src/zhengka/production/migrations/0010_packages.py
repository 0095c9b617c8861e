"""Card makers have certificates; packages are acknowledged, results receipted, and all of it is erased on its day."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import allow, protect
from zhengka.production.workflow import ERASED

STAYS = """
CREATE FUNCTION production_erasure_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'proof is never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER production_erasure_stays BEFORE UPDATE OR DELETE ON production_erasure
    FOR EACH ROW EXECUTE FUNCTION production_erasure_stays();
ALTER TABLE production_erasure ADD CONSTRAINT erasure_of_its_batch
    FOREIGN KEY (batch_id, area) REFERENCES production_batch (id, area);
"""
SENT = ("sent", "received", "closed")


def text(**more):
    """A text that may be empty."""
    return models.TextField(blank=True, default="", db_default="", **more)


class Migration(migrations.Migration):
    """Batches that were closed before keep their files: no day was told for them."""

    dependencies = [("production", "0009_blanks")]
    operations = [
        migrations.AddField("maker", "certificate", models.BinaryField(
            null=True, help_text="by which it vouches for its key (X.509, DER)")),
        migrations.AddField("maker", "valid_from", models.DateTimeField(null=True)),
        migrations.AddField("maker", "valid_until", models.DateTimeField(
            null=True, help_text="from then on nothing is given to it or taken from it")),
        migrations.AddField("maker", "revoked_at", models.DateTimeField(null=True)),
        migrations.AddField("maker", "revoked_by", text(help_text="person who revoked it")),
        migrations.AddField("maker", "text_form", text(
            help_text="its packages hold the text form of older programs, too, in this code")),
        migrations.AddConstraint("maker", models.CheckConstraint(
            condition=Q(certificate__isnull=True, valid_from__isnull=True, valid_until__isnull=True)
            | Q(certificate__isnull=False, valid_from__isnull=False, valid_until__isnull=False,
                    valid_from__lt=F("valid_until")), name="maker_certificate_whole")),
        migrations.AddConstraint("maker", models.CheckConstraint(
            condition=Q(revoked_at__isnull=True, revoked_by="") | Q(revoked_at__isnull=False) & ~Q(revoked_by=""),
            name="maker_revoked_by_somebody")),
        migrations.AddConstraint("maker", models.CheckConstraint(
            condition=Q(text_form__in=("", "gbk", "gb18030")), name="maker_text_form_known")),
        migrations.AddField("batch", "result_digest", text(help_text="of the results")),
        migrations.AddField("batch", "received_at", models.DateTimeField(
            null=True, help_text="when its results were taken")),
        migrations.AddField("batch", "receipt", text(help_text="our signed receipt of its results")),
        migrations.AddField("batch", "acknowledge_by", models.DateField(
            null=True, help_text="last day for the card maker's receipt of the package")),
        migrations.AddField("batch", "acknowledged_at", models.DateTimeField(
            null=True, help_text="when the card maker had the package, as it says")),
        migrations.AddField("batch", "erase_on", models.DateField(
            null=True, help_text="day on which what was made for it here is erased")),
        migrations.AddField("batch", "erased_at", models.DateTimeField(
            null=True, help_text="when the last of it was gone")),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=Q(acknowledged_at__isnull=True) | Q(state__in=SENT), name="batch_acknowledged_once_sent")),
        migrations.AddConstraint("batch", models.CheckConstraint(
            condition=Q(erased_at__isnull=True) | Q(erase_on__isnull=False, package="", proof=""),
            name="batch_erased_whole")),
        migrations.AddIndex("batch", models.Index(
            fields=["erase_on"], condition=Q(erased_at__isnull=True), name="batch_to_be_erased")),
        migrations.CreateModel("Erasure", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("area", models.BigIntegerField(editable=False, help_text="12-digit code of the batch's office")),
            ("what", models.TextField(choices=list(ERASED.items()))),
            ("name", models.TextField(help_text="name of the file")),
            ("digest", models.TextField(blank=True, help_text="SHA-256 of the file; empty: it was not there any more")),
            ("size", models.BigIntegerField(help_text="bytes")),
            ("rule", models.TextField(help_text="code of the file under data/production by which it went")),
            ("due_on", models.DateField()),
            ("at", models.DateTimeField()),
            ("batch", models.ForeignKey("production.batch", on_delete=django.db.models.deletion.PROTECT,
                                        related_name="erasures", db_index=False, db_constraint=False)),
        ], options={"constraints": [
            models.UniqueConstraint(fields=["batch", "what", "name"], name="erasure_once")]}),
        migrations.RunSQL([STAYS, protect("production_erasure"), allow("SELECT", "production_erasure")],
                          migrations.RunSQL.noop),
    ]
