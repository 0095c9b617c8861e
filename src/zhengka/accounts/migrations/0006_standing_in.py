"""Who stands in for whom, and whose right is lent to whom, on which days."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.core.scope import allow, protect

LENDABLE = ["approver", "clerk", "leader", "producer", "reviewer"]
APART = """
ALTER TABLE accounts_{name} ADD CONSTRAINT {name}_days_apart EXCLUDE USING gist (
    int8range(officer_id, officer_id, '[]') WITH &&, daterange(first_day, last_day, '[]') WITH &&)
WHERE (state IN ({held}))
"""
"""An officer's own days do not overlap. The id is a range of one, for which no extension is needed."""


def officer() -> models.ForeignKey:
    return models.ForeignKey("accounts.Officer", on_delete=django.db.models.deletion.PROTECT, related_name="+")


def fields(*more: tuple[str, models.Field]) -> list[tuple[str, models.Field]]:
    return [
        ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
        ("province", models.PositiveSmallIntegerField(editable=False)),
        ("state", models.TextField()), ("version", models.PositiveIntegerField(default=1)),
        ("area", models.ForeignKey("areas.Area", db_column="area", db_index=False,
                                   on_delete=django.db.models.deletion.PROTECT)),
        ("officer", officer()), ("person", models.TextField()),
        ("deputy", officer()), ("deputy_person", models.TextField()),
        ("first_day", models.DateField()), ("last_day", models.DateField()), *more]


def checks(name: str, states: list[str]) -> list[models.CheckConstraint]:
    return [models.CheckConstraint(condition=condition, name=f"{name}_{what}") for what, condition in {
        "days_ordered": Q(last_day__gte=F("first_day")),
        "days_bounded": Q(last_day__lt=F("first_day") + timedelta(days=90)),
        "by_another": ~Q(person=F("deputy_person")) & ~Q(officer=F("deputy")),
        "state_known": Q(state__in=states)}.items()]


class Migration(migrations.Migration):
    """Covers and delegations, with their walls."""

    dependencies = [("accounts", "0005_assessor"), ("areas", "0001_initial"), ("core", "0005_web_rights")]
    operations = [
        migrations.CreateModel("Cover", fields(), {"constraints": checks("cover", ["ended", "set"])}),
        migrations.CreateModel("Delegation", fields(
            ("role", models.TextField(help_text="the role that is lent; it holds while the officer has it")),
            ("permitted_by", models.TextField(blank=True, help_text="person who permitted it"))), {"constraints": [
                *checks("delegation", ["asked", "ended", "lent", "refused"]),
                models.CheckConstraint(condition=Q(role__in=LENDABLE), name="delegation_role_lendable"),
                models.CheckConstraint(condition=~Q(state="lent") | ~Q(permitted_by=""),
                                       name="delegation_by_two_persons"),
                models.CheckConstraint(condition=~Q(permitted_by=F("person")) & ~Q(permitted_by=F("deputy_person")),
                                       name="delegation_by_a_third")]}),
        *(migrations.RunSQL(sql, undo) for name, held in (("cover", "'set'"), ("delegation", "'asked', 'lent'"))
          for sql, undo in (
            (f"CREATE SEQUENCE accounts_{name}_ids CACHE 1", f"DROP SEQUENCE accounts_{name}_ids"),
            (APART.format(name=name, held=held), f"ALTER TABLE accounts_{name} DROP CONSTRAINT {name}_days_apart"),
            (protect(f"accounts_{name}"), migrations.RunSQL.noop),
            (allow("SELECT, INSERT, UPDATE", f"accounts_{name}"), migrations.RunSQL.noop),
            (allow("USAGE", f"SEQUENCE accounts_{name}_ids"), migrations.RunSQL.noop))),
    ]
