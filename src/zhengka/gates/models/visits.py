"""What gates log: where each stands, every event that it signed, the vouchers, and uses that were one too many."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, state_check
from zhengka.devices.models import Device
from zhengka.formats.gatelog import KINDS, OF_VOUCHERS
from zhengka.formats.voucher import MOST_COMPANIONS
from zhengka.gates.workflow import POST, VOUCHER


class Post(ProvinceRow, Stateful):
    """A gate stands at one venue of an operator (岗位). What it logs of another place is refused."""

    workflow = POST
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    gate = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="posts")
    operator = models.TextField(help_text="code of the operator, as in its file of rules")
    venue = models.TextField(help_text="code of the venue")
    services = models.JSONField(default=list, help_text="codes of the services that it gives; none: all of the venue")
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gate"], condition=Q(state="standing"), name="post_one_for_a_gate"),
            models.CheckConstraint(condition=~Q(operator="") & ~Q(venue=""), name="post_names_its_place"),
            state_check(POST),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="post_by_area"),
                             models.Index(fields=["operator", "venue"], name="post_by_place")]

    def __str__(self) -> str:
        """Where."""
        return f"{self.operator} {self.venue}"


class GateKey(models.Model):
    """A public key that a gate had when it signed what is kept here: a gate that is paired anew gets another."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField()
    gate = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+", db_index=False)
    key_id = models.BinaryField()
    suite = models.TextField()
    public = models.BinaryField(help_text="uncompressed point, 65 bytes")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["gate", "key_id"], name="gate_key_once")]

    def __str__(self) -> str:
        """Which."""
        return f"key {bytes(self.key_id).hex()} of gate {self.gate_id}"


