"""Accounts move by a workflow, each step an event; the web may end the sessions that it began."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """State and version in place of a flag; the right to delete sessions."""

    dependencies = [("accounts", "0001_initial"), ("core", "0002_promises"), ("sessions", "0001_initial")]
    operations = [
        migrations.RemoveField("officer", "is_active"),
        migrations.AddField("officer", "state", models.TextField(default="active")),
        migrations.AddField("officer", "version", models.PositiveIntegerField(default=1)),
        migrations.AddConstraint("officer", models.CheckConstraint(
            condition=models.Q(state__in=["active", "inactive"]), name="officer_state_known")),
        migrations.RunSQL("GRANT DELETE ON django_session TO zhengka_web",
                          "REVOKE DELETE ON django_session FROM zhengka_web"),
    ]
