"""Keys (密钥) as rows, never their values, which live in the key store: the tree, who holds components, ceremonies."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.formats.chip import scp03
from zhengka.formats.chip.profile import MOST_VERSION
from zhengka.keys.workflow import CEREMONY, KEY

PURPOSES = ("authority", "credential", "status", "batch", "transcript", "transport", "card_master", "blank_card",
            "channel", "status_index", "voucher")
KEPT = ("file", "token", "hybrid", "drawn", "none")
KINDS = ("generate", "import", "export", "rotate", "destroy", "recover", "revoke", "retire")
SUITES = ("SM", "INTL")
IN_USE = ("created", "active", "retiring")
NATIONS = ("authority", "card_master", "blank_card", "channel")
"""Purposes of keys of the nation that two custodians retire."""


class Key(ProvinceRow, Stateful):
    """One version of one key of the tree nation → province → city (统一密钥体系); keys of cards are drawn, never kept.

    `label` names it in the key store. A key that is drawn (`rule`) from its `parent` has no value of its own there. It
    works from `not_before` to `works_until` while it is active, reads until `reads_until` while it is retiring; what it
    made is trusted until `not_after`, unless it was revoked. All days are inclusive and China's.
    """

    workflow = KEY
    state = models.TextField(default=KEY.initial)
    label = models.TextField()
    purpose = models.TextField(choices=[(purpose, purpose) for purpose in PURPOSES])
    suite = models.TextField(choices=[(suite, suite) for suite in SUITES])
    area = models.BigIntegerField(help_text="12-digit code of the region that the key serves; 0 is the nation")
    level = models.TextField(help_text="nation, province or city (also an issuing unit)")
    slot = models.TextField(blank=True, help_text="key slot of the chip profile, for card masters")
    number = models.PositiveSmallIntegerField(
        default=1, help_text="version of the key; of a card master also that on the chips")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False)
    rule = models.TextField(
        blank=True, help_text="rule by which it is drawn from its parent; empty: a value of its own")
    public = models.BinaryField(null=True, help_text="uncompressed point, 65 bytes, of a key pair")
    key_id = models.BinaryField(null=True, help_text="first 8 bytes of the digest of the point")
    check_value = models.TextField(blank=True, help_text="KCV: first 3 bytes of the encryption of zeros")
    kept = models.TextField(default="file", choices=[(kept, kept) for kept in KEPT],
                            help_text="where it lives: a file, a token, sealed by a token and opened in memory, drawn "
                                      "when it is needed, or nowhere any more")
    exportable = models.BooleanField(default=False, help_text="may leave under a transport key")
    by_ceremony = models.BooleanField(default=False, help_text="made or brought in by a ceremony, or drawn from such a "
                                                               "key; else the platform made it alone, at first use")
    not_before = models.DateField()
    works_until = models.DateField()
    not_after = models.DateField()
    reads_until = models.DateField(null=True, help_text="last day of the overlap, once another version works")
    revoked_at = models.DateTimeField(null=True, help_text="from then on nothing that it signed is trusted")
    signatures = models.BigIntegerField(default=0, help_text="signatures made, counted before they leave (I9)")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["label"], name="key_label_once"),
            models.UniqueConstraint(fields=["purpose", "suite", "area", "slot", "number"], name="key_version_once"),
            models.UniqueConstraint(fields=["purpose", "suite", "area", "slot"], condition=Q(state="active"),
                                    name="key_active_once"),
            models.UniqueConstraint(fields=["key_id"], name="key_id_once"),
            models.CheckConstraint(condition=Q(purpose__in=PURPOSES), name="key_purpose_known"),
            models.CheckConstraint(condition=Q(kept__in=KEPT), name="key_kept_known"),
            models.CheckConstraint(condition=Q(state="destroyed", kept="none") | ~Q(state="destroyed") & ~Q(
                kept="none"), name="key_destroyed_has_no_value"),
            models.CheckConstraint(condition=Q(revoked_at=None) | Q(state__in=("retired", "destroyed"),
                                                                    public__isnull=False), name="key_revoked_is_over"),
            models.CheckConstraint(condition=~Q(state="retiring") | Q(reads_until__isnull=False),
                                   name="key_retiring_until"),
            models.CheckConstraint(condition=Q(level="nation", area=0) | Q(level="province", area__gt=0) | Q(
                level="city", area__gt=0), name="key_level_of_area"),
            models.CheckConstraint(
                condition=Q(rule="") & ~Q(kept="drawn") | Q(kept__in=("drawn", "none"), parent__isnull=False) & (
                    Q(rule="SM4", suite="SM") | Q(rule="AES", suite="INTL")), name="key_drawn_from_parent"),
            models.CheckConstraint(condition=Q(works_until__gte=F("not_before"), not_after__gte=F("works_until")),
                                   name="key_life_ordered"),
            models.CheckConstraint(condition=~Q(purpose="card_master") | Q(number__gte=1, number__lte=MOST_VERSION),
                                   name="key_number_fits_a_chip"),
            models.CheckConstraint(condition=~Q(purpose="channel") | Q(number__gte=1, number__lte=scp03.MOST_VERSION),
                                   name="key_number_fits_a_channel"),
            state_check(KEY),
        ]
        indexes: ClassVar = [models.Index(fields=["parent"], name="key_by_parent", condition=Q(parent__isnull=False))]

    def __str__(self) -> str:
        """The label."""
        return self.label

    @property
    def area_id(self) -> int:
        """The code by which events and scope know the key's place."""
        return self.area

    @property
    def carries_the_nation(self) -> bool:
        """True for a master or the authority of the nation itself, from which keys of every province come."""
        return self.area == 0 and self.purpose in NATIONS

    def children_in_use(self) -> bool:
        """True where a key that is drawn from this one has not ended."""
        return self.children.filter(state__in=IN_USE).exists()


