"""Cases of every kind, under the policy of their day; the database itself lets them move by that policy alone (I7)."""

from datetime import date

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from zhengka.cases.workflow import DECIDED, KINDS, STATES
from zhengka.core.scope import allow

NO_LIMIT = date(9999, 12, 31)

WAS_EXCHANGE = """
UPDATE cases_case c SET name = h.name, person_index = h.id_index,
       minor = h.birth_date > (c.opened_at AT TIME ZONE 'Asia/Shanghai')::date - interval '18 years',
       ended_at = CASE WHEN c.state IN ('ordered', 'closed') THEN c.moved_at END
FROM registry_holder h WHERE h.id = c.holder_id
"""

WAYS = """
CREATE FUNCTION cases_by_its_policy() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE wrong record;
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT DISTINCT a.policy, a.kind_of_case, a.minor, b.state AS source, a.state AS target,
               a.policy <> b.policy OR a.kind_of_case <> b.kind_of_case OR a.minor <> b.minor AS altered,
               b.state = 'publicised' AND a.state NOT IN ('publicised', 'objected')
                   AND NOT coalesce(b.notice_ends < (a.moved_at AT TIME ZONE 'Asia/Shanghai')::date, false) AS early
        FROM before b JOIN after a ON a.id = b.id)
    SELECT * INTO wrong FROM moved m WHERE m.altered OR m.early OR (m.source <> m.target AND NOT EXISTS (
        SELECT FROM cases_way w WHERE w.policy = m.policy AND w.kind_of_case = m.kind_of_case AND w.minor = m.minor
                                  AND w.source = m.source AND w.target = m.target))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN wrong.altered THEN 'kind, policy and minority of a case stay as they were'
            WHEN wrong.early THEN 'the public notice of a case has not stood for its full days'
            ELSE format('the policy %s has no way from %s to %s', wrong.policy, wrong.source, wrong.target) END
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_by_its_policy AFTER UPDATE ON cases_case
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION cases_by_its_policy();
"""
"""Asked once for each statement: a bulk approval moves two thousand cases by one, and rows before and after have no
index: met in nested loops, they would cost the square of their number."""

NO_WAYS = "DROP TRIGGER cases_by_its_policy ON cases_case; DROP FUNCTION cases_by_its_policy()"


def text(**more: object) -> models.TextField:
    return models.TextField(**more)  # type: ignore[arg-type]


class Migration(migrations.Migration):
    """The table of cases, wider; the ways that policies allow."""

    dependencies = [("cases", "0003_web_rights"), ("registry", "0005_terms"), ("cards", "0005_frozen")]
    operations = [
        *(migrations.RemoveConstraint("case", name) for name in (
            "case_open_once", "case_decided_by_two", "case_state_known")),
        migrations.AlterField("case", "kind_of_case", text(
            choices=[(name, name) for name in KINDS], default="exchange")),
        migrations.AlterField("case", "holder", models.ForeignKey(
            "registry.Holder", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="cases")),
        migrations.AlterField("case", "certificate", models.ForeignKey(
            "registry.Certificate", null=True, on_delete=django.db.models.deletion.PROTECT, db_index=False)),
        migrations.AlterField("case", "phase", models.PositiveSmallIntegerField(
            null=True, help_text="phase of the programme under which it was opened")),
        migrations.AddField("case", "policy", text(
            default="measures-2017", help_text="code of the case policy under which it was opened")),
        migrations.AddField("case", "minor", models.BooleanField(
            default=False, help_text="under 18 when it was opened: never in public notice")),
        migrations.AddField("case", "name", text(
            default="", help_text="of the person, when the case was opened"), preserve_default=False),
        migrations.AddField("case", "person_index", models.BinaryField(
            default=b"", help_text="blind index of the ID number, 16 bytes"), preserve_default=False),
        migrations.AddField("case", "told", models.BinaryField(
            null=True, help_text="what was applied for, sealed as case.told: JSON")),
        migrations.AddField("case", "found", models.JSONField(
            null=True, help_text="conclusion of the assessment: category, grade, components; {}: none")),
        migrations.AddField("case", "counterpart", models.OneToOneField(
            "cases.case", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="counterpart_of",
            help_text="of a departure (迁出): the arrival (迁入) at the other office")),
        migrations.AddField("case", "reason", text(
            blank=True, default="", help_text="code: why a certificate ends, or a case was brought"),
            preserve_default=False),
        migrations.AddField("case", "assessor_person", text(blank=True, default=""), preserve_default=False),
        migrations.AddField("case", "due_on", models.DateField(
            null=True, help_text="last day for the step that leads on, where the policy sets a limit")),
        migrations.AddField("case", "notice_from", models.DateField(
            null=True, help_text="day on which the public notice (公示) was put up")),
        migrations.AddField("case", "notice_ends", models.DateField(null=True, help_text="its last day")),
        migrations.AddField("case", "freezes_on", models.DateField(
            null=True, help_text="last day before a certificate left behind is frozen")),
        migrations.AddField("case", "lapses_on", models.DateField(
            null=True, help_text="last day before it is cancelled")),
        migrations.AddField("case", "ended_at", models.DateTimeField(null=True)),
        migrations.RunSQL("ALTER TABLE cases_case NO FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
        migrations.RunSQL(WAS_EXCHANGE, migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE cases_case FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
        migrations.CreateModel("Way", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("policy", text()), ("kind_of_case", text()), ("minor", models.BooleanField()), ("source", text()),
            ("target", text())]),
        *(migrations.AddConstraint(model, constraint) for model, constraint in (
            ("way", models.UniqueConstraint(fields=["policy", "kind_of_case", "minor", "source", "target"],
                                            name="way_once")),
            ("case", models.UniqueConstraint(fields=["person_index", "kind_of_case"],
                                             condition=Q(ended_at__isnull=True), name="case_open_once")),
            ("case", models.CheckConstraint(
                condition=~Q(state__in=sorted(DECIDED)) | (~Q(reviewer_person="") & ~Q(approver_person="")),
                name="case_decided_by_two")),
            ("case", models.CheckConstraint(condition=Q(kind_of_case__in=("new", "transfer_in_nation"))
                                            | Q(holder__isnull=False), name="case_has_holder")),
            ("case", models.CheckConstraint(condition=~Q(minor=True) | Q(notice_from__isnull=True),
                                            name="case_minor_not_publicised")),
            ("case", models.CheckConstraint(condition=Q(notice_from__isnull=True) | Q(notice_ends__gt=F("notice_from")),
                                            name="case_notice_ordered")),
            ("case", models.CheckConstraint(condition=Q(kind_of_case__in=sorted(KINDS)), name="case_kind_known")),
            ("case", models.CheckConstraint(condition=Q(state__in=sorted(STATES)), name="case_state_known")))),
        *(migrations.AddIndex("case", index) for index in (
            models.Index(F("area"), Coalesce("due_on", Value(NO_LIMIT)), F("id"), condition=Q(ended_at__isnull=True),
                         name="case_by_due_day"),
            models.Index(fields=["area", "ended_at"], condition=Q(ended_at__isnull=False), name="case_ended_by_area"),
            models.Index(fields=["state", "area"], condition=Q(ended_at__isnull=True), name="case_open_by_state"))),
        migrations.RunSQL(WAYS, NO_WAYS),
        migrations.RunSQL([
            allow("SELECT, INSERT, UPDATE", "cases_case"), allow("USAGE", "SEQUENCE cases_case_ids"),
            allow("SELECT", "cases_way")], migrations.RunSQL.noop),
    ]
