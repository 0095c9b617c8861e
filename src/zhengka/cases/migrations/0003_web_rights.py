"""What the pages need of the cases. An exchange is opened by workers: no page makes a case."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role."""

    dependencies = [("cases", "0002_promises"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT, UPDATE", "cases_case"),
    ], migrations.RunSQL.noop)]
