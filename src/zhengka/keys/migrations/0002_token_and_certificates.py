"""Keys say where they live; keys that certify; certificates of keys."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

PURPOSES = ("authority", "credential", "status", "batch", "card_master", "blank_card", "status_index")
KEPT = ("file", "token", "hybrid")


def of_a_key(name: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name=name, to="keys.key")


class Migration(migrations.Migration):

    dependencies = [("keys", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="key", name="key_purpose_known"),
        migrations.AlterField("key", "purpose", models.TextField(choices=[(one, one) for one in PURPOSES])),
        migrations.AddConstraint("key", models.CheckConstraint(
            condition=Q(purpose__in=PURPOSES), name="key_purpose_known")),
        migrations.AddField("key", "kept", models.TextField(
            choices=[(one, one) for one in KEPT], default="file",
            help_text="where it lives: a file, a token, or sealed by a token and opened in memory")),
        migrations.AddConstraint("key", models.CheckConstraint(condition=Q(kept__in=KEPT), name="key_kept_known")),
        migrations.CreateModel(
            name="KeyCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("serial", models.BigIntegerField(
                    help_text="drawn by chance; in the certificate and in lists of revoked ones")),
                ("body", models.BinaryField(help_text="what the issuer signs (TBSCertificate)")),
                ("der", models.BinaryField(help_text="the whole certificate", null=True)),
                ("not_before", models.DateTimeField()),
                ("not_after", models.DateTimeField()),
                ("issued_by", models.TextField(help_text="the person who asked for it")),
                ("issued_at", models.DateTimeField()),
                ("request_id", models.UUIDField(unique=True)),
                ("revoked_by", models.TextField(blank=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("issuer", of_a_key("issued")),
                ("key", of_a_key("certificates")),
            ],
            options={
                "indexes": [models.Index(fields=["key"], name="key_certificate_by_key")],
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "serial"), name="key_certificate_serial_once"),
                    models.CheckConstraint(condition=Q(serial__gt=0), name="key_certificate_serial_positive"),
                    models.CheckConstraint(condition=Q(not_after__gt=F("not_before")),
                                           name="key_certificate_life_ordered"),
                    models.CheckConstraint(condition=Q(revoked_at=None) ^ ~Q(revoked_by=""),
                                           name="key_certificate_revoked_by"),
                ],
            },
        ),
    ]