class Upload(models.Model):
    """What one upload of a gate's log brought: how many lines, what was new, and what was refused, by name."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField()
    gate = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="uploads", db_index=False)
    at = models.DateTimeField()
    lines = models.PositiveIntegerField()
    fresh = models.PositiveIntegerField()
    repeats = models.PositiveIntegerField()
    refused = models.JSONField(default=dict, help_text="code → how many")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["gate", "at"], name="upload_by_gate")]
        constraints: ClassVar = [models.CheckConstraint(
            condition=Q(lines__gte=F("fresh") + F("repeats")), name="upload_adds_up")]

    def __str__(self) -> str:
        """How much of it was new."""
        return f"upload of gate {self.gate_id}: {self.fresh} of {self.lines}"


class Visit(models.Model):
    """One event of a gate (出示记录): its text exactly as it was signed, and the parts of it that one asks by.

    `counted`: a service is paid by it. Of the uses of one voucher one alone is, which the database holds. What a
    statement that was sent counts goes on counting, which a trigger holds, also where it is found to be `forked` later.
    """

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="office of the gate")
    gate = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="visits", db_index=False,
                             db_constraint=False)
    seq = models.BigIntegerField(help_text="the gate's own number")
    digest = models.BinaryField(help_text="SHA-256 of the text")
    kind = models.TextField()
    at = models.DateTimeField(help_text="by the gate's clock")
    operator = models.TextField()
    venue = models.TextField()
    service = models.TextField()
    rule = models.TextField(blank=True)
    gives = models.TextField(blank=True)
    companions = models.PositiveSmallIntegerField(default=0)
    subject = models.BinaryField(default=b"", help_text="pseudonym of one month; nothing else of a person")
    voucher = models.BinaryField(default=b"", help_text="code of the voucher")
    list_version = models.BigIntegerField(default=0)
    text = models.TextField()
    signature = models.BinaryField(null=True, help_text="64 bytes; none yet: the platform's own, to be signed soon")
    key_id = models.BinaryField(null=True)
    received_at = models.DateTimeField()
    counted = models.BooleanField(default=False)
    forked = models.BooleanField(default=False, help_text="the gate signed something else under this number, too")
    statement = models.ForeignKey("gates.Statement", null=True, on_delete=models.PROTECT, related_name="visits",
                                  db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gate", "seq", "digest"], name="visit_once"),
            models.UniqueConstraint(fields=["voucher"], condition=Q(kind="redeem", counted=True),
                                    name="visit_voucher_counted_once"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="visit_kind_known"),
            models.CheckConstraint(condition=Q(kind__in=OF_VOUCHERS) & ~Q(voucher=b"")
                                   | ~Q(kind__in=OF_VOUCHERS) & Q(voucher=b""), name="visit_voucher_of_its_kind"),
            models.CheckConstraint(condition=Q(counted=False) | Q(kind__in=("visit", "redeem")) & (
                Q(forked=False) | Q(statement__isnull=False)), name="visit_counts_a_service"),
            models.CheckConstraint(condition=Q(signature=None, key_id=None)
                                   | Q(signature__isnull=False, key_id__isnull=False), name="visit_signed_whole"),
            models.CheckConstraint(condition=Q(companions__lte=MOST_COMPANIONS, seq__gt=0), name="visit_numbers"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["voucher"], name="visit_by_voucher", condition=~Q(voucher=b"")),
            models.Index(fields=["subject", "at"], name="visit_by_subject", condition=~Q(subject=b"")),
            models.Index(fields=["operator", "at"], name="visit_unsettled", condition=Q(statement=None)),
            models.Index(fields=["statement"], name="visit_by_statement", condition=Q(statement__isnull=False)),
            models.Index(fields=["id"], name="visit_unsigned", condition=Q(signature=None)),
            models.Index(fields=["gate", "seq"], name="visit_forked", condition=Q(forked=True)),
        ]

    def __str__(self) -> str:
        """Which event of which gate."""
        return f"{self.kind} {self.seq} of gate {self.gate_id}"


class Voucher(ProvinceRow, Stateful):
    """One use of one service, at one place and time (凭证); its code is all that is known of who holds it."""

    workflow = VOUCHER
    area = models.BigIntegerField(help_text="office of the gate that issued it")
    code = models.BinaryField(help_text="80 random bits")
    gate = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    operator = models.TextField()
    venue = models.TextField(blank=True, help_text="empty: any venue of the operator")
    service = models.TextField()
    rule = models.TextField()
    gives = models.TextField()
    companions = models.PositiveSmallIntegerField(default=0)
    subject = models.BinaryField(default=b"")
    begins = models.DateTimeField()
    ends = models.DateTimeField(help_text="not included")
    payload = models.BinaryField(null=True, help_text="the signed voucher, where the platform issued it; soon after")
    instead_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="moved_to",
                                      help_text="the voucher of another time that it replaces")
    beside = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="beside_it", db_index=False,
                               help_text="the voucher of the holder whom its bearer accompanies")
    nth = models.PositiveSmallIntegerField(default=0, help_text="which companion's; 0: the holder's own")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code"], name="voucher_code_once"),
            models.UniqueConstraint(fields=["beside", "nth"], name="voucher_companion_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("begins")), name="voucher_time_ordered"),
            models.CheckConstraint(condition=Q(companions__lte=MOST_COMPANIONS, nth__lte=MOST_COMPANIONS),
                                   name="voucher_companions_few"),
            models.CheckConstraint(condition=Q(beside=None, nth=0) | Q(beside__isnull=False, nth__gt=0, companions=0),
                                   name="voucher_companion_whole"),
            state_check(VOUCHER),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ends"], name="voucher_open", condition=Q(state="issued")),
            models.Index(fields=["area", "id"], name="voucher_by_area"),
            models.Index(fields=["id"], name="voucher_unsigned", condition=Q(payload=None)),
        ]

    @property
    def area_id(self) -> int:
        """The code by which events and scope know its place."""
        return self.area

    def __str__(self) -> str:
        """For what it is, never its code."""
        return f"voucher {self.pk} of {self.operator}"


class DoubleUse(models.Model):
    """A voucher was used once more than once (重复核销): at which gate it counts, at which it was used again."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="office of the gate whose use counts")
    shared_with = models.BigIntegerField(null=True, help_text="office of the other gate")
    voucher = models.BinaryField()
    counted = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+", db_index=False)
    again = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+", db_index=False)
    found_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["again"], name="double_use_once"),
            models.CheckConstraint(condition=~Q(counted=F("again")), name="double_use_of_two"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "id"], name="double_use_by_area"),
                             models.Index(fields=["voucher"], name="double_use_by_voucher")]

    def __str__(self) -> str:
        """Which two events."""
        return f"double use: {self.counted_id} and {self.again_id}"


