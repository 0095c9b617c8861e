"""Where gates stand, what they log, vouchers, double uses, statements and disputes."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("areas", "0001_initial"),
        ("devices", "0007_answers_of_the_store"),
        ("gates", "0004_claims"),
    ]

    operations = [
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("province", models.PositiveSmallIntegerField(editable=False)),
                ("state", models.TextField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("area", models.BigIntegerField(help_text="the office that settles; its area is that of the gates")),
                ("operator", models.TextField()),
                ("month", models.DateField(help_text="its first day")),
                ("made_at", models.DateTimeField()),
                ("made_by", models.TextField(help_text="the person")),
                ("sent_by", models.TextField(blank=True)),
                ("closed_by", models.TextField(blank=True)),
                ("events", models.PositiveIntegerField(default=0, help_text="all that it holds, counted or not")),
                ("counted", models.PositiveIntegerField(default=0)),
                ("fen", models.BigIntegerField(default=0)),
                (
                    "digest",
                    models.BinaryField(
                        default=b"", help_text="SHA-256 over the sorted digests of all events that it holds"
                    ),
                ),
                ("tariff", models.TextField(blank=True, help_text="source of the prices")),
                ("head", models.TextField(blank=True, help_text="what is signed, once it was sent")),
                ("signature", models.BinaryField(null=True)),
                ("key_id", models.BinaryField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["area", "id"], name="statement_by_area"),
                    models.Index(
                        condition=models.Q(
                            ("signature", None), models.Q(("state__in", ["draft", "discarded"]), _negated=True)
                        ),
                        fields=["id"],
                        name="statement_unsigned",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "discarded"), _negated=True),
                        fields=("operator", "month", "area"),
                        name="statement_once_a_month",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fen__gte", 0), ("counted__lte", models.F("events"))),
                        name="statement_adds_up",
                    ),
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="statement_of_a_month"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(
                                models.Q(("closed_by", ""), _negated=True),
                                models.Q(("closed_by", models.F("made_by")), _negated=True),
                                models.Q(("closed_by", models.F("sent_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="statement_closed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["agreed", "closed", "discarded", "disputed", "draft", "sent"])
                        ),
                        name="statement_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("area", models.BigIntegerField(help_text="office of the gate")),
                ("seq", models.BigIntegerField(help_text="the gate's own number")),
                ("digest", models.BinaryField(help_text="SHA-256 of the text")),
                ("kind", models.TextField()),
                ("at", models.DateTimeField(help_text="by the gate's clock")),
                ("operator", models.TextField()),
                ("venue", models.TextField()),
                ("service", models.TextField()),
                ("rule", models.TextField(blank=True)),
                ("gives", models.TextField(blank=True)),
                ("companions", models.PositiveSmallIntegerField(default=0)),
                (
                    "subject",
                    models.BinaryField(default=b"", help_text="pseudonym of one month; nothing else of a person"),
                ),
                ("voucher", models.BinaryField(default=b"", help_text="code of the voucher")),
                ("list_version", models.BigIntegerField(default=0)),
                ("text", models.TextField()),
                (
                    "signature",
                    models.BinaryField(
                        help_text="64 bytes; none yet: the platform's own, to be signed soon", null=True
                    ),
                ),
                ("key_id", models.BinaryField(null=True)),
                ("received_at", models.DateTimeField()),
                ("counted", models.BooleanField(default=False)),
                (
                    "forked",
                    models.BooleanField(
                        default=False, help_text="the gate signed something else under this number, too"
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="devices.device",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="gates.statement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DoubleUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("area", models.BigIntegerField(help_text="office of the gate whose use counts")),
                ("shared_with", models.BigIntegerField(help_text="office of the other gate", null=True)),
                ("voucher", models.BinaryField()),
                ("found_at", models.DateTimeField()),
                (
                    "again",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="gates.visit"
                    ),
                ),
                (
                    "counted",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="gates.visit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("province", models.PositiveSmallIntegerField(editable=False)),
                ("state", models.TextField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("area", models.BigIntegerField()),
                ("why", models.TextField()),
                ("opened_by", models.TextField(help_text="the person")),
                ("opened_at", models.DateTimeField()),
                (
                    "statement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="gates.statement",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="gates.visit",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Voucher",
            fields=[
                ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("province", models.PositiveSmallIntegerField(editable=False)),
                ("state", models.TextField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("area", models.BigIntegerField(help_text="office of the gate that issued it")),
                ("code", models.BinaryField(help_text="80 random bits")),
                ("operator", models.TextField()),
                ("venue", models.TextField(blank=True, help_text="empty: any venue of the operator")),
                ("service", models.TextField()),
                ("rule", models.TextField()),
                ("gives", models.TextField()),
                ("companions", models.PositiveSmallIntegerField(default=0)),
                ("subject", models.BinaryField(default=b"")),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField(help_text="not included")),
                (
                    "payload",
                    models.BinaryField(
                        help_text="the signed voucher, where the platform issued it; soon after", null=True
                    ),
                ),
                (
                    "nth",
                    models.PositiveSmallIntegerField(default=0, help_text="which companion's; 0: the holder's own"),
                ),
                (
                    "beside",
                    models.ForeignKey(
                        db_index=False,
                        help_text="the voucher of the holder whom its bearer accompanies",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="beside_it",
                        to="gates.voucher",
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vouchers",
                        to="devices.device",
                    ),
                ),
                (
                    "instead_of",
                    models.OneToOneField(
                        help_text="the voucher of another time that it replaces",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moved_to",
                        to="gates.voucher",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GateKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("area", models.BigIntegerField()),
                ("key_id", models.BinaryField()),
                ("suite", models.TextField()),
                ("public", models.BinaryField(help_text="uncompressed point, 65 bytes")),
                (
                    "gate",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("gate", "key_id"), name="gate_key_once")],
            },
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("province", models.PositiveSmallIntegerField(editable=False)),
                ("state", models.TextField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("operator", models.TextField(help_text="code of the operator, as in its file of rules")),
                ("venue", models.TextField(help_text="code of the venue")),
                (
                    "services",
                    models.JSONField(
                        default=list, help_text="codes of the services that it gives; none: all of the venue"
                    ),
                ),
                ("since", models.DateTimeField()),
                (
                    "area",
                    models.ForeignKey(
                        db_column="area", db_index=False, on_delete=django.db.models.deletion.PROTECT, to="areas.area"
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="posts", to="devices.device"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["area", "id"], name="post_by_area"),
                    models.Index(fields=["operator", "venue"], name="post_by_place"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "standing")), fields=("gate",), name="post_one_for_a_gate"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("operator", ""), _negated=True), models.Q(("venue", ""), _negated=True)
                        ),
                        name="post_names_its_place",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["ended", "standing"])), name="post_state_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("area", models.BigIntegerField()),
                ("service", models.TextField()),
                ("rule", models.TextField()),
                ("gives", models.TextField()),
                ("uses", models.PositiveIntegerField()),
                ("companions", models.PositiveIntegerField()),
                ("fen_each", models.BigIntegerField()),
                ("fen_companion", models.BigIntegerField()),
                ("fen", models.BigIntegerField()),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="gates.statement"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("statement", "service", "rule", "gives", "fen_each", "fen_companion"),
                        name="statement_line_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "fen",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("uses"), "*", models.F("fen_each")
                                    ),
                                    "+",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("companions"), "*", models.F("fen_companion")
                                    ),
                                ),
                            )
                        ),
                        name="statement_line_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("area", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("lines", models.PositiveIntegerField()),
                ("fresh", models.PositiveIntegerField()),
                ("repeats", models.PositiveIntegerField()),
                ("refused", models.JSONField(default=dict, help_text="code → how many")),
                (
                    "gate",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["gate", "at"], name="upload_by_gate")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "lines__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("fresh"), "+", models.F("repeats")
                                ),
                            )
                        ),
                        name="upload_adds_up",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("voucher", b""), _negated=True), fields=["voucher"], name="visit_by_voucher"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("subject", b""), _negated=True), fields=["subject", "at"], name="visit_by_subject"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("statement", None)), fields=["operator", "at"], name="visit_unsettled"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("statement__isnull", False)), fields=["statement"], name="visit_by_statement"
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(condition=models.Q(("signature", None)), fields=["id"], name="visit_unsigned"),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(condition=models.Q(("forked", True)), fields=["gate", "seq"], name="visit_forked"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(fields=("gate", "seq", "digest"), name="visit_once"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("counted", True), ("kind", "redeem")),
                fields=("voucher",),
                name="visit_voucher_counted_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("visit", "issue", "redeem", "cancel", "refusal"))),
                name="visit_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("issue", "redeem", "cancel")), models.Q(("voucher", b""), _negated=True)),
                    models.Q(models.Q(("kind__in", ("issue", "redeem", "cancel")), _negated=True), ("voucher", b"")),
                    _connector="OR",
                ),
                name="visit_voucher_of_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("counted", False), models.Q(("forked", False), ("kind__in", ("visit", "redeem"))), _connector="OR"
                ),
                name="visit_counts_a_service",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("key_id", None), ("signature", None)),
                    models.Q(("key_id__isnull", False), ("signature__isnull", False)),
                    _connector="OR",
                ),
                name="visit_signed_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(("companions__lte", 9), ("seq__gt", 0)), name="visit_numbers"
            ),
        ),
        migrations.AddIndex(
            model_name="doubleuse",
            index=models.Index(fields=["area", "id"], name="double_use_by_area"),
        ),
        migrations.AddIndex(
            model_name="doubleuse",
            index=models.Index(fields=["voucher"], name="double_use_by_voucher"),
        ),
        migrations.AddConstraint(
            model_name="doubleuse",
            constraint=models.UniqueConstraint(fields=("again",), name="double_use_once"),
        ),
        migrations.AddConstraint(
            model_name="doubleuse",
            constraint=models.CheckConstraint(
                condition=models.Q(("counted", models.F("again")), _negated=True), name="double_use_of_two"
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["area", "id"], name="dispute_by_area"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(fields=("statement", "visit"), name="dispute_once_an_event"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="dispute_says_why"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "rejected", "upheld"])), name="dispute_state_known"
            ),
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(condition=models.Q(("state", "issued")), fields=["ends"], name="voucher_open"),
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(fields=["area", "id"], name="voucher_by_area"),
        ),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(condition=models.Q(("payload", None)), fields=["id"], name="voucher_unsigned"),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.UniqueConstraint(fields=("code",), name="voucher_code_once"),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.UniqueConstraint(fields=("beside", "nth"), name="voucher_companion_once"),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))), name="voucher_time_ordered"
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(("companions__lte", 9), ("nth__lte", 9)), name="voucher_companions_few"
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("beside", None), ("nth", 0)),
                    models.Q(("beside__isnull", False), ("companions", 0), ("nth__gt", 0)),
                    _connector="OR",
                ),
                name="voucher_companion_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["cancelled", "expired", "issued", "redeemed"])),
                name="voucher_state_known",
            ),
        ),
    ]
