"""What the pages need of the bulk acts: they ask for one and see how far it is; workers count."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role."""

    dependencies = [("bulk", "0002_promises"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT, INSERT", "bulk_act"),
        allow("USAGE", "SEQUENCE bulk_act_ids"),
    ], migrations.RunSQL.noop)]