class Custodian(ProvinceRow):
    """Who holds which component of a key (密钥保管员): a person, and the component's check value."""

    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="custodians", db_index=False)
    area = models.BigIntegerField(help_text="12-digit code of the key's region")
    number = models.PositiveSmallIntegerField(help_text="the component's own, 1 to 255")
    person = models.TextField()
    name = models.TextField()
    check_value = models.TextField(help_text="KCV of the component, not of the key")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "number"], name="custodian_component_once"),
            models.UniqueConstraint(fields=["key", "person"], name="custodian_person_once"),
        ]

    def __str__(self) -> str:
        """Which component of which key."""
        return f"component {self.number} of {self.key_id}"


class Ceremony(ProvinceRow, Stateful):
    """A ceremony over one key (密钥仪式): who leads it, what it is to do, how far it is, and what is written of it.

    `area`: the office that holds it; `place`: the key's region. `key`: the key it is about; of one that makes a key,
    the key that it made.
    """

    workflow = CEREMONY
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    aim = models.TextField(choices=[(kind, kind) for kind in KINDS])
    key = models.ForeignKey(Key, null=True, on_delete=models.PROTECT, related_name="ceremonies", db_index=False)
    purpose = models.TextField()
    suite = models.TextField()
    slot = models.TextField(blank=True)
    place = models.BigIntegerField()
    number = models.PositiveSmallIntegerField(help_text="of the key version that it makes or is about")
    label = models.TextField(help_text="of that version")
    needed = models.PositiveSmallIntegerField(help_text="custodians who suffice")
    among = models.PositiveSmallIntegerField(help_text="custodians there are")
    check_value = models.TextField(blank=True, help_text="KCV of the whole key: drawn here, or told on another way")
    exportable = models.BooleanField(default=False)
    activates = models.BooleanField(default=True, help_text="the key works at once, and replaces the one before it")
    overlap_until = models.DateField(null=True, help_text="last day on which the version before goes on reading")
    transport = models.BinaryField(null=True, help_text="public key under which the key leaves or came, 65 bytes")
    wrapped = models.BinaryField(null=True, help_text="the key under the transport key")
    reason = models.TextField(blank=True, help_text="why a key is retired on which cards depend")
    led_by = models.TextField(help_text="person who leads it")
    led_by_name = models.TextField()
    problem = models.TextField(blank=True, help_text="code of what went wrong last")
    transcript = models.TextField(blank=True)
    signature = models.BinaryField(null=True, help_text="on the transcript")
    signed_by = models.TextField(blank=True, help_text="label of the key that signed it")
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            state_check(CEREMONY),
            models.CheckConstraint(condition=Q(aim__in=KINDS), name="ceremony_kind_known"),
            models.CheckConstraint(condition=Q(aim="retire") & ~Q(reason="") | ~Q(aim="retire") & Q(reason=""),
                                   name="ceremony_retires_for_a_reason"),
            models.CheckConstraint(condition=Q(needed__gte=2, among__gte=F("needed")), name="ceremony_two_persons"),
            models.CheckConstraint(condition=~Q(aim="export") | Q(transport__isnull=False),
                                   name="ceremony_export_to_whom"),
            models.CheckConstraint(condition=Q(wrapped=None) | Q(aim="export") | Q(
                aim="import", transport__isnull=False) & ~Q(check_value=""), name="ceremony_wrapped_and_told"),
            models.CheckConstraint(condition=~Q(state__in=("recorded", "done")) | ~Q(transcript="") & Q(
                key__isnull=False), name="ceremony_written_down"),
            models.CheckConstraint(condition=~Q(state="done") | Q(signature__isnull=False) & ~Q(signed_by=""),
                                   name="ceremony_signed"),
            models.CheckConstraint(condition=Q(state__in=("done", "cancelled"), ended_at__isnull=False) | ~Q(
                state__in=("done", "cancelled")) & Q(ended_at=None), name="ceremony_ended_at"),
            models.UniqueConstraint(fields=["purpose", "suite", "place", "slot"], condition=~Q(
                state__in=("done", "cancelled")), name="ceremony_one_at_a_time"),
        ]

    def __str__(self) -> str:
        """Kind and key."""
        return f"ceremony {self.pk}: {self.aim} {self.label}"

    @property
    def draws(self) -> bool:
        """True where the platform draws components and hands them out."""
        return self.aim in ("generate", "rotate")

    @property
    def collects(self) -> bool:
        """True where custodians bring components that they have; a key that came wrapped has none."""
        return self.aim == "recover" or (self.aim == "import" and self.wrapped is None)

    @property
    def enough(self) -> int:
        """So many must do their part: all where components come into being here, or come here: who brought none
        could not be one of those who recover the key.
        """
        return self.among if self.draws or (self.aim == "import" and self.collects) else self.needed


