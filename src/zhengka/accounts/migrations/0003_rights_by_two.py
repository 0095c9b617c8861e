"""A role has two persons behind it; wrong tries are counted for names, not accounts; first passwords are changed."""

from django.db import migrations, models
from django.db.models import F, Q

ROLES = ["approver", "audit", "clerk", "leader", "producer", "reviewer", "security", "system"]
STATES = ["active", "inactive", "pending"]


class Migration(migrations.Migration):
    """Whoever has an account until now got it by the operator's command."""

    dependencies = [("accounts", "0002_states"), ("areas", "0001_initial")]
    operations = [
        migrations.CreateModel(name="TriedName", fields=[
            ("name", models.BinaryField(primary_key=True, serialize=False,
                                        help_text="keyed blind index of the name as it was typed")),
            ("failures", models.PositiveSmallIntegerField(default=0)),
            ("tried_at", models.DateTimeField(db_index=True)),
            ("locked_until", models.DateTimeField(null=True)),
        ]),
        migrations.RunSQL("GRANT DELETE ON accounts_triedname TO zhengka_web",
                          "REVOKE DELETE ON accounts_triedname FROM zhengka_web"),
        migrations.RemoveField("officer", "failures"),
        migrations.RemoveField("officer", "locked_until"),
        migrations.AddField("officer", "asked_by", models.TextField(
            blank=True, help_text="person who asked for the role")),
        migrations.AddField("officer", "permitted_by", models.TextField(
            blank=True, help_text="person who permitted the role")),
        migrations.AddField("officer", "wanted", models.TextField(
            blank=True, help_text="role that waits to be permitted")),
        migrations.AddField("officer", "wanted_by", models.TextField(
            blank=True, help_text="person who asked for the role that waits")),
        migrations.AddField("officer", "installed", models.BooleanField(
            default=False, help_text="role given by the operator's command, before there were officers who could ask "
                                     "and permit")),
        migrations.AddField("officer", "first_password", models.BooleanField(
            default=False, help_text="somebody else chose the password: nothing is open until it is changed")),
        migrations.AddField("officer", "generation", models.PositiveIntegerField(
            default=0, help_text="of sessions: those of an earlier one have ended")),
        migrations.RunSQL("UPDATE accounts_officer SET installed = true", migrations.RunSQL.noop),
        migrations.RemoveConstraint("officer", "officer_state_known"),
        migrations.AlterField("officer", "state", models.TextField(default="pending")),
        *(migrations.AddConstraint("officer", models.CheckConstraint(condition=condition, name=name))
          for name, condition in {
            "officer_state_known": Q(state__in=STATES),
            "officer_wanted_known": Q(wanted__in=["", *ROLES]),
            "officer_waits_for_a_role": Q(wanted="", wanted_by="") & ~Q(state="pending")
            | ~Q(wanted="") & ~Q(wanted_by="") & ~Q(state="inactive"),
            "officer_role_by_two_persons": ~Q(state="active") | Q(installed=True)
            | ~Q(asked_by="") & ~Q(permitted_by="") & ~Q(asked_by=F("permitted_by")),
            "officer_role_by_others": ~Q(person=F("asked_by")) & ~Q(person=F("permitted_by"))
            & ~Q(person=F("wanted_by")),
        }.items()),
    ]
