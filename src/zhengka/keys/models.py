"""Keys (密钥) as rows: what each is for, never its value; the value lives in the key store."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

PURPOSES = ("authority", "credential", "status", "batch", "card_master", "blank_card", "status_index")
STATES = ("active", "retired")
KEPT = ("file", "token", "hybrid")


class Key(models.Model):
    """One key version of the tree nation → province (统一密钥体系). `label` names it in the key store.

    It works from `not_before` to `works_until` while it is active; what it made is trusted until `not_after`, unless
    it was revoked. All days are inclusive and China's.
    """

    label = models.TextField(primary_key=True)
    purpose = models.TextField(choices=[(purpose, purpose) for purpose in PURPOSES])
    suite = models.TextField(choices=[("SM", "SM"), ("INTL", "INTL")])
    area = models.BigIntegerField(help_text="12-digit code of the region that the key serves")
    slot = models.TextField(blank=True, help_text="key slot of the chip profile, for card masters")
    number = models.PositiveSmallIntegerField(default=1, help_text="version of the key")
    public = models.BinaryField(null=True, help_text="uncompressed point, 65 bytes, for signing keys")
    key_id = models.BinaryField(null=True, help_text="first 8 bytes of the digest of the point")
    check_value = models.TextField(blank=True, help_text="KCV: first 3 bytes of the encryption of zeros")
    kept = models.TextField(default="file", choices=[(kept, kept) for kept in KEPT],
                            help_text="where it lives: a file, a token, or sealed by a token and opened in memory")
    state = models.TextField(default="active", choices=[(state, state) for state in STATES])
    not_before = models.DateField()
    works_until = models.DateField()
    not_after = models.DateField()
    revoked_at = models.DateTimeField(null=True, help_text="from then on nothing that it signed is trusted")
    signatures = models.BigIntegerField(default=0, help_text="signatures made, counted before they leave (I9)")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "suite", "area", "slot", "number"], name="key_version_once"),
            models.UniqueConstraint(fields=["key_id"], name="key_id_once"),
            models.CheckConstraint(condition=Q(purpose__in=PURPOSES), name="key_purpose_known"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="key_state_known"),
            models.CheckConstraint(condition=Q(kept__in=KEPT), name="key_kept_known"),
            models.CheckConstraint(condition=Q(works_until__gte=F("not_before"), not_after__gte=F("works_until")),
                                   name="key_life_ordered"),
        ]

    def __str__(self) -> str:
        """The label."""
        return self.label


class KeyCertificate(models.Model):
    """An X.509 certificate (密钥证书) of a signing key by an authority above it; of a root by itself.

    What is signed is written down first (I9): `der` stays empty until the signature is there.
    """

    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="certificates", db_index=False)
    issuer = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="issued", db_index=False)
    serial = models.BigIntegerField(help_text="drawn by chance; in the certificate and in lists of revoked ones")
    body = models.BinaryField(help_text="what the issuer signs (TBSCertificate)")
    der = models.BinaryField(null=True, help_text="the whole certificate")
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    issued_by = models.TextField(help_text="the person who asked for it")
    issued_at = models.DateTimeField()
    request_id = models.UUIDField(unique=True)
    revoked_by = models.TextField(blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "serial"], name="key_certificate_serial_once"),
            models.CheckConstraint(condition=Q(serial__gt=0), name="key_certificate_serial_positive"),
            models.CheckConstraint(condition=Q(not_after__gt=F("not_before")), name="key_certificate_life_ordered"),
            models.CheckConstraint(condition=Q(revoked_at=None) ^ ~Q(revoked_by=""), name="key_certificate_revoked_by"),
        ]
        indexes: ClassVar = [models.Index(fields=["key"], name="key_certificate_by_key")]

    def __str__(self) -> str:
        """Whose it is and its serial."""
        return f"certificate {self.serial} of {self.key_id}"