class Seat(ProvinceRow):
    """A custodian's place in a ceremony. `component` is sealed, and gone as soon as the ceremony has used it or ended.

    One person has one seat, and who leads has none (I6): the database holds it by persons, whatever accounts they have.
    """

    ceremony = models.ForeignKey(Ceremony, on_delete=models.PROTECT, related_name="seats", db_index=False)
    area = models.BigIntegerField(help_text="of the ceremony")
    led_by = models.TextField(help_text="of the ceremony")
    number = models.PositiveSmallIntegerField(help_text="the seat, and of a drawn component its number")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.TextField()
    name = models.TextField()
    component = models.BinaryField(null=True, help_text="sealed")
    check_value = models.TextField(blank=True, help_text="KCV of the component")
    seen_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ceremony", "number"], name="seat_once"),
            models.UniqueConstraint(fields=["ceremony", "person"], name="seat_one_person_once"),
            models.CheckConstraint(condition=~Q(person=F("led_by")), name="seat_not_who_leads"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=255), name="seat_number_of_a_share"),
        ]

    def __str__(self) -> str:
        """Which seat of which ceremony."""
        return f"seat {self.number} of ceremony {self.ceremony_id}"


class KeyCertificate(models.Model):
    """An X.509 certificate (密钥证书) of a signing key by an authority above it; of a root by itself.

    What is signed is written down first (I9): `der` stays empty until the signature is there.
    """

    key = models.ForeignKey(Key, on_delete=models.PROTECT, to_field="label", related_name="certificates",
                            db_index=False)
    issuer = models.ForeignKey(Key, on_delete=models.PROTECT, to_field="label", related_name="issued", db_index=False)
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
